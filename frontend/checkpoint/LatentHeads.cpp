//===- LatentHeads.cpp - Keys and values of DeepSeek's heads --------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/LatentHeads.h"

#include "frontend/checkpoint/ComputedRows.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Endian.h"

#include <cstring>

using namespace llvm;
using namespace quern::frontend;

static constexpr StringLiteral keysEnd = ".k_b_proj.weight", valuesEnd = ".v_b_proj.weight";

namespace {

/// The rows of a head's keys, then those of its values, for one head after the other.
class LatentRows final : public ComputedRows {
public:
  LatentRows(ArrayRef<uint8_t> bytes, const StoredTensor &keys, const StoredTensor &values, StorageType result)
      : keys(bytes.slice(keys.offset, keys.bytes)), values(bytes.slice(values.offset, values.bytes)),
        keyType(keys.type), valueType(values.type), result(result), heads(keys.shape[0]), rank(keys.shape[1]),
        keyRows(keys.shape[2]), valueRows(values.shape[1]) {}

  int64_t groupRows() const override { return keyRows + valueRows; }

  void compute(int64_t head, MutableArrayRef<uint8_t> bytes) const override {
    int64_t width = getTraits(result).unitBytes;
    std::vector<uint8_t> stored = read(keys, keyType, head);
    for (int64_t i = 0; i < rank; ++i)
      for (int64_t j = 0; j < keyRows; ++j)
        std::memcpy(&bytes[(j * rank + i) * width], &stored[(i * keyRows + j) * width], width);
    std::vector<uint8_t> rest = read(values, valueType, head);
    llvm::copy(rest, bytes.drop_front(keyRows * rank * width).begin());
  }

private:
  /// One head's part of `tensor` in the type of the result.
  std::vector<uint8_t> read(ArrayRef<uint8_t> tensor, StorageType type, int64_t head) const;

  ArrayRef<uint8_t> keys, values;
  StorageType keyType, valueType, result;
  int64_t heads, rank, keyRows, valueRows;
};

} // namespace

std::vector<uint8_t> LatentRows::read(ArrayRef<uint8_t> tensor, StorageType type, int64_t head) const {
  ArrayRef<uint8_t> part = tensor.slice(tensor.size() / heads * head, tensor.size() / heads);
  if (type == result)
    return part.vec();
  const StorageTraits &traits = getTraits(type);
  std::vector<float> numbers(part.size() / traits.unitBytes * traits.unitElements);
  decodeNumbers(type, part, numbers);
  std::vector<uint8_t> bytes(numbers.size() * 4);
  for (auto [i, number] : enumerate(numbers))
    support::endian::write32le(&bytes[i * 4], bit_cast<uint32_t>(number));
  return bytes;
}

/// Refuses parts that do not belong together.
static Error checkPair(StringRef file, const StoredTensor &keys, const StoredTensor *values) {
  std::string label = ("`" + file + "`: tensor " + inBackticks(keys.name) + ": ").str();
  if (!values)
    return refuse(label + "found no " +
                  inBackticks(StringRef(keys.name).drop_back(keysEnd.size()).str() + valuesEnd.str()) +
                  " beside it, expected both");
  ArrayRef<int64_t> k = keys.shape, v = values->shape;
  if (k.size() != 3 || v.size() != 3 || k[0] != v[0] || k[1] != v[2])
    return refuse(label + "found shape " + printShape(k) + " and, of " + inBackticks(values->name) + ", " +
                  printShape(v) + ", expected [heads, rank, n] and [heads, m, rank]");
  for (StorageType type : {keys.type, values->type})
    if (!isFloating(type))
      return refuse(label + "found " + getTraits(type).name + ", expected floats or quantised blocks");
  return Error::success();
}

Error quern::frontend::joinLatentHeads(MountedFile &file) {
  StringMap<const StoredTensor *> values;
  for (const StoredTensor &tensor : file.tensors)
    if (StringRef name = tensor.name; name.consume_back(valuesEnd))
      values[name] = &tensor;
  std::vector<StoredTensor> result;
  for (const StoredTensor &tensor : file.tensors) {
    StringRef name = tensor.name;
    if (!name.consume_back(keysEnd))
      continue;
    const StoredTensor *other = values.lookup(name);
    if (Error error = checkPair(file.file->path(), tensor, other))
      return error;
    bool isPlain = tensor.type == other->type && !getTraits(tensor.type).block && tensor.type != StorageType::F64;
    StoredTensor joined = tensor;
    joined.name = (name + ".kv_b_proj.weight").str();
    joined.type = isPlain ? tensor.type : StorageType::F32;
    joined.shape = {tensor.shape[0] * (tensor.shape[2] + other->shape[1]), tensor.shape[1]};
    joined.computed = std::make_shared<LatentRows>(file.file->bytes(), tensor, *other, joined.type);
    result.push_back(std::move(joined));
    values.erase(name);
  }
  if (!values.empty())
    return refuse("`" + file.file->path() + "`: tensor " + inBackticks(values.begin()->second->name) + ": found no " +
                  inBackticks(values.begin()->first().str() + keysEnd.str()) + " beside it, expected both");
  llvm::erase_if(file.tensors, [](const StoredTensor &tensor) {
    return StringRef(tensor.name).ends_with(keysEnd) || StringRef(tensor.name).ends_with(valuesEnd);
  });
  llvm::append_range(file.tensors, std::move(result));
  return Error::success();
}
