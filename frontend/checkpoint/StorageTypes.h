//===- StorageTypes.h - Number formats of stored tensors --------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_STORAGETYPES_H
#define QUERN_FRONTEND_CHECKPOINT_STORAGETYPES_H

#include "dialect/BlockFormats.h"

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <string>

namespace quern::frontend {

/// How the numbers of a tensor lie in its file; rows of `StorageTypes.def`.
enum class StorageType : uint8_t {
#define QUERN_STORAGE_PLAIN(Name, ...) Name,
#define QUERN_STORAGE_BLOCK(Name, ...) Name,
#include "frontend/checkpoint/StorageTypes.def"
};

/// The constants of a storage type.
struct StorageTraits {
  /// Name in messages, as in the enumerator.
  llvm::StringLiteral name;
  /// Numbers in one indivisible unit: 1, or a block's elements.
  int64_t unitElements;
  /// Size of that unit in bytes.
  int64_t unitBytes;
  /// The `dtype` in safetensors; empty: does not occur there.
  llvm::StringLiteral safetensorsName;
  /// The number in GGUF; -1: not read there.
  int32_t ggufId;
  /// Set iff the type is block-quantised.
  std::optional<BlockFormat> block;
};

/// The constants of `type`.
const StorageTraits &getTraits(StorageType type);

/// The type that a safetensors header calls `dtype`, or none.
std::optional<StorageType> storageFromSafetensors(llvm::StringRef dtype);

/// The type that GGUF numbers `id`, or none.
std::optional<StorageType> storageFromGguf(uint32_t id);

/// What GGUF calls type `id`, for messages: "`Q2_K`", or "number 99".
std::string describeGgufType(uint32_t id);

/// "`F32`, `F16`, ...": the types the GGUF reader takes.
std::string listGgufTypes();

/// "`F32`, `F16`, ...": the types the safetensors reader takes.
std::string listSafetensorsTypes();

/// True for F32, F16, BF16, F64, F8_E4M3 and the block formats: types `decodeNumbers` takes.
bool isFloating(StorageType type);

/// Numbers in storage format `type` to f32: exact for all floating types but
/// F64, which is rounded. `numbers.size()` is a whole number of units and
/// `bytes` is exactly as long as they take; `isFloating(type)` holds.
void decodeNumbers(StorageType type, llvm::ArrayRef<uint8_t> bytes, llvm::MutableArrayRef<float> numbers);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_STORAGETYPES_H
