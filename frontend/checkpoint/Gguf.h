//===- Gguf.h - GGUF container files ----------------------------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads the container: metadata and the table of tensors, as the file names
// them. What they mean for a model is in GgufModel.h.
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_GGUF_H
#define QUERN_FRONTEND_CHECKPOINT_GGUF_H

#include "frontend/checkpoint/StoredTensor.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace quern::frontend {

/// The types of metadata values, with their numbers in the file.
enum class GgufType : uint32_t {
  U8 = 0,
  I8 = 1,
  U16 = 2,
  I16 = 3,
  U32 = 4,
  I32 = 5,
  F32 = 6,
  Bool = 7,
  String = 8,
  Array = 9,
  U64 = 10,
  I64 = 11,
  F64 = 12
};

/// The double that the shortest decimal form of `value` denotes.
double fromShortestDecimal(float value);

/// One metadata value: a checked view of the file's bytes.
class GgufValue {
public:
  GgufValue() = default;
  /// A scalar or string: `payload` holds the number's bytes or the text.
  GgufValue(GgufType type, llvm::ArrayRef<uint8_t> payload) : type(type), payload(payload) {}
  /// An array of `count` elements that fill `payload` (strings with lengths).
  GgufValue(GgufType elementType, uint64_t count, llvm::ArrayRef<uint8_t> payload)
      : type(GgufType::Array), elementType(elementType), count(count), payload(payload) {}

  /// The value of an integer of any width that fits into i64.
  std::optional<int64_t> asInt() const;
  /// The value of a number of any type. An F32 becomes the double that its
  /// shortest decimal form denotes, as `config.json` would spell it.
  std::optional<double> asDouble() const;
  /// The value of a Bool.
  std::optional<bool> asBool() const;
  /// The bytes of a String, not checked to be UTF-8.
  std::optional<llvm::StringRef> asString() const;
  /// The elements of an array of strings.
  std::optional<std::vector<llvm::StringRef>> asStrings() const;
  /// The elements of an array of integers that all fit into i64.
  std::optional<std::vector<int64_t>> asInts() const;
  /// The elements of an array of F32.
  std::optional<std::vector<float>> asFloats() const;

  /// The number or truth value (0 or 1), or the elements of an array of them.
  std::optional<std::vector<double>> asNumbers() const;

  /// Type and value for messages, e.g. "u32 3", "an array of 3 string".
  std::string describe() const;

private:
  /// The number of a scalar of `type` at `at`; none if it is no number.
  static std::optional<double> numberAt(GgufType type, const uint8_t *at);

  GgufType type = GgufType::U8;
  GgufType elementType = GgufType::U8;
  uint64_t count = 0;
  llvm::ArrayRef<uint8_t> payload;
};

/// The metadata and tensors of one file.
class GgufFile {
public:
  /// Parses and checks everything but the tensors' numbers. `bytes` is the whole
  /// file and must outlive the result; `path` is for messages.
  static llvm::Expected<GgufFile> parse(llvm::ArrayRef<uint8_t> bytes, llvm::StringRef path);

  /// True if the file begins as GGUF files do.
  static bool hasMagic(llvm::ArrayRef<uint8_t> bytes);

  /// The path, for messages.
  llvm::StringRef path() const { return file; }
  /// All metadata, by ascending key.
  const std::map<std::string, GgufValue, std::less<>> &metadata() const { return values; }
  /// The metadata value of `key`, or null.
  const GgufValue *find(llvm::StringRef key) const;
  /// The tensors by name as stored, in the file's order; shapes outermost first.
  llvm::ArrayRef<StoredTensor> tensors() const { return allTensors; }

  /// The integer of `key`, none if absent; refuses other types.
  llvm::Expected<std::optional<int64_t>> getInt(llvm::StringRef key) const;
  /// The number of `key`, none if absent; refuses other types.
  llvm::Expected<std::optional<double>> getDouble(llvm::StringRef key) const;
  /// The text of `key`, none if absent; refuses other types and invalid UTF-8.
  llvm::Expected<std::optional<std::string>> getString(llvm::StringRef key) const;
  /// The truth value of `key`, none if absent; refuses other types.
  llvm::Expected<std::optional<bool>> getBool(llvm::StringRef key) const;

  /// An error at `key`: "`FILE`: metadata `key`: " and `message`.
  llvm::Error refuseKey(llvm::StringRef key, const llvm::Twine &message) const;

private:
  std::string file;
  std::map<std::string, GgufValue, std::less<>> values;
  std::vector<StoredTensor> allTensors;
};

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_GGUF_H
