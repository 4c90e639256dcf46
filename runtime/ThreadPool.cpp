//===- ThreadPool.cpp - hands out the tasks of one kernel in microseconds ----------------------===//

#include "runtime/ThreadPool.h"

#include "runtime/Memory.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace quern::runtime {

/// How long a thread waits awake. The kernels of a step follow each other within a few microseconds; what a step's end
/// costs (sampling, printing) should not put the threads to sleep either.
static constexpr int64_t spinNanoseconds = 100'000;

/// Stack of a pool's thread. Kernels keep only small tiles there.
static constexpr size_t stackBytes = size_t{1} << 20;

/// Whether this thread is running an iteration, so that a loop inside must not be shared.
static thread_local bool insideTask = false;

static int64_t now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

static void pauseThread() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

static void futexWait(std::atomic<uint32_t> &word, uint32_t expected) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

static void futexWake(std::atomic<uint32_t> &word, int count) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

/// Waits awake until `done()` or the time is over; whether it was done.
template <typename Predicate> static bool spinUntil(bool spins, Predicate done) {
  if (done())
    return true;
  if (!spins)
    return false;
  int64_t end = now() + spinNanoseconds;
  do {
    // A look at the clock costs as much as a few pauses.
    for (int i = 0; i < 32; ++i) {
      pauseThread();
      if (done())
        return true;
    }
  } while (now() < end);
  return false;
}

unsigned countAllowedCpus() {
  // The set grows until the kernel's fits: machines may have more than CPU_SETSIZE CPUs.
  for (int cpus = CPU_SETSIZE; cpus <= 1 << 20; cpus *= 4) {
    cpu_set_t *set = CPU_ALLOC(cpus);
    size_t bytes = CPU_ALLOC_SIZE(cpus);
    bool known = set && sched_getaffinity(0, bytes, set) == 0;
    int count = known ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (known)
      return static_cast<unsigned>(std::max(count, 1));
    if (errno != EINVAL)
      break;
  }
  return 1;
}

ThreadPool::ThreadPool(unsigned threads, ThreadHook hook)
    : threadCount(threads), spins(threads <= countAllowedCpus()), hook(hook) {}

Result<std::unique_ptr<ThreadPool>> ThreadPool::create(unsigned threads, ThreadHook hook) {
  if (threads < 1 || threads > maxThreads)
    return Error{"the number of threads is " + std::to_string(threads) + ", expected 1 to " +
                     std::to_string(maxThreads),
                 ErrorKind::Usage};
  std::unique_ptr<ThreadPool> pool(new ThreadPool(threads, hook));
  pool->threads.reserve(threads);
  pool->starts.resize(threads);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stackBytes);
  int failed = 0;
  for (unsigned i = 1; i < threads && !failed; ++i) {
    pool->starts[i] = {pool.get(), i};
    pthread_t thread;
    failed = pthread_create(&thread, &attributes, enterThread, &pool->starts[i]);
    if (!failed)
      pool->threads.push_back(thread);
  }
  pthread_attr_destroy(&attributes);
  if (failed)
    return Error{"could not start " + std::to_string(threads) + " threads, only " +
                 std::to_string(pool->threads.size() + 1) + ": " + describeSystemError(failed)};
  return pool;
}

ThreadPool::~ThreadPool() {
  stopping.store(true);
  epoch.fetch_add(1);
  futexWake(epoch, INT_MAX);
  for (pthread_t thread : threads)
    pthread_join(thread, nullptr);
}

void *ThreadPool::enterThread(void *argument) {
  auto *start = static_cast<Start *>(argument);
  start->pool->runThread(start->thread);
  return nullptr;
}

void ThreadPool::runThread(unsigned thread) {
  if (hook.start)
    hook.start(hook.context, thread);
  uint32_t seen = 0;
  while (true) {
    seen = waitForJob(seen);
    if (stopping.load())
      return;
    work(seen);
  }
}

