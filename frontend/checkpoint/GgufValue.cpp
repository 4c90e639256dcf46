//===- GgufValue.cpp - Metadata values of GGUF files ----------------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/Gguf.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"

#include <charconv>

using namespace llvm;
using namespace quern::frontend;
using namespace llvm::support::endian;

/// The integer of that type at `at`; none if it is no integer type or too big.
static std::optional<int64_t> integerAt(GgufType type, const uint8_t *at) {
  switch (type) {
  case GgufType::U8:
    return *at;
  case GgufType::I8:
    return int8_t(*at);
  case GgufType::U16:
    return read16le(at);
  case GgufType::I16:
    return int16_t(read16le(at));
  case GgufType::U32:
    return read32le(at);
  case GgufType::I32:
    return int32_t(read32le(at));
  case GgufType::U64:
    if (read64le(at) > uint64_t(INT64_MAX))
      return std::nullopt;
    return int64_t(read64le(at));
  case GgufType::I64:
    return int64_t(read64le(at));
  default:
    return std::nullopt;
  }
}

double quern::frontend::fromShortestDecimal(float value) {
  char text[64];
  std::to_chars_result written = std::to_chars(text, text + sizeof(text), value);
  double result = value;
  std::from_chars(text, written.ptr, result);
  return result;
}

static StringRef nameOf(GgufType type) {
  static constexpr StringLiteral names[] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                            "bool", "string", "array", "u64", "i64", "f64"};
  return names[static_cast<size_t>(type)];
}

static size_t widthOf(GgufType type) {
  static constexpr size_t widths[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return widths[static_cast<size_t>(type)];
}

std::optional<int64_t> GgufValue::asInt() const { return integerAt(type, payload.data()); }

std::optional<double> GgufValue::numberAt(GgufType type, const uint8_t *at) {
  if (type == GgufType::F32)
    return fromShortestDecimal(bit_cast<float>(read32le(at)));
  if (type == GgufType::F64)
    return bit_cast<double>(read64le(at));
  if (std::optional<int64_t> integer = integerAt(type, at))
    return double(*integer);
  return std::nullopt;
}

std::optional<double> GgufValue::asDouble() const { return numberAt(type, payload.data()); }

std::optional<std::vector<double>> GgufValue::asNumbers() const {
  bool isArray = type == GgufType::Array;
  GgufType scalar = isArray ? elementType : type;
  size_t width = widthOf(scalar);
  if (width == 0)
    return std::nullopt;
  std::vector<double> result;
  for (uint64_t i = 0, size = isArray ? count : 1; i < size; ++i) {
    const uint8_t *at = payload.data() + i * width;
    std::optional<double> number = scalar == GgufType::Bool ? double(*at) : numberAt(scalar, at);
    if (!number)
      return std::nullopt;
    result.push_back(*number);
  }
  return result;
}

std::optional<bool> GgufValue::asBool() const {
  if (type != GgufType::Bool)
    return std::nullopt;
  return payload.front() != 0;
}

std::optional<StringRef> GgufValue::asString() const {
  if (type != GgufType::String)
    return std::nullopt;
  return toStringRef(payload);
}

std::optional<std::vector<StringRef>> GgufValue::asStrings() const {
  if (type != GgufType::Array || elementType != GgufType::String)
    return std::nullopt;
  std::vector<StringRef> result;
  result.reserve(count);
  ArrayRef<uint8_t> rest = payload;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t length = read64le(rest.data());
    result.push_back(toStringRef(rest.slice(8, length)));
    rest = rest.drop_front(8 + length);
  }
  return result;
}

std::optional<std::vector<int64_t>> GgufValue::asInts() const {
  if (type != GgufType::Array)
    return std::nullopt;
  std::vector<int64_t> result;
  result.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    std::optional<int64_t> value = integerAt(elementType, payload.data() + i * widthOf(elementType));
    if (!value)
      return std::nullopt;
    result.push_back(*value);
  }
  return result;
}

std::optional<std::vector<float>> GgufValue::asFloats() const {
  if (type != GgufType::Array || elementType != GgufType::F32)
    return std::nullopt;
  std::vector<float> result;
  result.reserve(count);
  for (uint64_t i = 0; i < count; ++i)
    result.push_back(bit_cast<float>(read32le(payload.data() + 4 * i)));
  return result;
}

std::string GgufValue::describe() const {
  if (type == GgufType::Array)
    return "an array of " + utostr(count) + " " + nameOf(elementType).str();
  std::string name = nameOf(type).str();
  if (std::optional<int64_t> integer = asInt())
    return name + " " + itostr(*integer);
  if (std::optional<StringRef> text = asString())
    return name + " " + inBackticks(*text);
  if (std::optional<bool> truth = asBool())
    return *truth ? "true" : "false";
  if (type == GgufType::U64)
    return name + " " + utostr(read64le(payload.data()));
  char text[64];
  std::to_chars_result written = std::to_chars(text, text + sizeof(text), *asDouble());
  return name + " " + std::string(text, written.ptr);
}
