//===- Driver.h - what the driver's functions have in common -----------------------------------===//

#ifndef QUERN_TEST_PTX_DRIVER_DRIVER_H
#define QUERN_TEST_PTX_DRIVER_DRIVER_H

#include "test/ptx/Launch.h"
#include "test/ptx/Memory.h"
#include "test/ptx/Module.h"
#include "test/ptx/Options.h"

#include <deque>
#include <functional>
#include <mutex>
#include <set>

/// A function that the library exports; the driver's functions return its numbers.
#define PTX_EXPORT extern "C" __attribute__((visibility("default")))

namespace quern::ptx {

/// The device, its contexts and what belongs to them. There is one, as there is one driver in a process.
///
/// Work happens in the order in which it is ordered, whatever its stream: at once, or with `Options::lazy` when
/// somebody waits for it. What fails after its order leaves its error to all later calls, until the context is
/// destroyed.
class Driver {
public:
  static Driver &get();

  struct Event {
    bool isRecorded = false;
    uint64_t time = 0;
  };

  /// Orders work, or does it.
  void submit(std::function<void()> work);
  /// Does all work that was ordered.
  void flush();

  Status launch(const Launch &launch);
  /// Bytes between memories, or one value to memory, in order; checks what is the device's first.
  Status copy(uint64_t to, uint64_t from, uint64_t bytes);
  Status copyToDevice(uint64_t to, const void *from, uint64_t bytes, bool isAsync);
  Status copyToHost(void *to, uint64_t from, uint64_t bytes, bool isAsync);
  Status fill(uint64_t to, unsigned char value, uint64_t bytes);
  Status allocate(uint64_t bytes, uint64_t &address);
  bool ownsKernel(const void *kernel) const;
  /// Forgets the errors and the work of a context that ends.
  void reset();
  /// The module for a text, which `message` says why there is none for.
  Status load(const char *text, Module *&module, std::string &message);

  const Options options;
  Memory memory;
  std::mutex mutex;
  bool isInitialized = false;
  /// What work failed with.
  Status pending = Status::Success;
  /// The instructions that all threads have executed so far, one each nanosecond of the device's clock.
  uint64_t clock = 0;
  std::set<void *> contexts, streams;
  std::map<void *, std::unique_ptr<Event>> events;
  std::map<void *, std::unique_ptr<Module>> modules;
  void *primary = nullptr;
  unsigned primaryUses = 0;

private:
  Driver();
  static void writeCounts();
  void runLaunch(const Launch &launch, uint64_t number);

  struct Count {
    uint64_t launches = 0, instructions = 0, bytesRead = 0;
  };

  std::deque<std::function<void()>> work;
  std::map<std::string, Count> counts;
  uint64_t allocations = 0, launches = 0;
};

/// The contexts of this thread, the current one last.
std::vector<void *> &getContexts();

/// Runs what a function of the driver does, with the lock: needs cuInit before.
template <typename F> int call(F function) {
  Driver &driver = Driver::get();
  std::lock_guard lock(driver.mutex);
  return static_cast<int>(driver.isInitialized ? function(driver) : Status::NotInitialized);
}

/// The same for what needs a current context, one without an error.
template <typename F> int callInContext(F function) {
  return call([&](Driver &driver) {
    if (getContexts().empty() || !driver.contexts.contains(getContexts().back()))
      return Status::InvalidContext;
    return driver.pending != Status::Success ? driver.pending : function(driver);
  });
}

} // namespace quern::ptx

#endif // QUERN_TEST_PTX_DRIVER_DRIVER_H
