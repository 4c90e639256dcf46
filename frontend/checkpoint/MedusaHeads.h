//===- MedusaHeads.h - How many Medusa heads a file has *- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Medusa's heads (Cai et al. 2024) as FasterDecoding/Medusa writes them: head k has
// the residual blocks `{k}.{l}.linear.weight` [D, D] and `.bias` [D], l < L, and,
// unless it ends in the base's own output matrix, `{k}.{L}.weight` [V, D].
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_MEDUSAHEADS_H
#define QUERN_FRONTEND_CHECKPOINT_MEDUSAHEADS_H

#include "frontend/checkpoint/ModelConfig.h"
#include "frontend/checkpoint/Mounts.h"

#include "llvm/Support/Error.h"

#include <optional>
#include <vector>

namespace quern::frontend {

/// The mount, and the part of tensors' names, of Medusa's heads.
inline constexpr llvm::StringLiteral medusaMount = "medusa_head";

/// What a file says of its heads.
struct MedusaHeads {
  int64_t heads;
  /// Residual blocks of each.
  int64_t layers;
  /// Whether they have no output matrices of their own.
  bool tied;
};

/// The heads among the tensors of `files` whose names begin with `prefix`; no value
/// without any. `medusa_num_heads` and `medusa_num_layers` of `config` count, where
/// they are, and tensors are held against them; a file with five heads beside a
/// configuration without a `version` that says two, as the first ones were
/// published, has five. Refused: a missing or surplus head, block or output matrix.
llvm::Expected<std::optional<MedusaHeads>> findMedusaHeads(const std::vector<MountedFile> &files,
                                                           llvm::StringRef prefix, const ModelConfig &config);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_MEDUSAHEADS_H
