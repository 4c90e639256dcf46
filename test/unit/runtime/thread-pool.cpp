/// Parallel loops: every iteration once, for any number of threads, also nested, failing and after a pause.

#include "Check.h"
#include "runtime/ThreadPool.h"

#include <atomic>
#include <chrono>
#include <climits>
#include <thread>
#include <vector>

using namespace quern::runtime;
using quern::test::Checks;

namespace {

/// Counts how often each iteration ran.
struct Counter {
  int min = 0;
  std::vector<std::atomic<int>> counts;
  Counter(int min, size_t size) : min(min), counts(size) {}
  static int step(void *, int index, uint8_t *closure) {
    auto *counter = reinterpret_cast<Counter *>(closure);
    ++counter->counts[static_cast<size_t>(index - counter->min)];
    return 0;
  }
  bool allAre(int expected) const {
    for (const std::atomic<int> &count : counts)
      if (count != expected)
        return false;
    return true;
  }
};

std::unique_ptr<ThreadPool> makePool(unsigned threads) {
  return ThreadPool::create(threads, {nullptr, nullptr}).value();
}

void testEveryIterationOnce(Checks &checks) {
  for (unsigned threads : {1u, 2u, 3u, 5u, 8u, 17u, 64u}) {
    std::unique_ptr<ThreadPool> pool = makePool(threads);
    checks.equal(pool->getThreadCount(), threads);
    for (int size : {0, 1, 2, 3, 7, 64, 1000})
      for (int min : {0, -5, INT_MAX - 1000}) {
        Counter counter(min, static_cast<size_t>(size));
        checks.equal(pool->parallelFor(Counter::step, nullptr, min, size, reinterpret_cast<uint8_t *>(&counter)), 0);
        checks.that(counter.allAre(1));
      }
  }
}

/// Many short loops one after the other: a thread that is late for one must not disturb the next.
void testStress(Checks &checks) {
  for (unsigned threads : {2u, 4u, 16u}) {
    std::unique_ptr<ThreadPool> pool = makePool(threads);
    Counter counter(0, 40);
    int loops = 0;
    for (int i = 0; i < 3000; ++i) {
      int size = i % 40 + 1;
      pool->parallelFor(Counter::step, nullptr, 0, size, reinterpret_cast<uint8_t *>(&counter));
      // The first iteration has run in every loop so far, whoever ran it.
      checks.that(counter.counts[0] == ++loops);
    }
    int sum = 0;
    for (const std::atomic<int> &count : counter.counts)
      sum += count;
    checks.equal(sum, 3000 / 40 * (40 * 41 / 2));
  }
}

struct Nested {
  ThreadPool *pool;
  Counter counter{0, 50};
};

int runInner(void *, int, uint8_t *closure) {
  auto *nested = reinterpret_cast<Nested *>(closure);
  return nested->pool->parallelFor(Counter::step, nullptr, 0, 50, reinterpret_cast<uint8_t *>(&nested->counter));
}

void testNested(Checks &checks) {
  std::unique_ptr<ThreadPool> pool = makePool(4);
  Nested nested{pool.get()};
  checks.equal(pool->parallelFor(runInner, nullptr, 0, 20, reinterpret_cast<uint8_t *>(&nested)), 0);
  checks.that(nested.counter.allAre(20));
}

int failAtThree(void *, int index, uint8_t *) { return index == 3 ? -42 : 0; }

void testFailure(Checks &checks) {
  for (unsigned threads : {1u, 2u, 8u}) {
    std::unique_ptr<ThreadPool> pool = makePool(threads);
    for (int i = 0; i < 100; ++i)
      checks.equal(pool->parallelFor(failAtThree, nullptr, 0, 100, nullptr), -42);
    // The next loop knows nothing of it.
    Counter counter(0, 10);
    checks.equal(pool->parallelFor(Counter::step, nullptr, 0, 10, reinterpret_cast<uint8_t *>(&counter)), 0);
    checks.that(counter.allAre(1));
  }
}

/// Threads that have gone to sleep wake up again.
void testSleep(Checks &checks) {
  std::unique_ptr<ThreadPool> pool = makePool(2);
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    Counter counter(0, 100);
    pool->parallelFor(Counter::step, nullptr, 0, 100, reinterpret_cast<uint8_t *>(&counter));
    checks.that(counter.allAre(1));
  }
}

void testCounts(Checks &checks) {
  checks.that(countAllowedCpus() >= 1);
  checks.that(!ThreadPool::create(0, {nullptr, nullptr}));
  Result<std::unique_ptr<ThreadPool>> many = ThreadPool::create(1025, {nullptr, nullptr});
  checks.that(!many);
  checks.equal(many.error().message, "the number of threads is 1025, expected 1 to 1024");
  std::unique_ptr<ThreadPool> pool = makePool(1000);
  Counter counter(0, 3000);
  checks.equal(pool->parallelFor(Counter::step, nullptr, 0, 3000, reinterpret_cast<uint8_t *>(&counter)), 0);
  checks.that(counter.allAre(1));
}

} // namespace

int main() {
  Checks checks;
  testEveryIterationOnce(checks);
  testStress(checks);
  testNested(checks);
  testFailure(checks);
  testSleep(checks);
  testCounts(checks);
  return checks.status();
}
