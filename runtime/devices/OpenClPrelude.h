//===- OpenClPrelude.h - what stands before the text of kernels -------------------------------===//

#ifndef QUERN_RUNTIME_DEVICES_OPENCLPRELUDE_H
#define QUERN_RUNTIME_DEVICES_OPENCLPRELUDE_H

#include <string_view>

namespace quern::runtime {

/// The functions that kernels call: what Halide's text names and OpenCL calls otherwise, and those of
/// codegen/NarrowFloats.h. Core OpenCL converts f16 without computing with it.
inline constexpr std::string_view openClPrelude = R"(
#define halide_popcount popcount
#define halide_count_leading_zeros clz
#define halide_count_trailing_zeros ctz
int dp4a_u32_s32(uchar4 a, char4 b, int sum) {
  int4 products = convert_int4(a) * convert_int4(b);
  return sum + products.x + products.y + products.z + products.w;
}
float quern_half_to_float(ushort bits) {
  return vload_half(0, (const half *)&bits);
}
ushort quern_float_to_half(float value) {
  ushort bits;
  vstore_half_rte(value, 0, (half *)&bits);
  return bits;
}
)";

} // namespace quern::runtime

#endif // QUERN_RUNTIME_DEVICES_OPENCLPRELUDE_H
