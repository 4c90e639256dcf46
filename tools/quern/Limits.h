//===- Limits.h - what this machine can do at most --------------------------------------------===//

#ifndef QUERN_TOOLS_QUERN_LIMITS_H
#define QUERN_TOOLS_QUERN_LIMITS_H

#include <cstdint>
#include <string>
#include <vector>

namespace quern::tool {

/// One limit, measured: the best of a few tries.
struct Limit {
  /// `f32 fma`, `L2 read`.
  std::string name;
  /// What memory lies in: `4 KiB`, `2 MiB`; empty for arithmetic.
  std::string pages;
  /// Thousand millions per second of this: `GFLOP/s`, `GOP/s`, `GB/s`.
  std::string unit;
  /// Bytes that each thread reads; 0 for arithmetic.
  uint64_t bytesPerThread = 0;
  /// With one thread and with all.
  double one = 0, all = 0;
};

/// Measures arithmetic that this processor has instructions for (multiply-add of f32, dot products of bytes and of bf16;
/// a product and a sum are two operations), then reading from each cache and from memory. Takes a few seconds.
std::vector<Limit> measureLimits(unsigned threads);

} // namespace quern::tool

#endif // QUERN_TOOLS_QUERN_LIMITS_H
