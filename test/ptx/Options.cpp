//===- Options.cpp - what the environment orders -----------------------------------------------===//

#include "test/ptx/Options.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace quern::ptx {

/// A whole number that is not negative; what is none leaves the default, and says so.
template <typename T> static void readNumber(const char *name, T &value) {
  const char *text = std::getenv(name);
  if (!text)
    return;
  char *end = nullptr;
  unsigned long long number = std::strtoull(text, &end, 10);
  if (end == text || *end != '\0')
    std::fprintf(stderr, "quern-ptx: `%s` is `%s`, expected a number\n", name, text);
  else
    value = static_cast<T>(number);
}

Options Options::read() {
  Options options;
  readNumber("QUERN_FAKE_CUDA_VERSION", options.version);
  readNumber("QUERN_FAKE_CUDA_DEVICES", options.devices);
  readNumber("QUERN_FAKE_CUDA_CAPABILITY", options.capability);
  readNumber("QUERN_FAKE_CUDA_MEMORY", options.memory);
  readNumber("QUERN_FAKE_CUDA_RESERVED_SHARED", options.reservedShared);
  options.reservedShared = std::min<uint32_t>((options.reservedShared + 127) / 128 * 128, 65536);
  readNumber("QUERN_FAKE_CUDA_FAIL_ALLOCATION", options.failAllocation);
  readNumber("QUERN_FAKE_CUDA_FAIL_LAUNCH", options.failLaunch);
  readNumber("QUERN_FAKE_CUDA_LIMIT", options.limit);
  readNumber("QUERN_FAKE_CUDA_THREADS", options.threads);
  readNumber("QUERN_FAKE_CUDA_LAZY", options.lazy);
  readNumber("CUDA_LAUNCH_BLOCKING", options.blocking);
  if (const char *file = std::getenv("QUERN_FAKE_CUDA_COUNTS"))
    options.counts = file;
  return options;
}

} // namespace quern::ptx
