//===- StoredTensor.h - What a reader finds in one file ---------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Internal to the readers.
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_STOREDTENSOR_H
#define QUERN_FRONTEND_CHECKPOINT_STOREDTENSOR_H

#include "frontend/checkpoint/StorageTypes.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <memory>
#include <string>

namespace quern::frontend {

class ComputedRows;

/// The most dimensions a tensor may have.
constexpr size_t maxRank = 8;
/// The longest name of a tensor or key in bytes.
constexpr size_t maxNameLength = 4096;

/// One tensor as its file names and stores it.
struct StoredTensor {
  std::string name;
  /// Extents, outermost first.
  llvm::SmallVector<int64_t, 4> shape;
  StorageType type;
  /// First byte in the file, and number of bytes.
  uint64_t offset = 0;
  uint64_t bytes = 0;
  /// Heads whose rows are interleaved; see `TensorInfo`.
  int64_t interleavedHeads = 0;
  /// Set iff the file does not store the numbers in `type`: what computes the rows.
  std::shared_ptr<const ComputedRows> computed;
};

/// An error value with that message.
llvm::Error refuse(const llvm::Twine &message);

/// Text of untrusted bytes for a message: not printable bytes escaped, at most
/// 80 characters.
std::string printable(llvm::StringRef text);

/// So, between backticks; `""` where there is nothing to quote.
std::string inBackticks(llvm::StringRef text);

/// True iff `text` is well-formed UTF-8.
bool isUtf8(llvm::StringRef text);

/// "[2, 3]"
std::string printShape(llvm::ArrayRef<int64_t> shape);

/// Size of a tensor in bytes. Refuses: more than `maxRank` dimensions, an extent
/// below 1, a last extent that is not a whole number of blocks, a size above
/// 2^62. The message does not name the tensor.
llvm::Expected<uint64_t> storedBytes(llvm::ArrayRef<int64_t> shape, StorageType type);

/// Refuses tensors of `file` whose bytes overlap or whose names are equal.
llvm::Error checkDisjoint(llvm::ArrayRef<StoredTensor> tensors, llvm::StringRef file);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_STOREDTENSOR_H
