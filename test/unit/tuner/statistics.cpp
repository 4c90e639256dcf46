/// What is said of noisy times, against numbers worked out by hand and against coins that are tossed.

#include "tuner/Statistics.h"
#include "Check.h"
#include "Simulation.h"
#include "tuner/Expectation.h"

#include <cmath>

using namespace quern::test;
using namespace quern::tuner;

static bool isNear(double found, double expected, double bound = 1e-9) {
  return std::abs(found - expected) <= bound * std::max(1.0, std::abs(expected));
}

static void checkQuantiles(Checks &checks) {
  checks.equal(getQuantile({}, 0.5), 0.0);
  checks.equal(getQuantile({3.0}, 0.1), 3.0);
  std::vector<double> values = {5, 1, 4, 2, 3};
  checks.equal(getQuantile(values, 0), 1.0);
  checks.equal(getQuantile(values, 0.5), 3.0);
  checks.equal(getQuantile(values, 1), 5.0);
  checks.that(isNear(getQuantile(values, 0.1), 1.4));
  checks.that(isNear(getQuantile({1.0, 2.0}, 0.5), 1.5));
}

static void checkSignTest(Checks &checks) {
  checks.equal(getSignTest(0, 0), 1.0);
  checks.equal(getSignTest(0, 9), 1.0);
  checks.that(isNear(getSignTest(7, 0), 1.0 / 128));
  checks.that(isNear(getSignTest(5, 3), (56 + 28 + 8 + 1) / 256.0));
  checks.that(isNear(getSignTest(3, 5), 1 - (28 + 8 + 1) / 256.0));
  // Of the normal distribution: 2.326 deviations are a hundredth.
  checks.that(isNear(getSignTest(50000 + 368, 50000 - 368), 0.01, 1e-3));
  // What is not likely at all is 0, what is certain 1.
  checks.that(getSignTest(5000, 0) < 1e-300);
  checks.that(isNear(getSignTest(10, 5000), 1));
}

/// Evidence is a likelihood ratio: under a fair coin its mean is 1, whatever the number of tosses.
static void checkEvidence(Checks &checks) {
  checks.that(isNear(getLogEvidence(0, 0), 0));
  checks.that(isNear(getLogEvidence(9, 0), std::log(1023.0 / 10)));
  for (uint64_t tosses : {1, 2, 7, 40}) {
    double mean = 0;
    for (uint64_t wins = 0; wins <= tosses; ++wins) {
      auto count = static_cast<double>(tosses), won = static_cast<double>(wins);
      double ways = std::lgamma(count + 1) - std::lgamma(won + 1) - std::lgamma(count - won + 1);
      mean += std::exp(ways - count * std::log(2) + getLogEvidence(wins, tosses - wins));
    }
    checks.that(isNear(mean, 1));
  }
}

/// Looking after each toss, a fair coin is seldom held for a better one, and one that is better always in the end.
static void checkStopping(Checks &checks) {
  Random random(1);
  auto countStops = [&](double bias) {
    constexpr int sequences = 2000, tosses = 300;
    int stops = 0;
    for (int sequence = 0; sequence < sequences; ++sequence) {
      uint64_t wins = 0, losses = 0;
      for (int toss = 0; toss < tosses && getLogEvidence(wins, losses) < std::log(20); ++toss)
        ++(random.uniform() < bias ? wins : losses);
      stops += getLogEvidence(wins, losses) >= std::log(20);
    }
    return stops / double(sequences);
  };
  double fair = countStops(0.5);
  checks.that(fair <= 0.05 && fair > 0.001);
  checks.that(countStops(0.7) > 0.99);
}

static void checkEstimates(Checks &checks) {
  checks.equal(estimate({}).count, size_t(0));
  Random random(2);
  int outside = 0;
  constexpr int trials = 1000;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<double> values;
    for (int value = 0; value < 25; ++value)
      values.push_back(-0.2 + 0.05 * random.normal() + (random.uniform() < 0.04 ? 1 : 0));
    Estimate found = estimate(values);
    checks.equal(found.count, size_t(25));
    outside += std::abs(found.median + 0.2) > 2 * found.error;
  }
  // Two errors hold nineteen of twenty, and somewhat less with a median's error itself estimated.
  checks.that(outside > trials / 100 && outside < trials / 8);
}

