//===- Expectation.h - what plans that were not tried may be worth ----------------------------===//

#ifndef QUERN_TUNER_EXPECTATION_H
#define QUERN_TUNER_EXPECTATION_H

#include "tuner/Search.h"

namespace quern::tuner {

/// What a plan's logarithm of its time by the default plan's is expected to be, and how far from that it may be.
struct Belief {
  double mean = 0, deviation = 1;
};

/// How much is known of kernels in general.
struct Trust {
  /// What part of the gain that the model of the machine expects, logarithms both, plans have.
  double slope = 0.8;
  /// By how much plans differ from that: a standard deviation.
  double deviation = 0.2;
  /// What knobs do in the kernels of a family besides: for each of a plan's features. Empty: nothing.
  std::vector<double> effects;

  bool operator==(const Trust &) const = default;
};

/// The logarithm of what the model of the machine expects `candidate` to take, by what it expects of the default plan.
double getPredicted(const KernelSpace &kernel, unsigned candidate);

/// How a plan's knobs stand to those of the default plan, which has but zeros: for each knob the steps between them,
/// these squared, and by how much the square of its place is more.
std::vector<double> getFeatures(const KernelSpace &kernel, unsigned candidate);

/// The logarithm of what a plan is expected to take by the default plan's time, before any of its kernel was measured.
double getExpected(const KernelSpace &kernel, unsigned candidate, const Trust &trust);

/// What features do in a family: ridge regression of what plans took on them. Plans may be added in any order.
class Regression {
public:
  /// A plan's features, by how much the logarithm of its time was more than expected, and the variance of that.
  void add(llvm::ArrayRef<double> features, double residual, double variance);
  /// What each feature adds, [features].
  std::vector<double> solve() const;

private:
  std::vector<std::vector<double>> squares;
  std::vector<double> products;
};

/// How much what was seen of plan `a` says of plan `b`: 1 of itself, less with each step of a knob between them. Plans
/// without knobs are as near as their predicted times.
double getLikeness(const KernelSpace &kernel, unsigned a, unsigned b);

/// What to believe of each of a kernel's plans: what is expected, corrected by what was observed of plans like it; a
/// Gaussian process whose mean is what is expected (Rasmussen and Williams, Gaussian Processes for Machine Learning,
/// 2006, equations 2.25 and 2.26). The default plan has the value 0.
std::vector<Belief> getBeliefs(const KernelSpace &kernel, llvm::ArrayRef<Observation> observations, const Trust &trust);

/// How much less than `best` a plan is on average, where it is less at all, and it is nowhere less than `least`: the
/// expected improvement (Jones, Schonlau and Welch, Efficient Global Optimization, 1998).
double getImprovement(Belief belief, double best, double least);

} // namespace quern::tuner

#endif // QUERN_TUNER_EXPECTATION_H
