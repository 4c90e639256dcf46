//===- Workers.cpp - work shared out among copies of this process ------------------------------===//

#include "runtime/Workers.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <memory>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace quern::runtime {

namespace {

/// What the processes share: which is to be taken next, and what came of each.
class Board {
public:
  explicit Board(size_t count) : count(count), bytes(sizeof(Next) + count * sizeof(int32_t)) {
    memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      return;
    new (memory) Next(0);
    std::fill_n(results(), count, lostWork);
  }
  ~Board() {
    if (isThere())
      munmap(memory, bytes);
  }
  Board(const Board &) = delete;
  Board &operator=(const Board &) = delete;

  bool isThere() const { return memory != MAP_FAILED; }
  int32_t *results() const { return reinterpret_cast<int32_t *>(static_cast<char *>(memory) + sizeof(Next)); }

  /// Takes one after the other until none is left.
  void takeAll(const std::function<int32_t(size_t)> &work) const {
    auto &next = *static_cast<Next *>(memory);
    for (size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1))
      results()[i] = work(i);
  }

private:
  using Next = std::atomic<size_t>;
  static_assert(Next::is_always_lock_free && sizeof(Next) % alignof(int32_t) == 0);

  size_t count, bytes;
  void *memory = MAP_FAILED;
};

} // namespace

/// Starts a process that takes its share; -1 where there can be none.
static pid_t startWorker(const Board &board, const std::function<int32_t(size_t)> &work) {
  pid_t parent = getpid(), child = fork();
  if (child != 0)
    return child;
  // Nobody waits for the share of a program that was ended.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() == parent)
    board.takeAll(work);
  _exit(0);
}

std::vector<int32_t> shareOut(size_t count, unsigned processes, const std::function<int32_t(size_t)> &work) {
  std::vector<pid_t> children;
  Board board(count);
  size_t wanted = board.isThere() && processes > 1 && count > 1 ? std::min<size_t>(processes, count) : 0;
  while (children.size() < wanted) {
    pid_t child = startWorker(board, work);
    if (child < 0)
      break;
    children.push_back(child);
  }
  if (children.empty()) {
    std::vector<int32_t> results;
    for (size_t i = 0; i < count; ++i)
      results.push_back(work(i));
    return results;
  }
  for (pid_t child : children)
    while (waitpid(child, nullptr, 0) < 0 && errno == EINTR)
      ;
  return {board.results(), board.results() + count};
}

unsigned countWorkers(uint64_t bytes, unsigned processes) {
  constexpr uint64_t perProcess = uint64_t{32} << 20;
  return static_cast<unsigned>(std::clamp<uint64_t>(bytes / perProcess, 1, std::max(processes, 1u)));
}

} // namespace quern::runtime
