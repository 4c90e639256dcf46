//===- Devices.cpp - the devices by their names -----------------------------------------------===//

#include "runtime/devices/Cuda.h"
#include "runtime/devices/OpenCl.h"

namespace quern::runtime {

std::vector<std::string_view> listDefaultDevices() {
  std::vector<std::string_view> words;
#define QUERN_DEVICE(word, Class, byDefault)                                                                           \
  if (byDefault)                                                                                                       \
    words.push_back(word);
#include "runtime/devices/Devices.def"
  words.push_back("cpu");
  return words;
}

Result<std::unique_ptr<Device>> createDevice(std::string_view name) {
  if (name == "cpu")
    return createCpu();
#define QUERN_DEVICE(word, Class, byDefault)                                                                           \
  if (name == word) {                                                                                                  \
    Result<std::unique_ptr<Class>> made = Class::create();                                                             \
    if (!made)                                                                                                         \
      return made.error();                                                                                             \
    return std::unique_ptr<Device>(std::move(*made));                                                                  \
  }
#include "runtime/devices/Devices.def"
  return Error{"this runtime has no device `" + std::string(name) + "`"};
}

} // namespace quern::runtime
