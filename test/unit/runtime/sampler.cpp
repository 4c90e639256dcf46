/// Choosing tokens: rules one by one, distributions, numbers that are none, any numbers.

#include "runtime/llm/Sampler.h"
#include "Check.h"

#include <algorithm>
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

/// Each rule goes by what the ones before it left.
void testOrder(Checks &checks) {
  std::vector<float> logits = {std::log(0.4f), std::log(0.3f), std::log(0.2f), std::log(0.1f)};
  auto countTokens = [&](float penalty, int64_t topK, float temperature, float topP, float minP) {
    SamplerOptions options = sampling();
    options.repetitionPenalty = penalty;
    options.topK = topK;
    options.temperature = temperature;
    options.topP = topP;
    options.minP = minP;
    return count(options, logits).size();
  };
  // 0.4 does not exceed 0.5; of two tokens it is 0.57, and at T = 0.5 it is 0.53.
  checks.equal(countTokens(1, 0, 1, 0.5f, 0), 2u);
  checks.equal(countTokens(1, 2, 1, 0.5f, 0), 1u);
  checks.equal(countTokens(1, 0, 0.5f, 0.5f, 0), 1u);
  // 0.3 is 0.75 of 0.4, at T = 0.5 it is 0.56.
  checks.equal(countTokens(1, 0, 1, 1, 0.6f), 2u);
  checks.equal(countTokens(1, 0, 0.5f, 1, 0.6f), 1u);
  // The likeliest token of the context is not the likeliest any more, and top-k sees that.
  SamplerOptions options = sampling();
  options.repetitionPenalty = 2;
  options.topK = 1;
  std::vector<int32_t> context = {0};
  checks.equal(Sampler(options).sample(logits, context).value(), 1);
  // Greedy, too; and the logits that were given stay what they were.
  options.isGreedy = true;
  checks.equal(Sampler(options).sample(logits, context).value(), 1);
  checks.equal(findLargest(logits), 0);
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

/// A set is never empty: where a rule asks for less than one token, the likeliest stays.
void testLikeliestStays(Checks &checks) {
  std::vector<float> logits = {1, 3, 3, 2};
  for (int64_t topK : {0, 1, 2, 3, 4, 100})
    for (float topP : {0.0f, 1e-45f, 0.1f, 0.3f})
      for (float temperature : {1e-45f, 1.0f, 1e6f, inf}) {
        SamplerOptions options = sampling();
        options.topK = topK;
        options.topP = topP;
        options.temperature = temperature;
        Sampler sampler(options);
        int32_t token = sampler.sample(logits, {}).value();
        // 0.3 takes a second token where all are nearly alike.
        checks.that(token == 1 || (token == 2 && topP == 0.3f));
      }
  SamplerOptions minimum = sampling();
  minimum.minP = 1.0f;
  auto counts = count(minimum, logits);
  checks.equal(counts.size(), 2u);
  checks.that(counts[1] > 9000 && counts[2] > 9000);
  // What a penalty makes too large or too small for a number is the largest or the smallest.
  SamplerOptions penalty = sampling();
  penalty.repetitionPenalty = 1000;
  std::vector<int32_t> context = {0};
  checks.equal(Sampler(penalty).sample(std::vector<float>{-3e38f}, context).value(), 0);
}

/// Any one of a few kinds of logits: many equal ones, wide and narrow ranges, and numbers that are none.
std::vector<float> makeLogits(RandomGenerator &random) {
  size_t size = random.nextInteger() % 3 == 0 ? 1 : 1 + random.nextInteger() % 200;
  float scales[] = {0.0f, 1e-30f, 1.0f, 100.0f, 3e38f};
  float scale = scales[random.nextInteger() % 5];
  uint32_t odd = random.nextInteger() % 3, steps = 1 + random.nextInteger() % 50;
  std::vector<float> logits(size);
  for (float &logit : logits) {
    logit = scale * (static_cast<float>(random.nextInteger() % steps) / static_cast<float>(steps) - 0.5f);
    if (odd == 1 && random.nextInteger() % 4 == 0)
      logit = random.nextInteger() % 2 ? nan : -inf;
    if (odd == 2 && random.nextInteger() % 50 == 0)
      logit = inf;
  }
  return logits;
}

SamplerOptions makeOptions(RandomGenerator &random) {
  SamplerOptions options;
  options.isGreedy = random.nextInteger() % 8 == 0;
  float temperatures[] = {1e-45f, 1e-3f, 0.8f, 1.0f, 1e6f};
  int64_t counts[] = {0, 1, 2, 40, 1000};
  float shares[] = {0.0f, 1e-45f, 0.3f, 0.999f, 1.0f};
  float penalties[] = {1.0f, 1e-3f, 1.3f, 1e3f};
  options.temperature = temperatures[random.nextInteger() % 5];
  options.topK = counts[random.nextInteger() % 5];
  options.topP = shares[random.nextInteger() % 5];
  options.minP = shares[random.nextInteger() % 5];
  options.repetitionPenalty = penalties[random.nextInteger() % 4];
  options.seed = random.nextInteger();
  return options;
}

/// Whatever the logits and the rules: a token that can be chosen is chosen, and a refusal means that there is none.
void testAnything(Checks &checks) {
  RandomGenerator random(7);
  for (int i = 0; i < 20000; ++i) {
    std::vector<float> logits = makeLogits(random);
    SamplerOptions options = makeOptions(random);
    std::vector<int32_t> context(random.nextInteger() % 8);
    for (int32_t &token : context)
      token = static_cast<int32_t>(random.nextInteger() % (logits.size() + 2)) - 1;
    Sampler sampler(options);
    Result<int32_t> token = sampler.sample(logits, context);
    if (!token) {
      checks.equal(findLargest(logits), -1);
      continue;
    }
    if (!checks.that(*token >= 0 && static_cast<size_t>(*token) < logits.size()))
      return;
    float logit = logits[static_cast<size_t>(*token)];
    checks.that(logit > -inf);
    auto larger = std::count_if(logits.begin(), logits.end(), [&](float other) { return other > logit; });
    if (options.repetitionPenalty == 1.0f && options.topK > 0)
      checks.that(larger < options.topK);
    bool isInfinite = std::find(logits.begin(), logits.end(), inf) != logits.end();
    checks.that(!isInfinite || logit == inf);
    if (options.repetitionPenalty == 1.0f && (options.isGreedy || options.topP == 0.0f || options.topK == 1))
      checks.equal(*token, findLargest(logits));
  }
}

} // namespace

int main() {
  Checks checks;
  testGreedy(checks);
  testDistributions(checks);
  testEdges(checks);
  testPenalty(checks);
  testOrder(checks);
  testRandom(checks);
  testLikeliestStays(checks);
  testAnything(checks);
  return checks.status();
}
