//===- HalideGlue.h - what Halide's kernels call back -----------------------------------------===//

#ifndef QUERN_RUNTIME_HALIDEGLUE_H
#define QUERN_RUNTIME_HALIDEGLUE_H

#include "runtime/Scratch.h"
#include "runtime/ThreadPool.h"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace quern::runtime {

/// What the kernels of one session run on: its threads, their scratch memory, and the place for their messages.
///
/// Halide's callbacks are set once per process and get no pointer of ours, so each thread remembers whose kernels it is
/// running: a thread of the pool for all its life, the calling thread during `run`.
class KernelHost {
public:
  /// A host with `threads` threads in [1, maxThreads].
  static Result<std::unique_ptr<KernelHost>> create(unsigned threads);
  ~KernelHost();

  unsigned getThreadCount() const { return pool->getThreadCount(); }

  /// Calls `function(context)`, which runs kernels on this host's threads; its value. One call at a time.
  int32_t run(int32_t (*function)(void *context), void *context);

  /// The first message of a kernel since the last call, or nothing.
  std::string takeMessage();

private:
  KernelHost() = default;

  /// One thread's share.
  struct Seat {
    KernelHost *host = nullptr;
    ScratchCache scratch;
  };

  /// Whose kernels this thread is running; null outside of `run`.
  static thread_local Seat *current;

  static void startThread(void *context, unsigned thread);
  static void installCallbacks();
  static int doParallelFor(void *user, ThreadPool::Task task, int min, int size, uint8_t *closure);
  static void reportError(void *user, const char *message);
  static void *allocate(void *user, size_t bytes);
  static void release(void *user, void *block);

  std::vector<std::unique_ptr<Seat>> seats;
  std::unique_ptr<ThreadPool> pool;
  std::mutex messageLock;
  std::string message;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_HALIDEGLUE_H
