//===- ThreadPool.h - hands out the tasks of one kernel in microseconds ------------------------===//

#ifndef QUERN_RUNTIME_THREADPOOL_H
#define QUERN_RUNTIME_THREADPOOL_H

#include "quern/Result.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <pthread.h>
#include <vector>

namespace quern::runtime {

/// The most threads that a pool may have.
inline constexpr unsigned maxThreads = 1024;

/// How many CPUs this process may run on, or has the time of, if its groups give it less.
unsigned countAllowedCpus();

/// Threads that share the iterations of parallel loops, one loop at a time.
///
/// Between two loops the threads spin for a bounded time, because the kernels of one step follow each other within
/// microseconds, and then sleep. A pool with more threads than CPUs never spins. The thread that starts a loop works
/// on it, too. Which thread runs which iteration is left to chance; an iteration must not depend on it.
class ThreadPool {
public:
  /// One iteration: 0 or an error code.
  using Task = int (*)(void *user, int index, uint8_t *closure);
  /// Called, unless null, by each new thread before its first loop, with its number in [1, threads).
  struct ThreadHook {
    void (*start)(void *context, unsigned thread);
    void *context;
  };

  /// A pool of `threads` in [1, maxThreads], the calling thread included, or of as many as the system gives.
  static Result<std::unique_ptr<ThreadPool>> create(unsigned threads, ThreadHook hook);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  unsigned getThreadCount() const { return threadCount; }

  /// Runs task(user, i, closure) for each i in [min, min + size) and returns when all are done: 0, or the code of an
  /// iteration that failed, after which the iterations not yet begun are skipped. A loop inside an iteration runs on
  /// the thread that meets it. Not to be called by two threads at once.
  int parallelFor(Task task, void *user, int min, int size, uint8_t *closure);

private:
  /// A loop. Its fields are atomic because a thread that is late may read them while the loop after the next is
  /// written; the claim (see `claim`) then fails and what was read is dropped.
  struct Job {
    std::atomic<Task> task{nullptr};
    std::atomic<void *> user{nullptr};
    std::atomic<uint8_t *> closure{nullptr};
    std::atomic<int> min{0};
    std::atomic<uint32_t> size{0};
  };

  /// The iterations that one thread works on first. `next` has the loop's number in the upper half, the next iteration
  /// that nobody has taken in the lower: one word, so that a thread can only take an iteration of the loop that it has
  /// read.
  struct alignas(64) Part {
    std::atomic<uint64_t> next{0};
  };

  ThreadPool(unsigned threads, ThreadHook hook);
  static void *enterThread(void *argument);
  void runThread(unsigned thread);
  void work(unsigned thread, uint32_t generation);
  bool claim(unsigned thread, uint32_t generation, uint32_t size, uint32_t &index);
  /// Where the part of a loop of `size` iterations begins that `part` works on first.
  uint32_t getPartBegin(unsigned part, uint32_t size) const {
    return static_cast<uint32_t>(uint64_t{size} * part / threadCount);
  }
  uint32_t waitForJob(uint32_t seen);
  void waitUntilDone();
  int runSerially(Task task, void *user, int min, int size, uint8_t *closure);

  struct Start {
    ThreadPool *pool;
    unsigned thread;
  };

  unsigned threadCount;
  const bool spins;
  const ThreadHook hook;
  std::vector<pthread_t> threads;
  std::vector<Start> starts;

  /// The loop being run and the one before, by number.
  Job jobs[2];
  std::vector<Part> parts;
  /// Iterations that are not done; a futex while the caller sleeps.
  alignas(64) std::atomic<uint32_t> remaining{0};
  std::atomic<bool> callerSleeps{false};
  std::atomic<int> failure{0};
  /// The loop's number; a futex of the threads that sleep.
  alignas(64) std::atomic<uint32_t> epoch{0};
  std::atomic<uint32_t> sleepers{0};
  std::atomic<bool> stopping{false};
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_THREADPOOL_H
