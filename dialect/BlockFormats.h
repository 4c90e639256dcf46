//===- BlockFormats.h - Block-quantised number formats ----------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the bytes of a block-quantised tensor mean. Plain C++ on LLVM's Support
// library: the readers, the reference evaluator and the weight packer share it.
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_DIALECT_BLOCKFORMATS_H
#define QUERN_DIALECT_BLOCKFORMATS_H

#include "dialect/Floats.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <array>
#include <cstdint>
#include <optional>

namespace quern {

/// A block-quantised number format; one row of `BlockFormats.def` each.
enum class BlockFormat : uint8_t {
#define QUERN_BLOCK_FORMAT(Name, ...) Name,
#include "dialect/BlockFormats.def"
};

/// The constants of a format; see `BlockFormats.def`.
struct BlockTraits {
  llvm::StringLiteral keyword;
  int64_t elements;
  int64_t bytes;
  int64_t group;
  int32_t zero;
  bool hasMins;

  /// Number of groups in one block.
  constexpr int64_t groups() const { return elements / group; }
};

/// The constants of `format`.
const BlockTraits &getTraits(BlockFormat format);

/// The format spelled `keyword` in IR (lower case), or none.
std::optional<BlockFormat> parseBlockFormat(llvm::StringRef keyword);

/// One stored block, taken apart:
///   value[i] = scales[i / group] * (quants[i] - zero) + mins[i / group]
/// `mins` are zero in formats without; formats that store a minimum to be
/// subtracted have it negated here.
struct DecodedBlock {
  std::array<uint8_t, 256> quants; // [elements]
  std::array<float, 16> scales;    // [groups]
  std::array<float, 16> mins;      // [groups]
};

/// Takes one block apart; `block` holds exactly `getTraits(format).bytes` bytes.
void decodeBlock(BlockFormat format, llvm::ArrayRef<uint8_t> block, DecodedBlock &out);

/// Dequantises consecutive blocks: `values.size()` is a multiple of the block's
/// elements and `bytes.size()` its size in bytes. Each value is the f32 product
/// scale * (q - zero), rounded, plus the minimum, rounded: no fused operations.
void dequantizeRow(BlockFormat format, llvm::ArrayRef<uint8_t> bytes, llvm::MutableArrayRef<float> values);

} // namespace quern

#endif // QUERN_DIALECT_BLOCKFORMATS_H
