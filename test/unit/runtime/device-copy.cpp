/// Elements that lie apart, moved within a device's memory as within the processor's.

#include "Check.h"
#include "runtime/devices/Device.h"

#include <string>
#include <vector>

using namespace quern::runtime;
using quern::test::Checks;

/// What a device has in `bytes` of memory after `elements` were copied from byte `from` on to byte `to`.
static Result<std::vector<uint8_t>> copyOn(Device &device, uint64_t bytes, uint64_t to, uint64_t from,
                                           const SpreadElements &elements) {
  std::vector<uint8_t> values(bytes);
  for (size_t i = 0; i < bytes; ++i)
    values[i] = static_cast<uint8_t>(i * 7 + i / 256);
  Result<DeviceMemory> memory = DeviceMemory::allocate(device, bytes, Device::Use::Whole, "a test");
  if (!memory)
    return memory.error();
  Result<void> done = device.write(memory->data(), values.data(), bytes);
  if (done)
    done = device.copy(memory->data() + to, memory->data() + from, elements);
  if (done)
    done = device.read(values.data(), memory->data(), bytes);
  if (done)
    done = device.finish();
  return done ? Result(values) : done.error();
}

int main(int argc, char **argv) {
  Checks checks;
  std::unique_ptr<Device> cpu = createCpu();
  for (int i = 1; i < argc; ++i) {
    Result<std::unique_ptr<Device>> device = createDevice(argv[i]);
    checks.that(bool(device));
    if (!device)
      continue;
    for (SpreadElements elements : {SpreadElements{2, 1, 1, 0, 2}, SpreadElements{2, 3, 50, 2048, 32},
                                    SpreadElements{4, 8, 33, 1024, 4}, SpreadElements{4, 2, 1, 16, 4}}) {
      Result<std::vector<uint8_t>> expected = copyOn(*cpu, 1 << 14, 8, 260, elements);
      Result<std::vector<uint8_t>> found = copyOn(**device, 1 << 14, 8, 260, elements);
      checks.that(expected && found);
      if (expected && found)
        checks.that(*expected == *found);
    }
  }
  // The processor's, by hand.
  Result<std::vector<uint8_t>> found = copyOn(*cpu, 64, 0, 32, {2, 2, 2, 16, 4});
  checks.that(bool(found));
  for (size_t place = 0; found && place < 64; ++place) {
    bool isCopied = place < 32 && place % 16 < 8 && place % 4 < 2;
    checks.equal(int((*found)[place]), int(static_cast<uint8_t>((isCopied ? place + 32 : place) * 7)));
  }
  return checks.status();
}
