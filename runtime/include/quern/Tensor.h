//===- Tensor.h - dense values that go into and come out of a program -------------------------===//

#ifndef QUERN_TENSOR_H
#define QUERN_TENSOR_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace quern::runtime {

/// Element types of a program's operands. A value of the description's type `position` is I32 with a last axis of 2.
enum class DType { F32, I32 };

/// Bytes of one element.
constexpr size_t getElementSize(DType) { return 4; }

/// `f32` or `i32`.
const char *toString(DType dtype);

/// Sizes outermost first, as `[2, 3]`.
std::string formatShape(std::span<const int64_t> shape);

/// A dense row-major array that somebody else owns. `data` is aligned to QUERN_ALIGNMENT (a Tensor's is).
template <typename Pointer> struct BasicTensorView {
  DType dtype = DType::F32;
  std::span<const int64_t> shape;
  Pointer data = nullptr;
};
using TensorView = BasicTensorView<const void *>;
using MutableTensorView = BasicTensorView<void *>;

/// A dense row-major array and its memory, which begins at zero and is aligned to QUERN_ALIGNMENT.
class Tensor {
public:
  Tensor() = default;
  /// All sizes are at least 0 and their product times the element's size fits into memory.
  Tensor(DType dtype, std::vector<int64_t> shape);

  DType getDType() const { return dtype; }
  std::span<const int64_t> getShape() const { return shape; }
  int64_t getElementCount() const { return count; }
  size_t getByteCount() const { return static_cast<size_t>(count) * getElementSize(dtype); }

  /// The elements as `T`, which must be the C++ type of the dtype: float or int32_t.
  template <typename T> std::span<T> get() { return {static_cast<T *>(memory.get()), static_cast<size_t>(count)}; }
  template <typename T> std::span<const T> get() const {
    return {static_cast<const T *>(memory.get()), static_cast<size_t>(count)};
  }

  TensorView view() const { return {dtype, shape, memory.get()}; }
  MutableTensorView mutableView() { return {dtype, shape, memory.get()}; }

private:
  struct Release {
    void operator()(void *pointer) const;
  };
  DType dtype = DType::F32;
  std::vector<int64_t> shape;
  int64_t count = 0;
  std::unique_ptr<void, Release> memory;
};

} // namespace quern::runtime

#endif // QUERN_TENSOR_H
