//===- Process.h - what a program of Quern's can count on --------------------------------------===//

#ifndef QUERN_RUNTIME_PROCESS_H
#define QUERN_RUNTIME_PROCESS_H

#include <cstddef>
#include <functional>

namespace quern::runtime {

/// The first thing that a program does. Descriptors 0 to 2 that are closed become those of `/dev/null`: else the next
/// file that is opened would be the standard output. Writing too much, or to a pipe that nobody reads any more, is an
/// error of the write and no signal.
void prepareProcess();

/// The stack that a program runs with at least, in bytes: several times what it takes.
inline constexpr size_t minStackBytes = 1 << 20;

/// Runs `work` with such a stack: on this thread, whose stack may grow, or on one of its own where
/// the system lets this one have less. False where there can be no such thread.
bool runWithStack(const std::function<void()> &work);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_PROCESS_H
