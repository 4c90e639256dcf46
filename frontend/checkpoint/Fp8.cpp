//===- Fp8.cpp - FP8 weights with a scale per block -----------------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/Fp8.h"

#include "frontend/checkpoint/ComputedRows.h"

#include "dialect/Floats.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <cstring>

using namespace llvm;
using namespace quern;
using namespace quern::frontend;

namespace {

/// A tensor of one of the files.
struct Place {
  const MappedFile *file;
  const StoredTensor *tensor;

  ArrayRef<uint8_t> bytes() const { return file->bytes().slice(tensor->offset, tensor->bytes); }
  /// "`FILE`: tensor `NAME`: ", for messages.
  std::string label() const { return ("`" + file->path() + "`: tensor " + inBackticks(tensor->name) + ": ").str(); }
};

/// Rows of FP8 numbers times the scales of their blocks.
class Fp8Rows final : public ComputedRows {
public:
  Fp8Rows(const Place &weight, const Place &scales, const Fp8Format &format)
      : numbers(weight.bytes()), scales(scales.bytes()), scaleType(scales.tensor->type), format(format),
        rows(weight.tensor->shape[weight.tensor->shape.size() - 2]), columns(weight.tensor->shape.back()),
        linesPerRow(weight.tensor->shape.size() == 2 ? 1 : rows) {}

  void compute(int64_t group, MutableArrayRef<uint8_t> bytes) const override {
    size_t lineBytes = columns * getTraits(format.result).unitBytes;
    for (int64_t i = 0; i < linesPerRow; ++i)
      computeLine(group * linesPerRow + i, bytes.slice(i * lineBytes, lineBytes));
  }

private:
  void computeLine(int64_t line, MutableArrayRef<uint8_t> bytes) const;

  ArrayRef<uint8_t> numbers, scales;
  StorageType scaleType;
  Fp8Format format;
  /// Of one matrix, of which a tensor of rank 3 has several; a line is a row of one.
  int64_t rows, columns, linesPerRow;
};

} // namespace

void Fp8Rows::computeLine(int64_t line, MutableArrayRef<uint8_t> bytes) const {
  int64_t blocks = divideCeil(columns, format.blockColumns), scaleBytes = getTraits(scaleType).unitBytes;
  int64_t scaleLine = line / rows * divideCeil(rows, format.blockRows) + line % rows / format.blockRows;
  float buffer[128];
  for (int64_t block = 0; block < blocks; ++block) {
    float scale;
    decodeNumbers(scaleType, scales.slice((scaleLine * blocks + block) * scaleBytes, scaleBytes), scale);
    int64_t end = std::min(columns, (block + 1) * format.blockColumns), count;
    for (int64_t column = block * format.blockColumns; column < end; column += count) {
      count = std::min<int64_t>(end - column, std::size(buffer));
      MutableArrayRef<float> values(buffer, count);
      decodeNumbers(StorageType::F8_E4M3, numbers.slice(line * columns + column, count), values);
      for (auto [i, value] : enumerate(values)) {
        if (format.result == StorageType::BF16)
          support::endian::write16le(&bytes[(column + i) * 2], floatToBfloat(value * scale));
        else
          support::endian::write32le(&bytes[(column + i) * 4], bit_cast<uint32_t>(value * scale));
      }
    }
  }
}

/// Refuses the value of `key`.
static Error refuseKey(const ModelConfig &config, StringRef key, const Twine &expected) {
  const ConfigValue *value = config.find(key);
  return refuse("`" + config.origin() + "`: `" + config.fileKey(key) + "` is " +
                (value ? value->describe() : "missing") + ", expected " + expected);
}

/// A block's extents, above 0.
static Error readBlockSize(const ModelConfig &config, Fp8Format &format) {
  static constexpr StringLiteral key = "quantization_config.weight_block_size";
  const ConfigValue *size = config.find(key);
  if (!size)
    return Error::success();
  const ConfigValue::List *list = size->asList();
  auto isExtent = [](const ConfigValue &value) { return value.asInt() && *value.asInt() > 0; };
  if (!list || list->size() != 2 || !llvm::all_of(*list, isExtent))
    return refuseKey(config, key, "two integers above 0, the rows and columns of a block");
  format.blockRows = *list->front().asInt();
  format.blockColumns = *list->back().asInt();
  return Error::success();
}

