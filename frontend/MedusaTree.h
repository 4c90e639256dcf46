//===- MedusaTree.h - which guesses a step tries -----------------------------------------------===//
//
// A step runs the rows of a tree: the root, a token that is known, and behind it guesses. The nodes at depth d are
// guesses of head d under those of the heads before it. Each node whose whole path is right is a token more; by
// accuracies a[head][rank], as if they were independent, that is so with the product of those along the path, and a
// step writes 1 + Σ products tokens on average (Cai et al. 2024, section 2.3.3).
//===------------------------------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_MEDUSATREE_H
#define QUERN_FRONTEND_MEDUSATREE_H

#include "frontend/checkpoint/MedusaFiles.h"

#include <optional>

namespace quern::frontend {

/// A tree of guesses.
struct MedusaTree {
  enum class Source {
    File,        ///< a file of paths
    Calibration, ///< built by measured accuracies and times
    Assumed,     ///< built by accuracies that nobody measured
  };

  /// Of the nodes but the root, by length and then in lexicographic order.
  std::vector<TreePath> paths;
  Source source;
  /// Tokens that a step writes on average, where accuracies are known or assumed.
  std::optional<double> expectedTokens;
  /// What a step takes, where that was measured.
  std::optional<double> stepSeconds;
};

/// "file", "calibration", "assumed".
llvm::StringRef toString(MedusaTree::Source source);

/// The tree that writes most tokens per second by the calibration: n nodes, the root among them, are those with the
/// largest products, and the time of n rows is interpolated linearly; of equal rates the smaller tree. No tree has more
/// rows than were timed.
MedusaTree buildTree(const MedusaCalibration &calibration);

/// A tree of 16 nodes by accuracies that are assumed.
MedusaTree assumeTree(GuessShape shape);

/// The tree of the file `paths`, or by the file `calibration`, of which one at most is not empty; else an assumed one.
llvm::Expected<MedusaTree> chooseTree(llvm::StringRef paths, llvm::StringRef calibration, GuessShape shape);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_MEDUSATREE_H
