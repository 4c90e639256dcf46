//===- Options.h - what the environment orders -------------------------------------------------===//

#ifndef QUERN_TEST_PTX_OPTIONS_H
#define QUERN_TEST_PTX_OPTIONS_H

#include <cstdint>
#include <string>

namespace quern::ptx {

/// The device that is played, and the faults of it; from variables of the environment, which README.md describes.
struct Options {
  /// QUERN_FAKE_CUDA_VERSION, _DEVICES, _CAPABILITY (80 for 8.0), _MEMORY.
  int version = 12080, devices = 1, capability = 90;
  uint64_t memory = uint64_t{8} << 30;
  /// QUERN_FAKE_CUDA_RESERVED_SHARED: bytes at the beginning of shared memory that are the system's.
  uint32_t reservedShared = 0;
  /// QUERN_FAKE_CUDA_FAIL_ALLOCATION, _FAIL_LAUNCH: the number of the one that fails, from 1; 0: none.
  uint64_t failAllocation = 0, failLaunch = 0;
  /// QUERN_FAKE_CUDA_LIMIT: instructions of a block.
  uint64_t limit = 20'000'000'000;
  /// QUERN_FAKE_CUDA_THREADS of the host.
  unsigned threads = 2;
  /// QUERN_FAKE_CUDA_LAZY: what is asynchronous happens when somebody waits for it.
  bool lazy = false;
  /// CUDA_LAUNCH_BLOCKING: a launch returns its own fault.
  bool blocking = false;
  /// QUERN_FAKE_CUDA_COUNTS: a file.
  std::string counts;

  static Options read();
};

} // namespace quern::ptx

#endif // QUERN_TEST_PTX_OPTIONS_H
