//===- Workers.h - work shared out among copies of this process --------------------------------===//

#ifndef QUERN_RUNTIME_WORKERS_H
#define QUERN_RUNTIME_WORKERS_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace quern::runtime {

/// What `shareOut` gives for work of which no process returned.
inline constexpr int32_t lostWork = INT32_MIN;

/// Gives what `work(i)` returns for each i below `count`. Up to `processes` copies of this process take one after the
/// other, in the order of i; what one changes in memory nobody else sees, what it writes to files everybody. With one,
/// or where the system starts none, this process works itself. `work` may wait for no lock that another thread of this
/// process may hold, and is not to report: what a process that died had taken is `lostWork`.
std::vector<int32_t> shareOut(size_t count, unsigned processes, const std::function<int32_t(size_t)> &work);

/// How many processes, at most `processes`, are worth starting for work that reads or writes so many bytes.
unsigned countWorkers(uint64_t bytes, unsigned processes);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_WORKERS_H
