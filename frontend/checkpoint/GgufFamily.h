//===- GgufFamily.h - Which models a GGUF architecture stands for -*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Internal to the readers of GGUF.
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_GGUFFAMILY_H
#define QUERN_FRONTEND_CHECKPOINT_GGUFFAMILY_H

#include "frontend/checkpoint/Gguf.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>

namespace quern::frontend {

/// Sets of families, as the tables name them: a bit for each row of GgufFamilies.def.
namespace gguf_families {

enum Index : uint32_t {
#define QUERN_GGUF_FAMILY(Family, ...) index##Family,
#include "frontend/checkpoint/GgufFamilies.def"
};

#define QUERN_GGUF_FAMILY(Family, ...) constexpr uint32_t Family = 1u << index##Family;
#include "frontend/checkpoint/GgufFamilies.def"

constexpr uint32_t Any = ~0u;
constexpr uint32_t Deepseek = DeepseekV2 | DeepseekV3;
constexpr uint32_t Granite = GraniteMoe | GraniteMoeShared;
/// Those whose models read windows of attention.
constexpr uint32_t Windowed = Llama | Mixtral;
/// Those whose rows of queries and keys are stored for interleaved rotary embeddings.
constexpr uint32_t Interleaved = Llama | Mixtral | Granite;

} // namespace gguf_families

/// A file and the family that it belongs to.
struct GgufModel {
  const GgufFile &file;
  /// One bit of `gguf_families`.
  uint32_t family;
  /// What Hugging Face calls it.
  llvm::StringRef modelType;
  /// What GGUF calls it.
  std::string architecture;

  bool isOf(uint32_t families) const { return family & families; }
  /// The whole metadata key: the architecture in front.
  std::string key(llvm::StringRef name) const { return architecture + "." + name.str(); }

  /// An integer of the metadata that may also be stored once per layer; refuses
  /// lists whose elements differ.
  llvm::Expected<std::optional<int64_t>> getUniformInt(llvm::StringRef name) const;
  /// The tensor of that stored name, or null.
  const StoredTensor *findTensor(llvm::StringRef name) const;
};

/// The family of a file. Refuses architectures without a row in GgufFamilies.def,
/// and parts of split files.
llvm::Expected<GgufModel> readFamily(const GgufFile &file);

/// An integer under the whole key `key`; see `GgufModel::getUniformInt`.
llvm::Expected<std::optional<int64_t>> getUniformInt(const GgufFile &file, llvm::StringRef key);

/// `blk.N.part` to N and `part`.
bool splitLayer(llvm::StringRef name, llvm::StringRef &layer, llvm::StringRef &part);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_GGUFFAMILY_H
