//===- MedusaTree.cpp - which guesses a step tries ---------------------------------------------===//

#include "frontend/MedusaTree.h"

#include "frontend/checkpoint/MappedFile.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <tuple>

using namespace llvm;

namespace quern::frontend {

/// A tree has 63 paths of at most 64 ranks, a calibration as many numbers as heads guess.
static constexpr uint64_t maxFileBytes = uint64_t(1) << 20;

/// How often the guesses of the first head are right: of the likeliest what the authors of Medusa say of their heads
/// (about 0.6, and above 0.8 of the first five), how the rest is shared out is an assumption.
static constexpr double assumedAccuracies[] = {0.60, 0.10, 0.05, 0.035, 0.025, 0.018, 0.014, 0.011, 0.009, 0.008};
/// By how much each further head is worse, assumed, too.
static constexpr double assumedDecay = 0.75;
static constexpr size_t assumedNodes = 16;

namespace {

/// A node, and how often all steps of its path are right.
struct RatedPath {
  double product;
  TreePath path;

  /// Those that come first are likelier, or else nearer to the root, or else of lower ranks.
  bool operator<(const RatedPath &other) const {
    return std::tuple(-product, path.size(), path) < std::tuple(-other.product, other.path.size(), other.path);
  }
};

} // namespace

/// At most `count` nodes with the largest products above 0, parents first.
static std::vector<RatedPath> findLikeliest(ArrayRef<std::vector<double>> accuracies, size_t count) {
  // A child is no likelier than its parent: nodes behind the chosen ones are children of these.
  std::vector<RatedPath> chosen, open = {{1, {}}};
  while (!open.empty() && chosen.size() <= count) {
    auto next = std::min_element(open.begin(), open.end());
    RatedPath node = *next;
    open.erase(next);
    size_t depth = node.path.size();
    for (size_t rank = 0; depth < accuracies.size() && rank < accuracies[depth].size(); ++rank) {
      RatedPath child{node.product * accuracies[depth][rank], node.path};
      child.path.push_back(rank);
      if (child.product > 0)
        open.push_back(std::move(child));
    }
    chosen.push_back(std::move(node));
  }
  chosen.erase(chosen.begin());
  return chosen;
}

static double interpolate(ArrayRef<std::pair<int64_t, double>> points, int64_t at) {
  auto [rows, seconds] = *llvm::find_if(points, [&](const auto &point) { return point.first >= at; });
  if (rows == at)
    return seconds;
  auto [before, secondsBefore] =
      *std::prev(llvm::find_if(points, [&](const auto &point) { return point.first >= at; }));
  return secondsBefore + (seconds - secondsBefore) * double(at - before) / double(rows - before);
}

/// The tree of the first nodes of `rated`.
static MedusaTree makeTree(ArrayRef<RatedPath> rated, MedusaTree::Source source) {
  MedusaTree tree{{}, source, 1.0, std::nullopt};
  for (const RatedPath &node : rated) {
    tree.paths.push_back(node.path);
    *tree.expectedTokens += node.product;
  }
  sortPaths(tree.paths);
  return tree;
}

StringRef toString(MedusaTree::Source source) {
  switch (source) {
  case MedusaTree::Source::File:
    return "file";
  case MedusaTree::Source::Calibration:
    return "calibration";
  case MedusaTree::Source::Assumed:
    return "assumed";
  }
  llvm_unreachable("unknown source");
}

MedusaTree buildTree(const MedusaCalibration &calibration) {
  ArrayRef<std::pair<int64_t, double>> times = calibration.stepSeconds;
  std::vector<RatedPath> rated = findLikeliest(calibration.accuracies, times.back().first - 1);
  size_t best = 0;
  double tokens = 1, bestRate = 1 / interpolate(times, 1);
  for (auto [i, node] : enumerate(rated)) {
    tokens += node.product;
    double rate = tokens / interpolate(times, int64_t(i) + 2);
    if (rate > bestRate)
      best = i + 1, bestRate = rate;
  }
  MedusaTree tree = makeTree(ArrayRef(rated).take_front(best), MedusaTree::Source::Calibration);
  tree.stepSeconds = interpolate(times, int64_t(best) + 1);
  return tree;
}

MedusaTree assumeTree(GuessShape shape) {
  std::vector<std::vector<double>> accuracies;
  double factor = 1;
  for (int64_t head = 0; head < shape.heads; ++head, factor *= assumedDecay) {
    ArrayRef<double> first = ArrayRef(assumedAccuracies).take_front(std::min<size_t>(shape.guesses, 10));
    auto scaled = map_range(first, [&](double accuracy) { return accuracy * factor; });
    accuracies.emplace_back(scaled.begin(), scaled.end());
  }
  return makeTree(findLikeliest(accuracies, assumedNodes - 1), MedusaTree::Source::Assumed);
}

Expected<MedusaTree> chooseTree(StringRef paths, StringRef calibration, GuessShape shape) {
  if (paths.empty() && calibration.empty())
    return assumeTree(shape);
  StringRef file = paths.empty() ? calibration : paths;
  Expected<std::string> text = readSmallFile(file, maxFileBytes);
  if (!text)
    return text.takeError();
  if (paths.empty()) {
    Expected<MedusaCalibration> measured = parseMedusaCalibration(*text, file, shape);
    return measured ? buildTree(*measured) : Expected<MedusaTree>(measured.takeError());
  }
  Expected<std::vector<TreePath>> read = parseMedusaTree(*text, file, shape);
  if (!read)
    return read.takeError();
  return MedusaTree{std::move(*read), MedusaTree::Source::File, std::nullopt, std::nullopt};
}

} // namespace quern::frontend
