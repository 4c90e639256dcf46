//===- Cpu.cpp - the processor as a device ----------------------------------------------------===//

#include "runtime/Memory.h"
#include "runtime/devices/Device.h"

#include <cstring>
#include <map>
#include <sys/mman.h>

namespace quern::runtime {

namespace {

template <typename T> void copySpread(uint8_t *to, const uint8_t *from, const SpreadElements &elements) {
  for (uint32_t outer = 0; outer < elements.outer; ++outer)
    for (uint32_t inner = 0; inner < elements.inner; ++inner) {
      uint64_t place = outer * elements.outerStride + inner * elements.innerStride;
      std::memcpy(to + place, from + place, sizeof(T));
    }
}

class Cpu final : public Device {
public:
  bool isHost() const override { return true; }
  std::string getName() const override { return "this processor"; }

  Result<void *> allocate(uint64_t bytes, Use use, const char *what) override {
    auto pages = use == Use::Whole ? Mapping::Pages::Huge : Mapping::Pages::Small;
    Result<Mapping> mapping = Mapping::allocate(bytes, pages, what);
    if (!mapping)
      return mapping.error();
    void *address = mapping->data();
    mappings[address] = std::move(*mapping);
    return address;
  }
  void release(void *memory) override { mappings.erase(memory); }

  Result<void> write(void *to, const void *from, uint64_t bytes) override { return copy(to, from, bytes); }
  Result<void> read(void *to, const void *from, uint64_t bytes) override { return copy(to, from, bytes); }
  Result<void> copy(void *to, const void *from, uint64_t bytes) override {
    std::memcpy(to, from, bytes);
    return {};
  }
  Result<void> copy(void *to, const void *from, const SpreadElements &elements) override {
    auto copyAll = elements.bytes == 2 ? copySpread<uint16_t> : copySpread<uint32_t>;
    copyAll(static_cast<uint8_t *>(to), static_cast<const uint8_t *>(from), elements);
    return {};
  }
  Result<void> clear(void *memory, uint64_t bytes) override {
    // Private anonymous pages come back as zeros.
    madvise(memory, bytes, MADV_DONTNEED);
    return {};
  }
  Result<void> finish() override { return {}; }

  // What was asked for is done.
  size_t mark() override {
    marks.push_back(getMonotonicTime());
    return marks.size() - 1;
  }
  Result<void> takeMarks(size_t first, std::vector<int64_t> &times) override {
    auto begin = marks.begin() + static_cast<ptrdiff_t>(first);
    times.assign(begin, marks.end());
    marks.erase(begin, marks.end());
    return {};
  }

private:
  std::vector<int64_t> marks;
  std::map<void *, Mapping> mappings;
};

} // namespace

std::unique_ptr<Device> createCpu() { return std::make_unique<Cpu>(); }

} // namespace quern::runtime
