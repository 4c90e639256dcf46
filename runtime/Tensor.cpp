//===- Tensor.cpp - dense values --------------------------------------------------------------===//

#include "quern/Tensor.h"

#include "quern/Format.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace quern::runtime {

const char *toString(DType dtype) { return dtype == DType::F32 ? "f32" : "i32"; }

std::string formatShape(std::span<const int64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += i ? ", " : "";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

void Tensor::Release::operator()(void *pointer) const { std::free(pointer); }

Tensor::Tensor(DType dtype, std::vector<int64_t> sizes) : dtype(dtype), shape(std::move(sizes)) {
  // Sizes beside a zero may be of any magnitude.
  bool isEmpty = std::find(shape.begin(), shape.end(), 0) != shape.end();
  count = isEmpty ? 0 : 1;
  for (size_t i = 0; i < shape.size() && !isEmpty; ++i)
    count *= shape[i];
  // aligned_alloc wants a multiple of the alignment, and a tensor without elements still has an address.
  size_t bytes = (getByteCount() / QUERN_ALIGNMENT + 1) * QUERN_ALIGNMENT;
  memory.reset(std::aligned_alloc(QUERN_ALIGNMENT, bytes));
  if (!memory)
    std::abort();
  std::memset(memory.get(), 0, bytes);
}

} // namespace quern::runtime
