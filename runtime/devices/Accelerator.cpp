//===- Accelerator.cpp - devices with a memory and a queue of their own -----------------------===//

#include "runtime/devices/Accelerator.h"

#include "quern/Format.h"
#include "runtime/devices/HalideBuffer.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <mutex>
#include <utility>

namespace quern::runtime {

/// The modules of this process, whose numbers kernels keep.
static std::mutex modulesLock;
static std::vector<DeviceCode> modules;

static size_t alignImage(size_t bytes) {
  return (bytes + QUERN_MODULE_ALIGNMENT - 1) / QUERN_MODULE_ALIGNMENT * QUERN_MODULE_ALIGNMENT;
}

const void *DeviceCode::findImage(uint32_t capability) const {
  const void *best = nullptr;
  uint32_t bestCapability = 0;
  for (size_t at = 0; at < images.size();) {
    QuernModuleImage image;
    std::memcpy(&image, &images[at], sizeof(image));
    bool runs = image.capability <= capability && image.capability / 10 == capability / 10;
    if (runs && image.capability > bestCapability)
      best = &images[at + sizeof(image)], bestCapability = image.capability;
    at += alignImage(sizeof(image) + image.bytes);
  }
  return best;
}

size_t Accelerator::addModule(const char *text, size_t bytes) {
  size_t begin = std::min(alignImage(std::strlen(text) + 1), bytes);
  std::lock_guard<std::mutex> guard(modulesLock);
  modules.push_back({text, {reinterpret_cast<const uint8_t *>(text) + begin, bytes - begin}});
  return modules.size();
}

static DeviceCode getModule(size_t module) {
  std::lock_guard<std::mutex> guard(modulesLock);
  return modules[module - 1];
}

int Accelerator::fail(std::string message) {
  if (error.empty())
    error = std::string("the ") + kind + " device `" + name + "`: " + std::move(message);
  return 1;
}

Result<void> Accelerator::check(int64_t code, const char *what) {
  if (code != 0)
    fail(std::string(what) + " gave " + describeError(code));
  return error.empty() ? Result<void>() : Error{error};
}

Result<void *> Accelerator::allocate(uint64_t bytes, Use, const char *what) {
  void *memory = allocateMemory(std::max<uint64_t>(bytes, 1));
  if (!memory && !error.empty())
    return Error{error};
  if (!memory)
    return Error{std::string("the ") + kind + " device `" + name + "` could not give " + std::to_string(bytes) +
                 " bytes for " + what + "; " + describeMemory()};
  if (Result<void> done = clear(memory, bytes); !done)
    return done.error();
  return memory;
}

void Accelerator::release(void *memory) {
  (void)wait();
  freeMemory(memory);
}

Result<void> Accelerator::move(Move kind, void *to, const void *from, uint64_t bytes, const char *what) {
  return check(bytes ? move(kind, to, from, bytes) : 0, what);
}

Result<void> Accelerator::write(void *to, const void *from, uint64_t bytes) {
  return move(Move::ToDevice, to, from, bytes, "writing memory");
}

Result<void> Accelerator::read(void *to, const void *from, uint64_t bytes) {
  return move(Move::ToHost, to, from, bytes, "reading memory");
}

Result<void> Accelerator::copy(void *to, const void *from, uint64_t bytes) {
  return move(Move::Within, to, from, bytes, "copying memory");
}

Result<void> Accelerator::copy(void *to, const void *from, const SpreadElements &elements) {
  constexpr uint32_t blockThreads = 128;
  static constexpr char names[2][16] = {"quern_copy_2", "quern_copy_4"};
  uint32_t count = elements.outer * elements.inner, inner = elements.inner;
  uint64_t outerStride = elements.outerStride, innerStride = elements.innerStride;
  HalideBuffer target{}, source{};
  target.device = reinterpret_cast<uint64_t>(to);
  source.device = reinterpret_cast<uint64_t>(from);
  void *values[] = {&target, &source, &outerStride, &innerStride, &inner, &count};
  size_t sizes[] = {8, 8, sizeof(outerStride), sizeof(innerStride), sizeof(inner), sizeof(count), 0};
  constexpr int8_t areBuffers[] = {1, 1, 0, 0, 0, 0};
  launch({getCopyModule(),
          names[elements.bytes == 4],
          {(count + blockThreads - 1) / blockThreads, 1, 1},
          {blockThreads, 1, 1},
          0,
          sizes,
          values,
          areBuffers});
  return check(0, "copying elements");
}

Result<void> Accelerator::clear(void *memory, uint64_t bytes) {
  return check(bytes ? fill(memory, bytes) : 0, "clearing memory");
}

Result<void> Accelerator::finish() {
  Result<void> done = check(wait(), "waiting for kernels");
  error.clear();
  return done;
}

size_t Accelerator::mark() {
  if (marked == marks.size())
    marks.emplace_back();
  Mark &mark = marks[marked];
  mark.asked = getMonotonicTime();
  if (error.empty())
    mark.event = record(mark.event);
  return marked++;
}

Result<void> Accelerator::takeMarks(size_t first, std::vector<int64_t> &times) {
  size_t end = std::exchange(marked, first);
  times.clear();
  if (Result<void> done = finish(); !done)
    return done;
  for (size_t i = first; i < end; ++i) {
    int64_t nanoseconds = 0;
    if (i > first)
      if (Result<void> done = check(measure(marks[i - 1].event, marks[i].event, nanoseconds), "reading times"); !done)
        return done;
    times.push_back(i > first ? times.back() + nanoseconds : marks[i].asked);
  }
  return {};
}

void *Accelerator::takeScratch(uint64_t bytes) {
  auto power = static_cast<unsigned>(std::bit_width(std::max<uint64_t>(bytes, 512) - 1));
  if (!free[power].empty()) {
    void *memory = free[power].back();
    free[power].pop_back();
    return memory;
  }
  void *memory = allocateMemory(uint64_t{1} << power);
  if (memory)
    powers[memory] = power;
  else
    fail("a kernel needs " + std::to_string(bytes) + " bytes of memory, which could not be had; " + describeMemory());
  return memory;
}

// The queue is in order: what the next kernel writes there comes after what this one reads.
void Accelerator::giveScratch(void *memory) {
  if (auto found = powers.find(memory); found != powers.end())
    free[found->second].push_back(memory);
}

void Accelerator::freeAll() {
  for (auto &[key, kernel] : kernels)
    if (kernel)
      freeKernel(kernel);
  kernels.clear();
  for (void *module : loaded)
    if (module)
      freeModule(module);
  loaded.clear();
  for (auto &[memory, power] : powers)
    freeMemory(memory);
  powers.clear();
  for (const Mark &mark : marks)
    if (mark.event)
      freeEvent(mark.event);
  marks.clear();
}

/// A kernel of a module, which is loaded first; null with an error.
void *Accelerator::build(size_t module, const char *kernel) {
  if (loaded.size() < module)
    loaded.resize(module);
  void *&found = loaded[module - 1];
  if (!found)
    found = loadModule(getModule(module));
  return found ? findKernel(found, kernel) : nullptr;
}

int Accelerator::launch(const DeviceLaunch &launch) {
  if (!error.empty())
    return 1;
  // Nothing to do is an error to drivers.
  auto isEmpty = [](const size_t *sizes) { return std::find(sizes, sizes + 3, size_t(0)) != sizes + 3; };
  if (isEmpty(launch.blocks) || isEmpty(launch.threads))
    return 0;
  void *&kernel = kernels[{launch.module, launch.kernel}];
  if (!kernel)
    kernel = build(launch.module, launch.kernel);
  if (!kernel)
    return 1;
  int64_t code = start(kernel, launch);
  return code == 0 ? 0 : fail(std::string("launching `") + launch.kernel + "` gave " + describeError(code));
}

} // namespace quern::runtime
