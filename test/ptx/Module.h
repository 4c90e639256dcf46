//===- Module.h - a loaded module --------------------------------------------------------------===//

#ifndef QUERN_TEST_PTX_MODULE_H
#define QUERN_TEST_PTX_MODULE_H

#include "test/ptx/Kernel.h"
#include "test/ptx/Status.h"

#include <map>
#include <memory>
#include <string>

namespace quern::ptx {

class Memory;

/// A module's kernels, and its variables in the memory of the device.
struct Module {
  struct Global {
    uint64_t address = 0, bytes = 0;
  };

  /// What a module is loaded for: a device of a capability (80 for 8.0) that keeps some bytes of shared memory, and a
  /// driver that knows PTX up to a version (70 for 7.0).
  struct Target {
    int capability = 0, version = 0;
    uint32_t reservedShared = 0;
  };

  /// Reads PTX text. On failure `status` and `message` say why.
  static std::unique_ptr<Module> load(const std::string &text, const Target &target, Memory &memory, Status &status,
                                      std::string &message);
  /// Gives the variables back.
  void unload(Memory &memory);

  std::map<std::string, Kernel, std::less<>> kernels;
  std::map<std::string, Global, std::less<>> globals;
};

} // namespace quern::ptx

#endif // QUERN_TEST_PTX_MODULE_H
