//===- DriverLibrary.h - the shared libraries by which devices are reached --------------------===//

#ifndef QUERN_RUNTIME_DEVICES_DRIVERLIBRARY_H
#define QUERN_RUNTIME_DEVICES_DRIVERLIBRARY_H

#include "runtime/include/quern/Result.h"

namespace quern::runtime {

/// A shared library that a driver installs; once open it stays so.
class DriverLibrary {
public:
  /// What messages say of it: the API, who installs it, and what has all its functions.
  struct Words {
    const char *api, *hint, *expected;
  };

  /// Opens `file`, or the one that the environment's `variable` names.
  static Result<DriverLibrary> open(const char *file, const char *variable, const Words &words);
  /// Its function `symbol`.
  Result<void *> find(const char *symbol) const;

private:
  DriverLibrary(void *handle, std::string file, const Words &words)
      : handle(handle), file(std::move(file)), words(words) {}

  void *handle;
  std::string file;
  Words words;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_DEVICES_DRIVERLIBRARY_H