uint32_t ThreadPool::waitForJob(uint32_t seen) {
  auto changed = [&] { return epoch.load(std::memory_order_acquire) != seen; };
  if (!spinUntil(spins, changed)) {
    // Sequentially consistent with the caller's: it sees this sleeper, or this thread sees its loop.
    sleepers.fetch_add(1);
    while (epoch.load() == seen)
      futexWait(epoch, seen);
    sleepers.fetch_sub(1);
  }
  return epoch.load(std::memory_order_acquire);
}

/// Takes iterations of the loop `generation`: how many, from `first`; 0 when there are none left or the loop is over.
/// The part shrinks with what is left: long runs of neighbours for the memory's sake, single ones at the end so that no
/// thread waits long for another.
uint32_t ThreadPool::claim(uint32_t generation, uint32_t size, uint32_t &first) {
  uint64_t current = next.load(std::memory_order_acquire);
  while (true) {
    first = static_cast<uint32_t>(current);
    if (static_cast<uint32_t>(current >> 32) != generation || first >= size)
      return 0;
    uint32_t count = std::max<uint32_t>(1, (size - first) / (2 * threadCount));
    if (next.compare_exchange_weak(current, current + count, std::memory_order_acq_rel,
                                   std::memory_order_acquire))
      return count;
  }
}

void ThreadPool::work(uint32_t generation) {
  Task task = job.task.load(std::memory_order_relaxed);
  void *user = job.user.load(std::memory_order_relaxed);
  uint8_t *closure = job.closure.load(std::memory_order_relaxed);
  int min = job.min.load(std::memory_order_relaxed);
  uint32_t size = job.size.load(std::memory_order_relaxed);
  // A thread that has read a field of a later loop also sees that loop's `next`, so its claim fails.
  std::atomic_thread_fence(std::memory_order_acquire);
  uint32_t first = 0;
  insideTask = true;
  while (uint32_t count = claim(generation, size, first)) {
    for (uint32_t i = first; i < first + count; ++i) {
      if (failure.load(std::memory_order_relaxed))
        break;
      int code = task(user, static_cast<int>(min + static_cast<int64_t>(i)), closure);
      int none = 0;
      if (code)
        failure.compare_exchange_strong(none, code);
    }
    if (remaining.fetch_sub(count) == count && callerSleeps.load())
      futexWake(remaining, 1);
  }
  insideTask = false;
}

void ThreadPool::waitUntilDone() {
  if (spinUntil(spins, [&] { return remaining.load(std::memory_order_acquire) == 0; }))
    return;
  callerSleeps.store(true);
  while (uint32_t left = remaining.load())
    futexWait(remaining, left);
  callerSleeps.store(false);
}

int ThreadPool::runSerially(Task task, void *user, int min, int size, uint8_t *closure) {
  for (int i = 0; i < size; ++i)
    if (int code = task(user, min + i, closure))
      return code;
  return 0;
}

int ThreadPool::parallelFor(Task task, void *user, int min, int size, uint8_t *closure) {
  if (size <= 0)
    return 0;
  if (threadCount == 1 || size == 1 || insideTask)
    return runSerially(task, user, min, size, closure);
  uint32_t generation = epoch.load(std::memory_order_relaxed) + 1;
  // Nobody can claim while the fields change.
  next.store(uint64_t{generation} << 32 | UINT32_MAX, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  job.task.store(task, std::memory_order_relaxed);
  job.user.store(user, std::memory_order_relaxed);
  job.closure.store(closure, std::memory_order_relaxed);
  job.min.store(min, std::memory_order_relaxed);
  job.size.store(static_cast<uint32_t>(size), std::memory_order_relaxed);
  failure.store(0, std::memory_order_relaxed);
  remaining.store(static_cast<uint32_t>(size), std::memory_order_relaxed);
  next.store(uint64_t{generation} << 32, std::memory_order_release);
  epoch.store(generation);
  if (uint32_t asleep = sleepers.load())
    futexWake(epoch, static_cast<int>(std::min<uint32_t>(asleep, static_cast<uint32_t>(size) - 1)));
  work(generation);
  waitUntilDone();
  return failure.load(std::memory_order_relaxed);
}

} // namespace quern::runtime
