//===- CopyKernels.h - the runtime's own kernels on devices -----------------------------------===//
//
// quern_copy_2 and quern_copy_4 (to, from, outer stride, inner stride, inner, count): thread i < count copies the
// element of 2 or 4 bytes at byte (i / inner) · outer stride + (i % inner) · inner stride.
//
//===------------------------------------------------------------------------------------------===//

#ifndef QUERN_RUNTIME_DEVICES_COPYKERNELS_H
#define QUERN_RUNTIME_DEVICES_COPYKERNELS_H

#include <string_view>

namespace quern::runtime {

#define QUERN_COPY_PTX(name, type, reg)                                                                                \
  ".visible .entry " name "(.param .u64 to, .param .u64 from, .param .u64 outer_stride, .param .u64 inner_stride, "    \
  ".param .u32 inner, .param .u32 count)\n"                                                                            \
  "{\n"                                                                                                                \
  "  .reg .pred %p<2>;\n"                                                                                              \
  "  .reg .b16 %h<2>;\n"                                                                                               \
  "  .reg .b32 %r<9>;\n"                                                                                               \
  "  .reg .b64 %d<11>;\n"                                                                                              \
  "  ld.param.u32 %r1, [inner];\n"                                                                                     \
  "  ld.param.u32 %r2, [count];\n"                                                                                     \
  "  mov.u32 %r3, %ctaid.x;\n"                                                                                         \
  "  mov.u32 %r4, %ntid.x;\n"                                                                                          \
  "  mov.u32 %r5, %tid.x;\n"                                                                                           \
  "  mad.lo.s32 %r5, %r3, %r4, %r5;\n"                                                                                 \
  "  setp.ge.u32 %p1, %r5, %r2;\n"                                                                                     \
  "  @%p1 bra DONE;\n"                                                                                                 \
  "  ld.param.u64 %d1, [to];\n"                                                                                        \
  "  ld.param.u64 %d2, [from];\n"                                                                                      \
  "  ld.param.u64 %d3, [outer_stride];\n"                                                                              \
  "  ld.param.u64 %d4, [inner_stride];\n"                                                                              \
  "  div.u32 %r6, %r5, %r1;\n"                                                                                         \
  "  rem.u32 %r7, %r5, %r1;\n"                                                                                         \
  "  cvt.u64.u32 %d5, %r6;\n"                                                                                          \
  "  cvt.u64.u32 %d6, %r7;\n"                                                                                          \
  "  mul.lo.s64 %d5, %d5, %d3;\n"                                                                                      \
  "  mad.lo.s64 %d5, %d6, %d4, %d5;\n"                                                                                 \
  "  cvta.to.global.u64 %d7, %d1;\n"                                                                                   \
  "  cvta.to.global.u64 %d8, %d2;\n"                                                                                   \
  "  add.s64 %d9, %d7, %d5;\n"                                                                                         \
  "  add.s64 %d10, %d8, %d5;\n"                                                                                        \
  "  ld.global." type " " reg ", [%d10];\n"                                                                            \
  "  st.global." type " [%d9], " reg ";\n"                                                                             \
  "DONE:\n"                                                                                                            \
  "  ret;\n"                                                                                                           \
  "}\n"

inline constexpr std::string_view cudaCopyKernels =
    ".version 7.0\n.target sm_80\n.address_size 64\n\n" QUERN_COPY_PTX("quern_copy_2", "u16", "%h1")
        QUERN_COPY_PTX("quern_copy_4", "u32", "%r8");

#undef QUERN_COPY_PTX

/// As all kernels of OpenCL they have the memory that a block shares behind their arguments.
#define QUERN_COPY_CL(name, type)                                                                                      \
  "__kernel void " name "(__global " type " *to, const __global " type " *from, const ulong outer_stride,\n"           \
  "                       const ulong inner_stride, const uint inner, const uint count, __local uchar *shared) {\n"    \
  "  const uint i = get_global_id(0);\n"                                                                               \
  "  if (i >= count)\n"                                                                                                \
  "    return;\n"                                                                                                      \
  "  const ulong at = (i / inner * outer_stride + i % inner * inner_stride) / sizeof(" type ");\n"                     \
  "  to[at] = from[at];\n"                                                                                             \
  "}\n"

inline constexpr std::string_view openClCopyKernels =
    QUERN_COPY_CL("quern_copy_2", "ushort") QUERN_COPY_CL("quern_copy_4", "uint");

#undef QUERN_COPY_CL

} // namespace quern::runtime

#endif // QUERN_RUNTIME_DEVICES_COPYKERNELS_H
