//===- Devices.cpp - the devices by their names -----------------------------------------------===//

#include "runtime/devices/Cuda.h"
#include "runtime/devices/OpenCl.h"

namespace quern::runtime {

Result<std::unique_ptr<Device>> createDevice(std::string_view name) {
#define QUERN_DEVICE(word, Class)                                                                                      \
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
