//===- Convert.h - numbers into the elements of tensors ---------------------------------------===//

#ifndef QUERN_DIALECT_REFERENCE_CONVERT_H
#define QUERN_DIALECT_REFERENCE_CONVERT_H

#include "dialect/Tensor.h"

namespace quern {

/// `value` towards zero as an i32, at its limits where it lies outside; 0 for a NaN.
int32_t truncateToInt(float value);

/// Writes the elements from `index` on of a tensor of f32, f16 or bf16, each rounded to nearest even.
void storeFloats(Tensor &tensor, int64_t index, llvm::ArrayRef<float> values);
inline void storeFloat(Tensor &tensor, int64_t index, float value) { storeFloats(tensor, index, value); }

/// Writes element `index` of a tensor of i32 or i1.
void storeInteger(Tensor &tensor, int64_t index, int64_t value);

} // namespace quern

#endif // QUERN_DIALECT_REFERENCE_CONVERT_H
