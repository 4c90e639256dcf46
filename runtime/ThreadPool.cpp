//===- ThreadPool.cpp - hands out the tasks of one kernel in microseconds ----------------------===//

#include "runtime/ThreadPool.h"

#include "runtime/Groups.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace quern::runtime {

/// How long a thread waits awake. The kernels of a step follow each other within a few microseconds; what a step's end
/// costs (sampling, printing) should not put the threads to sleep either.
static constexpr int64_t spinNanoseconds = 100'000;

/// Stack of a pool's thread. Kernels keep only small tiles there.
static constexpr size_t stackBytes = size_t{1} << 20;

/// Addresses that are left to the rest of the process when threads start.
static constexpr size_t keptBytes = size_t{64} << 20;

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

/// How many CPUs this process may be scheduled on.
static unsigned countScheduledCpus() {
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

unsigned countAllowedCpus() {
  unsigned scheduled = countScheduledCpus();
  return std::min(scheduled, Groups().getCpus().value_or(scheduled));
}

ThreadPool::ThreadPool(unsigned threads, ThreadHook hook)
    : threadCount(threads), spins(threads <= countAllowedCpus()), hook(hook), parts(threads) {}

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
  // Addresses may be limited: threads are not to take the last of them.
  void *kept =
      threads > 1 ? mmap(nullptr, keptBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) : nullptr;
  if (kept == MAP_FAILED)
    threads = 1;
  for (unsigned i = 1; i < threads; ++i) {
    pool->starts[i] = {pool.get(), i};
    pthread_t thread;
    if (pthread_create(&thread, &attributes, enterThread, &pool->starts[i]) != 0)
      break;
    pool->threads.push_back(thread);
  }
  pthread_attr_destroy(&attributes);
  if (kept && kept != MAP_FAILED)
    munmap(kept, keptBytes);
  // Those that there are do not look at it before the first loop.
  pool->threadCount = static_cast<unsigned>(pool->threads.size()) + 1;
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
    work(thread, seen);
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

/// Takes an iteration of the loop `generation` for `thread`: from its own part, in order, so that it reads memory in
/// one long run; once that is empty, from the parts after it. Whether there was one.
bool ThreadPool::claim(unsigned thread, uint32_t generation, uint32_t size, uint32_t &index) {
  for (unsigned i = 0; i < threadCount; ++i) {
    unsigned part = thread + i < threadCount ? thread + i : thread + i - threadCount;
    std::atomic<uint64_t> &next = parts[part].next;
    uint32_t end = getPartBegin(part + 1, size);
    uint64_t current = next.load(std::memory_order_acquire);
    while (static_cast<uint32_t>(current >> 32) == generation && static_cast<uint32_t>(current) < end)
      if (next.compare_exchange_weak(current, current + 1, std::memory_order_acq_rel, std::memory_order_acquire)) {
        index = static_cast<uint32_t>(current);
        return true;
      }
  }
  return false;
}

void ThreadPool::work(unsigned thread, uint32_t generation) {
  const Job &job = jobs[generation % 2];
  Task task = job.task.load(std::memory_order_relaxed);
  void *user = job.user.load(std::memory_order_relaxed);
  uint8_t *closure = job.closure.load(std::memory_order_relaxed);
  int min = job.min.load(std::memory_order_relaxed);
  uint32_t size = job.size.load(std::memory_order_relaxed);
  // A thread that has read a field of a later loop also sees the parts of the loop before that one, so its claim fails.
  std::atomic_thread_fence(std::memory_order_acquire);
  uint32_t index = 0, done = 0;
  insideTask = true;
  for (; claim(thread, generation, size, index); ++done) {
    if (failure.load(std::memory_order_relaxed))
      continue;
    int code = task(user, static_cast<int>(min + static_cast<int64_t>(index)), closure);
    int none = 0;
    if (code)
      failure.compare_exchange_strong(none, code);
  }
  insideTask = false;
  if (done && remaining.fetch_sub(done) == done && callerSleeps.load())
    futexWake(remaining, 1);
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
  Job &job = jobs[generation % 2];
  // Whoever reads what is written from here on also reads the parts as the loop before this one left them.
  std::atomic_thread_fence(std::memory_order_release);
  job.task.store(task, std::memory_order_relaxed);
  job.user.store(user, std::memory_order_relaxed);
  job.closure.store(closure, std::memory_order_relaxed);
  job.min.store(min, std::memory_order_relaxed);
  job.size.store(static_cast<uint32_t>(size), std::memory_order_relaxed);
  failure.store(0, std::memory_order_relaxed);
  remaining.store(static_cast<uint32_t>(size), std::memory_order_relaxed);
  for (unsigned part = 0; part < threadCount; ++part)
    parts[part].next.store(uint64_t{generation} << 32 | getPartBegin(part, static_cast<uint32_t>(size)),
                           std::memory_order_release);
  epoch.store(generation);
  if (uint32_t asleep = sleepers.load())
    futexWake(epoch, static_cast<int>(std::min<uint32_t>(asleep, static_cast<uint32_t>(size) - 1)));
  work(0, generation);
  waitUntilDone();
  return failure.load(std::memory_order_relaxed);
}

} // namespace quern::runtime
