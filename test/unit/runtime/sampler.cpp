/// Choosing tokens: rules one by one, distributions, numbers that are none.

#include "Check.h"
#include "runtime/llm/Sampler.h"

#include <cmath>
#include <limits>
#include <map>
#include <vector>

using namespace quern::runtime;
using quern::test::Checks;

namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float inf = std::numeric_limits<float>::infinity();

SamplerOptions sampling() {
  SamplerOptions options;
  options.isGreedy = false;
  options.seed = 1234;
  return options;
}

/// How often each token is drawn in 20000 draws.
std::map<int32_t, int> count(const SamplerOptions &options, const std::vector<float> &logits) {
  Sampler sampler(options);
  std::map<int32_t, int> counts;
  for (int i = 0; i < 20000; ++i)
    ++counts[sampler.sample(logits, {}).value()];
  return counts;
}

/// Pearson's statistic Σ (found - expected)² / expected.
double chiSquare(const std::map<int32_t, int> &counts, const std::map<int32_t, double> &shares) {
  double sum = 0;
  for (const auto &[token, share] : shares) {
    double expected = share * 20000;
    auto found = counts.find(token);
    double difference = (found == counts.end() ? 0 : found->second) - expected;
    sum += difference * difference / expected;
  }
  return sum;
}

void testGreedy(Checks &checks) {
  checks.equal(findLargest(std::vector<float>{1, 3, 2, 3}), 1);
  checks.equal(findLargest(std::vector<float>{nan, -2, nan, -1}), 3);
  checks.equal(findLargest(std::vector<float>{0, inf, inf}), 1);
  checks.equal(findLargest(std::vector<float>{nan, -inf}), -1);
  checks.equal(findLargest({}), -1);
  Sampler sampler{SamplerOptions{}};
  checks.equal(sampler.sample(std::vector<float>{5, 5, 1}, {}).value(), 0);
  Result<int32_t> none = sampler.sample(std::vector<float>{nan, nan}, {});
  checks.that(!none);
  checks.that(none.error().message.find("no number") != std::string::npos);
}

// 0.999 quantiles of χ²: 2 degrees of freedom 13.8, 3 degrees 16.3.
void testDistributions(Checks &checks) {
  std::vector<float> logits = {std::log(0.1f), std::log(0.2f), std::log(0.3f), std::log(0.4f)};
  checks.that(chiSquare(count(sampling(), logits), {{0, .1}, {1, .2}, {2, .3}, {3, .4}}) < 16.3);

  // p^(1/T) at T = 0.5: squares over their sum 0.3.
  SamplerOptions cold = sampling();
  cold.temperature = 0.5f;
  checks.that(chiSquare(count(cold, logits), {{0, .01 / .3}, {1, .04 / .3}, {2, .09 / .3}, {3, .16 / .3}}) < 16.3);

  SamplerOptions top = sampling();
  top.topK = 3;
  auto counts = count(top, logits);
  checks.equal(counts.count(0), 0u);
  checks.that(chiSquare(counts, {{1, .2 / .9}, {2, .3 / .9}, {3, .4 / .9}}) < 13.8);

  // 0.4 + 0.3 does not exceed 0.75, with 0.2 it does.
  SamplerOptions nucleus = sampling();
  nucleus.topP = 0.75f;
  counts = count(nucleus, logits);
  checks.equal(counts.count(0), 0u);
  checks.that(chiSquare(counts, {{1, .2 / .9}, {2, .3 / .9}, {3, .4 / .9}}) < 13.8);

  SamplerOptions minimum = sampling();
  minimum.minP = 0.45f; // 0.18 and more
  counts = count(minimum, logits);
  checks.equal(counts.count(0), 0u);
  checks.that(chiSquare(counts, {{1, .2 / .9}, {2, .3 / .9}, {3, .4 / .9}}) < 13.8);
}

void testEdges(Checks &checks) {
  std::vector<float> logits = {1, nan, 2, -inf, 3};
  SamplerOptions all = sampling();
  auto counts = count(all, logits);
  checks.equal(counts.count(1) + counts.count(3), 0u);
  checks.equal(counts.size(), 3u);

  SamplerOptions one = sampling();
  one.topK = 1;
  checks.equal(count(one, logits).size(), 1u);
  SamplerOptions none = sampling();
  none.topP = 0.0f; // the likeliest stays
  checks.equal(count(none, logits).begin()->first, 4);
  checks.equal(count(none, logits).size(), 1u);
  SamplerOptions tiny = sampling();
  tiny.temperature = 1e-40f; // the quotient overflows
  checks.equal(count(tiny, logits).begin()->first, 4);
  // Infinite logits share everything.
  counts = count(all, {inf, 5, inf, nan});
  checks.equal(counts.size(), 2u);
  checks.that(counts[0] > 9000 && counts[2] > 9000);
  checks.that(!Sampler(all).sample(std::vector<float>{nan, -inf}, {}));
}

void testPenalty(Checks &checks) {
  SamplerOptions options;
  options.repetitionPenalty = 2;
  Sampler sampler(options);
  std::vector<float> logits = {3, 2, -1};
  checks.equal(sampler.sample(logits, {}).value(), 0);
  // 3 / 2 < 2, once however often it occurs; tokens outside of the vocabulary do not count.
  std::vector<int32_t> context = {0, 0, 7, -1};
  checks.equal(sampler.sample(logits, context).value(), 1);
  logits = {-3, -2};
  context = {1};
  checks.equal(sampler.sample(logits, context).value(), 0);
}

void testRandom(Checks &checks) {
  // xorshift64* from the state 1, by its definition in 64-bit arithmetic.
  RandomGenerator random(1);
  checks.equal(random.nextInteger(), 0x47e4ce4bu);
  checks.equal(random.nextInteger(), 0xabcfa6a8u);
  RandomGenerator a(0), b(0), c(5);
  float first = a.nextFloat();
  checks.that(first >= 0 && first < 1);
  checks.equal(first, b.nextFloat());
  checks.that(first != c.nextFloat());
  // The same seed gives the same tokens.
  std::vector<float> logits(100, 0.0f);
  Sampler one(sampling()), two(sampling());
  for (int i = 0; i < 50; ++i)
    checks.equal(one.sample(logits, {}).value(), two.sample(logits, {}).value());
}

} // namespace

int main() {
  Checks checks;
  testGreedy(checks);
  testDistributions(checks);
  testEdges(checks);
  testPenalty(checks);
  testRandom(checks);
  return checks.status();
}
