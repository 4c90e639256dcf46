//===- MedusaFiles.h - Trees of guesses, and how good guesses are *- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tree: Medusa's own `medusa_choices`, a JSON list of paths. A path is a list of
// ranks: the first head's, the second's under that, and so on.
//
// A calibration, which a compiled model's `--calibrate` writes:
//
//   {"format": "quern-medusa-calibration-1", "positions": 1234,
//    "accuracies": [[a_0, …, a_9], …],             of each head, by rank
//    "step_seconds": [[1, 0.0061], [2, 0.0065], …]}  of steps by their rows
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_MEDUSAFILES_H
#define QUERN_FRONTEND_CHECKPOINT_MEDUSAFILES_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <utility>
#include <vector>

namespace quern::frontend {

/// What a model guesses for a row: so many tokens of each of so many heads.
struct GuessShape {
  int64_t heads, guesses;
};

/// The most nodes of a tree, its root among them.
inline constexpr int64_t maxTreeNodes = 64;

/// The ranks that lead from the root of a tree to a node.
using TreePath = std::vector<int64_t>;

/// Orders the paths of a tree by length and then lexicographically.
void sortPaths(std::vector<TreePath> &paths);

/// The paths of a tree for such guesses out of `text`, the content of `file`, in that
/// order. Refuses what is none, by the path: each begins where another ends, none is
/// there twice, and there are 1 to 63.
llvm::Expected<std::vector<TreePath>> parseMedusaTree(llvm::StringRef text, llvm::StringRef file, GuessShape shape);

/// What `--calibrate` measured.
struct MedusaCalibration {
  /// How many tokens heads guessed.
  int64_t positions = 0;
  /// [head][rank]: in which part of the positions the guess was right, after those of
  /// the heads before it.
  std::vector<std::vector<double>> accuracies;
  /// Rows and seconds of a step, by ascending rows, the first of one row.
  std::vector<std::pair<int64_t, double>> stepSeconds;
};

/// Reads a calibration of such guesses out of `text`, the content of `file`. Refuses
/// what is none, by the place in it.
llvm::Expected<MedusaCalibration> parseMedusaCalibration(llvm::StringRef text, llvm::StringRef file, GuessShape shape);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_MEDUSAFILES_H
