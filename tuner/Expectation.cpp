//===- Expectation.cpp ------------------------------------------------------------------------===//

#include "tuner/Expectation.h"

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

private:
  std::vector<std::vector<double>> rows;
};

} // namespace

std::vector<Belief> quern::tuner::getBeliefs(const KernelSpace &kernel, llvm::ArrayRef<Observation> observations,
                                             Trust trust) {
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
    residuals.push_back(known[row].value - trust.slope * getPredicted(kernel, known[row].candidate));
  }
  std::vector<double> weighted = triangle.solve(residuals);

  std::vector<Belief> beliefs(kernel.costs.size());
  for (unsigned candidate = 0; candidate < beliefs.size(); ++candidate) {
    std::vector<double> covariances;
    for (const Observation &observation : known)
      covariances.push_back(variance * getLikeness(kernel, candidate, observation.candidate));
    std::vector<double> solved = triangle.solve(covariances);
    double mean = trust.slope * getPredicted(kernel, candidate), rest = variance;
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
