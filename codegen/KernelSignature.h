//===- KernelSignature.h - the native function that a kernel becomes --------------------------===//

#ifndef QUERN_CODEGEN_KERNELSIGNATURE_H
#define QUERN_CODEGEN_KERNELSIGNATURE_H

#include "dialect/Ops.h"
#include "dialect/Shapes.h"

namespace quern::codegen {

/// One dimension of a native buffer. A stride counts elements: `stride` times the sizes of `inner`, the symbols of the
/// dimensions within.
struct BufferDim {
  Dim extent;
  int64_t stride;
  llvm::SmallVector<mlir::StringAttr, 2> inner = {};
  /// Whether there may be more than `extent` of them.
  bool isOpen = false;
};

/// The element type of a native buffer, in Halide's codes: 0 int, 1 uint, 2 float, 4 bfloat.
struct BufferElement {
  uint8_t code;
  uint8_t bits;
};

/// One argument of a kernel's native function.
struct NativeArgument {
  enum class Kind {
    Buffer,  ///< a halide_buffer_t *
    Visible, ///< an i32, how many cache rows the token that sees most of them sees; follows each buffer of positions
    First,   ///< an i32, the first cache row of all tokens if they are consecutive rows, else -1; follows `Visible`
    Pages,   ///< a halide_buffer_t * of i32, which page of paged caches holds which rows; behind the inputs
  };
  Kind kind = Kind::Buffer;
  /// Which operand of the launch it views: its inputs, then its outputs.
  unsigned operand = 0;
  /// Where the view begins within the operand's memory.
  int64_t byteOffset = 0;
  BufferElement element = {0, 0};
  /// Innermost first, as Halide counts them.
  llvm::SmallVector<BufferDim> dims;
  /// Whether it is an output; these come last, one view each.
  bool isOutput = false;

  /// Whether it is an i32, not a buffer.
  bool isScalar() const { return kind == Kind::Visible || kind == Kind::First; }
};

/// The arguments of `kernel`'s native function, in order. A packed weight is seen by two or three buffers (quants,
/// scales, mins); an argument that is written in place is an output. On a device quants are seen four at a time, as
/// words.
mlir::FailureOr<llvm::SmallVector<NativeArgument>> getSignature(KernelOp kernel, bool isOnDevice);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_KERNELSIGNATURE_H