static void checkPairs(Checks &checks) {
  std::vector<std::pair<double, double>> pairs(7, {10, 9});
  pairs.insert(pairs.end(), 3, {9, 10});
  pairs.insert(pairs.end(), 100, {10, 10}); // what is equal says nothing
  checks.equal(getSigns(pairs).wins, uint64_t(7));
  checks.equal(getSigns(pairs).losses, uint64_t(3));
  checks.equal(getSigns({}).wins + getSigns({}).losses, uint64_t(0));
}

/// Of short runs most of the time is noise, which hides what is gained from all but a low quantile.
static void checkLowQuantiles(Checks &checks) {
  Random random(3);
  auto draw = [&](double factor) {
    std::vector<std::pair<double, double>> pairs;
    auto time = [&] { return 100 + 100 * -std::log(1 - random.uniform()); };
    for (int pair = 0; pair < 1000; ++pair) {
      double first = time(), second = factor * 100 + time() - 100;
      pairs.emplace_back(first, second);
    }
    return pairs;
  };
  auto isLess = [](llvm::ArrayRef<std::pair<double, double>> pairs) {
    Signs signs = getSigns(pairs);
    return getSignTest(signs.wins, signs.losses) <= 0.04;
  };
  int found = 0, wrong = 0, byMedian = 0;
  for (int trial = 0; trial < 100; ++trial) {
    auto better = draw(0.95), equal = draw(1);
    found += isLess(getLowQuantiles(better, 50));
    byMedian += isLess(better);
    wrong += isLess(getLowQuantiles(equal, 50));
  }
  checks.that(found > 50 && byMedian < found);
  checks.that(wrong <= 8);
  checks.that(getLowQuantiles({}, 50).empty());
  checks.equal(getLowQuantiles(std::vector<std::pair<double, double>>(149, {10, 9}), 50).size(), size_t(2));
}

static void checkExpectation(Checks &checks) {
  KernelSpace kernel;
  kernel.costs = {100, 50, 100, 100};
  kernel.plans = {{0, 0}, {3, 3}, {3, 2}, {9, 9}};
  Trust trust;
  checks.that(isNear(getPredicted(kernel, 1), std::log(0.5)));
  checks.that(getLikeness(kernel, 1, 2) > getLikeness(kernel, 0, 2));
  std::vector<Belief> before = getBeliefs(kernel, {}, trust);
  checks.that(isNear(before[0].mean, 0, 1e-4) && before[0].deviation < 0.01);
  checks.that(before[1].mean < -0.3 && before[1].deviation > 0.1);
  // What was measured is believed, what is like it moves with it, what is far from it does not.
  std::vector<Belief> after = getBeliefs(kernel, {{1, 0.1, 1e-4}}, trust);
  checks.that(isNear(after[1].mean, 0.1, 0.01) && after[1].deviation < 0.02);
  checks.that(after[2].mean > before[2].mean + 0.2 && after[2].deviation < before[2].deviation);
  checks.that(std::abs(after[3].mean - before[3].mean) < 0.1);
  // Without knobs, plans are like those of their cost.
  kernel.plans.clear();
  kernel.costs = {100, 50, 140, 150};
  after = getBeliefs(kernel, {{2, -0.3, 1e-4}}, trust);
  checks.that(after[3].mean < getPredicted(kernel, 3) * trust.slope - 0.1 && after[1].mean < after[3].mean);
  // A bound says how much can be gained; what is certain to be slower gains nothing.
  checks.that(isNear(getImprovement({-0.5, 0.01}, 0, -0.2), 0.2));
  checks.that(isNear(getImprovement({-0.5, 0.01}, 0, -3), 0.5));
  checks.that(getImprovement({0.5, 0.01}, 0, -3) < 1e-9);
  checks.that(isNear(getImprovement({0, 1}, 0, -3), 0.3989422804, 1e-6));
}

int main() {
  Checks checks;
  checkQuantiles(checks);
  checkSignTest(checks);
  checkEvidence(checks);
  checkStopping(checks);
  checkEstimates(checks);
  checkPairs(checks);
  checkLowQuantiles(checks);
  checkExpectation(checks);
  return checks.status();
}
