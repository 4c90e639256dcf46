//===- Expectation.cpp ------------------------------------------------------------------------===//

#include "tuner/Expectation.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cmath>
#include <numbers>

using namespace quern::tuner;

double quern::tuner::getPredicted(const KernelSpace &kernel, unsigned candidate) {
  if (candidate >= kernel.costs.size())
    return 0;
  double ratio = kernel.costs[candidate] / kernel.costs[0];
  // What a model says of plans that are far off is worth as little as how far.
  return std::isfinite(ratio) && ratio > 0 ? std::clamp(std::log(ratio), -1.0, 2.0) : 0;
}

std::vector<double> quern::tuner::getFeatures(const KernelSpace &kernel, unsigned candidate) {
  std::vector<double> features;
  if (candidate >= kernel.plans.size())
    return features;
  // Knobs have few legal values: all features are about 1.
  constexpr double step = 1.0 / 3;
  for (auto [place, usual] : llvm::zip(kernel.plans[candidate], kernel.plans[0])) {
    double at = static_cast<double>(place) * step, from = static_cast<double>(usual) * step;
    features.insert(features.end(), {at - from, (at - from) * (at - from), at * at - from * from});
  }
  return features;
}

double quern::tuner::getExpected(const KernelSpace &kernel, unsigned candidate, const Trust &trust) {
  double expected = trust.slope * getPredicted(kernel, candidate);
  if (trust.effects.empty())
    return expected;
  constexpr double most = 0.7;
  double effect = 0;
  for (auto [feature, each] : llvm::zip(getFeatures(kernel, candidate), trust.effects))
    effect += feature * each;
  return expected + std::clamp(effect, -most, most);
}

double quern::tuner::getLikeness(const KernelSpace &kernel, unsigned a, unsigned b) {
  if (a == b)
    return 1;
  constexpr double steps = 4, most = 0.9, ratio = 0.3, mostByCost = 0.5;
  if (kernel.plans.empty())
    return mostByCost * std::exp(-std::abs(getPredicted(kernel, a) - getPredicted(kernel, b)) / ratio);
  int64_t distance = 0;
  for (size_t knob = 0; knob < kernel.plans[a].size(); ++knob)
    distance += std::abs(kernel.plans[a][knob] - kernel.plans[b][knob]);
  return most * std::exp(-static_cast<double>(distance) / steps);
}

namespace {

/// The lower triangle L of L Lᵀ = A, [n, n], row after row.
class Triangle {
public:
  /// Adds a row of A: what stands on and left of its diagonal.
  void add(llvm::ArrayRef<double> row) {
    std::vector<double> solved = solve(row.drop_back());
    double rest = row.back();
    for (double value : solved)
      rest -= value * value;
    solved.push_back(std::sqrt(std::max(rest, 1e-9)));
    rows.push_back(std::move(solved));
  }

  /// The x of L x = `right`, [n].
  std::vector<double> solve(llvm::ArrayRef<double> right) const {
    std::vector<double> solution;
    for (size_t row = 0; row < rows.size(); ++row) {
      double rest = right[row];
      for (size_t column = 0; column < row; ++column)
        rest -= rows[row][column] * solution[column];
      solution.push_back(rest / rows[row][row]);
    }
    return solution;
  }

  /// The x of Lᵀ x = `right`, [n].
  std::vector<double> solveTransposed(std::vector<double> right) const {
    for (size_t row = rows.size(); row-- > 0;) {
      right[row] /= rows[row][row];
      for (size_t column = 0; column < row; ++column)
        right[column] -= rows[row][column] * right[row];
    }
    return right;
  }

private:
  std::vector<std::vector<double>> rows;
};

} // namespace

void Regression::add(llvm::ArrayRef<double> features, double residual, double variance) {
  // By how much a plan differs from what its family does, and by how much a feature may move it.
  constexpr double scatter = 0.1, usual = 0.1;
  if (squares.empty()) {
    squares.assign(features.size(), std::vector<double>(features.size()));
    products.assign(features.size(), 0);
    for (size_t row = 0; row < features.size(); ++row)
      squares[row][row] = 1 / (usual * usual);
  }
  double weight = 1 / (scatter * scatter + variance);
  for (size_t row = 0; row < features.size(); ++row) {
    products[row] += weight * features[row] * residual;
    for (size_t column = 0; column <= row; ++column)
      squares[row][column] += weight * features[row] * features[column];
  }
}

std::vector<double> Regression::solve() const {
  Triangle triangle;
  for (size_t row = 0; row < squares.size(); ++row)
    triangle.add(llvm::ArrayRef(squares[row]).take_front(row + 1));
  return triangle.solveTransposed(triangle.solve(products));
}

std::vector<Belief> quern::tuner::getBeliefs(const KernelSpace &kernel, llvm::ArrayRef<Observation> observations,
                                             const Trust &trust) {
  double variance = trust.deviation * trust.deviation;
  std::vector<Observation> known = {{0, 0, 0}};
  known.insert(known.end(), observations.begin(), observations.end());
  Triangle triangle;
  std::vector<double> residuals;
  for (size_t row = 0; row < known.size(); ++row) {
    std::vector<double> covariances;
    for (size_t column = 0; column <= row; ++column)
      covariances.push_back(variance * getLikeness(kernel, known[row].candidate, known[column].candidate));
    covariances.back() += known[row].variance + 1e-6;
    triangle.add(covariances);
    residuals.push_back(known[row].value - getExpected(kernel, known[row].candidate, trust));
  }
  std::vector<double> weighted = triangle.solve(residuals);

  std::vector<Belief> beliefs(kernel.costs.size());
  for (unsigned candidate = 0; candidate < beliefs.size(); ++candidate) {
    std::vector<double> covariances;
    for (const Observation &observation : known)
      covariances.push_back(variance * getLikeness(kernel, candidate, observation.candidate));
    std::vector<double> solved = triangle.solve(covariances);
    double mean = getExpected(kernel, candidate, trust), rest = variance;
    for (size_t row = 0; row < solved.size(); ++row) {
      mean += solved[row] * weighted[row];
      rest -= solved[row] * solved[row];
    }
    beliefs[candidate] = {mean, std::sqrt(std::max(rest, 1e-9))};
  }
  return beliefs;
}

double quern::tuner::getImprovement(Belief belief, double best, double least) {
  double distance = (best - belief.mean) / belief.deviation;
  double density = std::exp(-distance * distance / 2) / std::sqrt(2 * std::numbers::pi);
  double probability = std::erfc(-distance / std::numbers::sqrt2) / 2;
  double improvement = belief.deviation * density + (best - belief.mean) * probability;
  return std::clamp(improvement, 0.0, std::max(best - least, 0.0));
}
