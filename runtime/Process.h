//===- Process.h - what a program of Quern's can count on --------------------------------------===//

#ifndef QUERN_RUNTIME_PROCESS_H
#define QUERN_RUNTIME_PROCESS_H

namespace quern::runtime {

/// The first thing that a program does. Descriptors 0 to 2 that are closed become those of `/dev/null`: else the next file that
/// is opened would be the standard output. Writing too much, or to a pipe that nobody reads any more, is an error of the write
/// and no signal.
void prepareProcess();

} // namespace quern::runtime

#endif // QUERN_RUNTIME_PROCESS_H
