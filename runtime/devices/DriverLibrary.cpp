//===- DriverLibrary.cpp - the shared libraries by which devices are reached ------------------===//

#include "runtime/devices/DriverLibrary.h"

#include <cstdlib>
#include <dlfcn.h>

namespace quern::runtime {

Result<DriverLibrary> DriverLibrary::open(const char *file, const char *variable, const Words &words) {
  const char *asked = std::getenv(variable);
  std::string name = asked ? asked : file;
  if (void *handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL))
    return DriverLibrary(handle, name, words);
  return Error{std::string("no ") + words.api + ": `" + name + "` could not be opened (is " + words.hint +
               " installed?)"};
}

Result<void *> DriverLibrary::find(const char *symbol) const {
  if (void *function = dlsym(handle, symbol))
    return function;
  return Error{std::string("no ") + words.api + ": `" + file + "` has no function `" + symbol + "`, expected " +
               words.expected + " or newer"};
}

} // namespace quern::runtime
