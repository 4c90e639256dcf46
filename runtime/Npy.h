//===- Npy.h - arrays in NumPy's file format ---------------------------------------------------===//

#ifndef QUERN_RUNTIME_NPY_H
#define QUERN_RUNTIME_NPY_H

#include "quern/Result.h"
#include "quern/Tensor.h"
#include "runtime/OutputFile.h"

namespace quern::runtime {

/// Reads an array of `<f4`, `<i4` or `<i8` in C order (format versions 1 to 3, NumPy Enhancement Proposal 1). Elements
/// of `<i8` must fit into i32, which they become. The file holds exactly the array.
Result<Tensor> readNpy(const std::string &path);

/// The same from the file's bytes; `name` names it in errors.
Result<Tensor> parseNpy(std::string_view bytes, const std::string &name);

/// The header of an array's file, format version 1; the elements follow.
std::string formatNpyHeader(DType dtype, std::span<const int64_t> shape);

/// Writes an array to `path`, which appears when it is complete.
Result<void> writeNpy(const std::string &path, const TensorView &value);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_NPY_H
