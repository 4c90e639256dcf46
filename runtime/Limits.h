//===- Limits.h - what this machine can do at most ---------------------------------------------===//

#ifndef QUERN_RUNTIME_LIMITS_H
#define QUERN_RUNTIME_LIMITS_H

#include "quern/Runtime.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quern::runtime {

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

/// Measures arithmetic that this processor has instructions for (multiply-add of f32, dot products of bytes and of
/// bf16; a product and a sum are two operations), then reading from each cache and from memory. Takes a few seconds.
std::vector<Limit> measureLimits(unsigned threads);

/// The kind of arithmetic that a description calls `name`: `f32`, `i8` or `bf16`.
std::optional<Arithmetic> findArithmetic(std::string_view name);
const char *toString(Arithmetic arithmetic);

/// The limits that a kernel on all threads meets (Williams, Waterman and Patterson 2009). A limit that this machine
/// does not have, or that could not be measured, is 0.
struct Roofline {
  /// Reading from memory in huge pages, in bytes per nanosecond, that is in thousand millions per second.
  double bandwidth = 0;
  /// Operations per nanosecond, for each Arithmetic. Where there are no instructions for a kind, those of f32 do it.
  std::array<double, 3> peaks{};

  /// The nanoseconds that moving `bytes` takes at least.
  double getMemoryTime(double bytes) const { return bandwidth > 0 ? bytes / bandwidth : 0; }
  /// The nanoseconds that `operations` take at least.
  double getComputeTime(Arithmetic arithmetic, double operations) const;
  /// The nanoseconds that both take at least at once.
  double getTime(Arithmetic arithmetic, double bytes, double operations) const;
};

/// Measures those limits with `threads` threads. Takes about half a second.
Roofline measureRoofline(unsigned threads);

/// `2 threads: 41.2 GB/s from memory; 226 GOP/s in f32, 903 in i8, 452 in bf16`
std::string describeRoofline(const Roofline &roofline, unsigned threads);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LIMITS_H
