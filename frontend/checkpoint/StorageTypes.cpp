//===- StorageTypes.cpp - Number formats of stored tensors ----------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/StorageTypes.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"

#include <array>
#include <bit>
#include <cassert>

using namespace llvm;
using namespace quern;
using namespace quern::frontend;

static constexpr int64_t blockElements[] = {
#define QUERN_BLOCK_FORMAT(Name, keyword, elements, bytes, group, zero, hasMins) elements,
#include "dialect/BlockFormats.def"
};

static constexpr int64_t blockBytes[] = {
#define QUERN_BLOCK_FORMAT(Name, keyword, elements, bytes, group, zero, hasMins) bytes,
#include "dialect/BlockFormats.def"
};

static constexpr StorageTraits traitsTable[] = {
#define QUERN_STORAGE_PLAIN(Name, bytes, safetensors, ggufId) {#Name, 1, bytes, safetensors, ggufId, std::nullopt},
#define QUERN_STORAGE_BLOCK(Name, ggufId)                                                                              \
  {#Name,                                                                                                              \
   blockElements[size_t(BlockFormat::Name)],                                                                           \
   blockBytes[size_t(BlockFormat::Name)],                                                                              \
   "",                                                                                                                 \
   ggufId,                                                                                                             \
   BlockFormat::Name},
#include "frontend/checkpoint/StorageTypes.def"
};

const StorageTraits &quern::frontend::getTraits(StorageType type) { return traitsTable[static_cast<size_t>(type)]; }

std::optional<StorageType> quern::frontend::storageFromSafetensors(StringRef dtype) {
  for (size_t i = 0; i < std::size(traitsTable); ++i)
    if (!dtype.empty() && traitsTable[i].safetensorsName == dtype)
      return static_cast<StorageType>(i);
  return std::nullopt;
}

std::optional<StorageType> quern::frontend::storageFromGguf(uint32_t id) {
  for (size_t i = 0; i < std::size(traitsTable); ++i)
    if (traitsTable[i].ggufId >= 0 && uint32_t(traitsTable[i].ggufId) == id)
      return static_cast<StorageType>(i);
  return std::nullopt;
}

std::string quern::frontend::describeGgufType(uint32_t id) {
  if (std::optional<StorageType> type = storageFromGguf(id))
    return ("`" + getTraits(*type).name + "`").str();
  switch (id) {
#define QUERN_GGUF_UNREAD(name, id)                                                                                    \
  case id:                                                                                                             \
    return "`" name "`";
#include "frontend/checkpoint/StorageTypes.def"
  default:
    return "number " + utostr(id);
  }
}

template <typename Predicate> static std::string listTypes(Predicate wanted) {
  std::string list;
  for (const StorageTraits &traits : traitsTable)
    if (wanted(traits))
      list += (list.empty() ? "`" : ", `") + traits.name.str() + "`";
  return list;
}

std::string quern::frontend::listGgufTypes() {
  return listTypes([](const StorageTraits &traits) { return traits.ggufId >= 0; });
}

std::string quern::frontend::listSafetensorsTypes() {
  return listTypes([](const StorageTraits &traits) { return !traits.safetensorsName.empty(); });
}

bool quern::frontend::isFloating(StorageType type) {
  switch (type) {
  case StorageType::F32:
  case StorageType::F16:
  case StorageType::BF16:
  case StorageType::F64:
  case StorageType::F8_E4M3:
    return true;
  default:
    return getTraits(type).block.has_value();
  }
}

/// Bits of e4m3fn to f32, exact: 4 bits of exponent of bias 7, no infinities, and
/// NaN where all bits but the sign are set.
static constexpr float e4m3ToFloat(uint8_t bits) {
  uint32_t sign = uint32_t(bits & 0x80) << 24, magnitude = bits & 0x7f;
  if (magnitude == 0x7f)
    return std::bit_cast<float>(sign | 0x7fc00000);
  if (magnitude < 8) // of 2^-9 each
    return (sign ? -0x1p-9f : 0x1p-9f) * float(magnitude);
  return std::bit_cast<float>(sign | ((magnitude << 20) + (120u << 23)));
}

static constexpr auto e4m3Values = [] {
  std::array<float, 256> values{};
  for (int bits = 0; bits < 256; ++bits)
    values[bits] = e4m3ToFloat(bits);
  return values;
}();

template <typename Decode>
static void decodePlain(size_t width, ArrayRef<uint8_t> bytes, MutableArrayRef<float> numbers, Decode decode) {
  for (size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = decode(bytes.data() + i * width);
}

void quern::frontend::decodeNumbers(StorageType type, ArrayRef<uint8_t> bytes, MutableArrayRef<float> numbers) {
  using namespace support::endian;
  assert(isFloating(type) && "only numbers with fractions are decoded");
  const StorageTraits &traits = getTraits(type);
  assert(int64_t(numbers.size()) % traits.unitElements == 0 && "whole units");
  assert(int64_t(bytes.size()) == int64_t(numbers.size()) / traits.unitElements * traits.unitBytes &&
         "as many bytes as the numbers take");
  if (traits.block)
    return dequantizeRow(*traits.block, bytes, numbers);
  if (type == StorageType::F32)
    return decodePlain(4, bytes, numbers, [](const uint8_t *at) { return bit_cast<float>(read32le(at)); });
  if (type == StorageType::F16)
    return decodePlain(2, bytes, numbers, [](const uint8_t *at) { return halfToFloat(read16le(at)); });
  if (type == StorageType::BF16)
    return decodePlain(2, bytes, numbers, [](const uint8_t *at) { return bfloatToFloat(read16le(at)); });
  if (type == StorageType::F8_E4M3)
    return decodePlain(1, bytes, numbers, [](const uint8_t *at) { return e4m3Values[*at]; });
  decodePlain(8, bytes, numbers, [](const uint8_t *at) { return float(bit_cast<double>(read64le(at))); });
}
