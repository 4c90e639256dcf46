//===- FiniteCheck.cpp - Weights that are no numbers ------------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/FiniteCheck.h"

#include "frontend/checkpoint/StoredTensor.h"

#include "llvm/Support/Endian.h"

using namespace llvm;
using namespace quern;
using namespace quern::frontend;

namespace {

/// Where a row's floats lie: `count` of `width` bytes from byte `first` of each
/// unit of `stride` bytes on; all bits of `exponent` are set in infinities and
/// NaNs alone.
struct FloatPlaces {
  int64_t stride, first, count, width;
  uint64_t exponent;
};

} // namespace

/// Nothing for integers.
static std::optional<FloatPlaces> findFloats(StorageType type) {
  constexpr uint64_t half = 0x7c00;
  const StorageTraits &traits = getTraits(type);
  if (traits.block) {
    const BlockTraits &block = quern::getTraits(*traits.block);
    // Scale and minimum come first, but q6_k ends with its scale.
    int64_t first = *traits.block == BlockFormat::Q6_K ? block.bytes - 2 : 0;
    return FloatPlaces{block.bytes, first, block.hasMins ? 2 : 1, 2, half};
  }
  switch (type) {
  case StorageType::F64:
    return FloatPlaces{8, 0, 1, 8, 0x7ff0'0000'0000'0000};
  case StorageType::F32:
    return FloatPlaces{4, 0, 1, 4, 0x7f80'0000};
  case StorageType::F16:
    return FloatPlaces{2, 0, 1, 2, half};
  case StorageType::BF16:
    return FloatPlaces{2, 0, 1, 2, 0x7f80};
  default:
    return std::nullopt;
  }
}

/// Whether all floats of a row are finite. Looks at each, so that the loop over
/// those without gaps runs on vectors.
template <typename T> static bool areFinite(ArrayRef<uint8_t> row, const FloatPlaces &places) {
  T exponent = places.exponent, found = 0;
  auto look = [&](size_t at) {
    found |= (support::endian::read<T, endianness::little>(row.data() + at) & exponent) == exponent;
  };
  if (places.stride == sizeof(T))
    for (size_t at = 0; at < row.size(); at += sizeof(T))
      look(at);
  else
    for (size_t unit = places.first; unit < row.size(); unit += places.stride)
      for (int64_t i = 0; i < places.count; ++i)
        look(unit + i * sizeof(T));
  return !found;
}

static bool areFinite(ArrayRef<uint8_t> row, const FloatPlaces &places) {
  switch (places.width) {
  case 8:
    return areFinite<uint64_t>(row, places);
  case 4:
    return areFinite<uint32_t>(row, places);
  default:
    return areFinite<uint16_t>(row, places);
  }
}

static uint64_t readBits(ArrayRef<uint8_t> bytes) {
  uint64_t bits = 0;
  for (uint8_t byte : llvm::reverse(bytes))
    bits = bits << 8 | byte;
  return bits;
}

/// The unit with the first float of a row that is not finite, and whether that
/// is a NaN; nothing where there is none.
static std::optional<std::pair<int64_t, bool>> findNotFinite(ArrayRef<uint8_t> row, const FloatPlaces &places) {
  if (areFinite(row, places))
    return std::nullopt;
  for (int64_t unit = 0; unit < int64_t(row.size()) / places.stride; ++unit)
    for (int64_t i = 0; i < places.count; ++i) {
      int64_t at = unit * places.stride + places.first + i * places.width;
      uint64_t bits = readBits(row.slice(at, places.width));
      if ((bits & places.exponent) == places.exponent)
        return std::pair(unit, (bits & ((places.exponent & -places.exponent) - 1)) != 0);
    }
  return std::nullopt;
}

Error frontend::checkFinite(const Checkpoint &checkpoint, const TensorInfo &tensor) {
  std::optional<FloatPlaces> places = findFloats(tensor.type);
  if (!places)
    return Error::success();
  for (int64_t row = 0; row < tensor.rows(); ++row) {
    auto found = findNotFinite(checkpoint.row(tensor, row), *places);
    if (!found)
      continue;
    bool isBlock = getTraits(tensor.type).block.has_value();
    return refuse("`" + checkpoint.sourceFile(tensor) + "`: tensor " + inBackticks(tensor.name) + ": found " +
                  (found->second ? "a NaN" : "an infinity") + (isBlock ? " as a scale, at row " : " at row ") +
                  Twine(row) + (isBlock ? ", block " : ", column ") + Twine(found->first) + "; expected numbers");
  }
  return Error::success();
}