Expected<Fp8Format> quern::frontend::readFp8Format(const ModelConfig &config) {
  Fp8Format format;
  auto isText = [&](StringRef key, StringRef text) {
    const ConfigValue *value = config.find(key);
    return value && value->asString() && *value->asString() == text;
  };
  if (isText("dtype", "bfloat16"))
    format.result = StorageType::BF16;
  if (!config.find("quantization_config"))
    return format;
  static constexpr std::pair<StringLiteral, StringLiteral> settings[] = {
      {"quantization_config.quant_method", "fp8"},
      {"quantization_config.activation_scheme", "dynamic"},
      {"quantization_config.fmt", "e4m3"},
  };
  for (auto [key, text] : settings) {
    bool mayLack = text != "fp8";
    if (!isText(key, text) && !(mayLack && !config.find(key)))
      return refuseKey(config, key, "\"" + text + "\"");
  }
  if (Error error = readBlockSize(config, format))
    return error;
  return format;
}

/// The extents that the scales of a tensor of `shape` have.
static SmallVector<int64_t, 4> scaleShape(ArrayRef<int64_t> shape, const Fp8Format &format) {
  SmallVector<int64_t, 4> result(shape);
  result[result.size() - 2] = divideCeil(result[result.size() - 2], format.blockRows);
  result.back() = divideCeil(result.back(), format.blockColumns);
  return result;
}

/// Refuses scales of which one is no number.
static Error checkNumbers(const Place &scales) {
  int64_t width = getTraits(scales.tensor->type).unitBytes, columns = scales.tensor->shape.back();
  ArrayRef<uint8_t> bytes = scales.bytes();
  for (int64_t i = 0; i < int64_t(bytes.size()) / width; ++i) {
    float scale;
    decodeNumbers(scales.tensor->type, bytes.slice(i * width, width), scale);
    if (!std::isfinite(scale))
      return refuse(scales.label() + "found " + (std::isnan(scale) ? "a NaN" : "an infinity") + " at row " +
                    Twine(i / columns) + ", column " + Twine(i % columns) + "; expected numbers");
  }
  return Error::success();
}

/// Refuses FP8 numbers that `scales`, null if there are none, cannot belong to.
static Error checkScales(const Place &weight, const Place *scales, const Fp8Format &format) {
  ArrayRef<int64_t> shape = weight.tensor->shape;
  if (shape.size() != 2 && shape.size() != 3)
    return refuse(weight.label() + "found F8_E4M3 of shape " + printShape(shape) + ", expected 2 or 3 dimensions");
  std::string expected = printShape(scaleShape(shape, format)) + ", one for each block of " +
                         Twine(format.blockRows).str() + " rows and " + Twine(format.blockColumns).str() + " columns";
  if (!scales)
    return refuse(weight.label() + "found F8_E4M3 without " + inBackticks(weight.tensor->name + fp8ScaleSuffix.str()) +
                  ", expected F32 scales of shape " + expected);
  // Scales with scales of their own are no scales.
  StorageType type = scales->tensor->computed ? StorageType::F8_E4M3 : scales->tensor->type;
  if (type != StorageType::F32 && type != StorageType::BF16)
    return refuse(scales->label() + "found " + getTraits(type).name + ", expected F32 or BF16, the scales of " +
                  inBackticks(weight.tensor->name));
  if (ArrayRef(scales->tensor->shape) != ArrayRef(scaleShape(shape, format)))
    return refuse(scales->label() + "found shape " + printShape(scales->tensor->shape) + ", expected " + expected +
                  " of " + inBackticks(weight.tensor->name) + ", " + printShape(shape));
  return checkNumbers(*scales);
}

Error quern::frontend::scaleFp8(std::vector<MountedFile> &files, const Fp8Format &format) {
  StringMap<Place> scales;
  for (const MountedFile &file : files)
    for (const StoredTensor &tensor : file.tensors)
      if (StringRef(tensor.name).ends_with(fp8ScaleSuffix))
        scales[tensor.name] = {file.file.get(), &tensor};
  StringSet<> used;
  for (MountedFile &file : files)
    for (StoredTensor &tensor : file.tensors) {
      if (tensor.type != StorageType::F8_E4M3)
        continue;
      Place weight{file.file.get(), &tensor};
      auto found = scales.find(tensor.name + fp8ScaleSuffix.str());
      if (Error error = checkScales(weight, found == scales.end() ? nullptr : &found->second, format))
        return error;
      tensor.computed = std::make_shared<Fp8Rows>(weight, found->second, format);
      tensor.type = format.result;
      used.insert(found->first());
    }
  for (MountedFile &file : files)
    llvm::erase_if(file.tensors, [&](const StoredTensor &tensor) { return used.contains(tensor.name); });
  return Error::success();
}
