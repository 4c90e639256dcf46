//===- Sampler.cpp - chooses the next token ----------------------------------------------------===//

#include "runtime/llm/Sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
#include <limits>

namespace quern::runtime {

static constexpr float infinity = std::numeric_limits<float>::infinity();
static constexpr float largestNumber = std::numeric_limits<float>::max();

int32_t findLargest(std::span<const float> logits) {
  float largest = -infinity;
  int32_t index = -1;
  // A comparison with a number that is none is false.
  for (size_t i = 0; i < logits.size(); ++i)
    if (logits[i] > largest) {
      largest = logits[i];
      index = static_cast<int32_t>(i);
    }
  return index;
}

namespace {

/// The candidates of a token.
struct Candidates {
  std::vector<Candidate> &list;
  /// The one with the largest logit, of equal ones the first: no rule takes it away.
  int32_t likeliest;

  /// Drops all that are less likely, but the likeliest.
  void dropBelow(float probability) {
    std::erase_if(list, [&](const Candidate &candidate) {
      return candidate.probability < probability && candidate.token != likeliest;
    });
  }
};

} // namespace

//===- Rules of logits ---------------------------------------------------------------------------===//

/// Makes tokens of the context less likely.
static std::span<const float> penalizeRepetition(const SamplerOptions &options, std::span<const float> logits,
                                                 std::span<const int32_t> context, std::vector<float> &row) {
  if (options.repetitionPenalty == 1.0f)
    return logits;
  row.assign(logits.begin(), logits.end());
  for (int32_t token : context) {
    if (token < 0 || static_cast<size_t>(token) >= logits.size())
      continue;
    // From the original, so that a token that occurs twice is penalized once.
    float logit = logits[static_cast<size_t>(token)];
    float scaled = logit > 0 ? logit / options.repetitionPenalty : logit * options.repetitionPenalty;
    // What was finite stays so: an infinite logit would rule all others out, or itself.
    row[static_cast<size_t>(token)] = std::isfinite(logit) ? std::clamp(scaled, -largestNumber, largestNumber) : logit;
  }
  return row;
}

/// Gives the logits behind `context` by a rule: what it was given where that does not change, else `row`, which it
/// fills. What it makes minus infinity is never chosen.
using LogitRule = std::span<const float> (*)(const SamplerOptions &options, std::span<const float> logits,
                                             std::span<const int32_t> context, std::vector<float> &row);

/// In their order. A rule that forbids tokens stands before those that weigh them.
static constexpr LogitRule logitRules[] = {penalizeRepetition};

//===- Rules of candidates -----------------------------------------------------------------------===//

/// By logits, of which different ones may round to one probability; of equals the lowest token.
static bool isLikelier(const Candidate &a, const Candidate &b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

static void keepTopK(const SamplerOptions &options, Candidates &candidates) {
  std::vector<Candidate> &list = candidates.list;
  if (options.topK <= 0 || static_cast<size_t>(options.topK) >= list.size())
    return;
  auto end = list.begin() + options.topK;
  std::partial_sort(list.begin(), end, list.end(), isLikelier);
  list.erase(end, list.end());
}

/// p_i = exp((x_i - max x) / T) / Σ_j exp((x_j - max x) / T). The largest is taken off first, so that no quotient by a
/// tiny temperature overflows.
static void toProbabilities(const SamplerOptions &options, Candidates &candidates) {
  float largest = -infinity;
  for (const Candidate &candidate : candidates.list)
    largest = std::max(largest, candidate.logit);
  // A denormal divisor counts as zero where the processor is told so, and 0 / 0 is no number.
  float temperature = std::max(options.temperature, std::numeric_limits<float>::min());
  float sum = 0;
  for (Candidate &candidate : candidates.list) {
    candidate.probability = std::exp((candidate.logit - largest) / temperature);
    sum += candidate.probability;
  }
  for (Candidate &candidate : candidates.list)
    candidate.probability /= sum;
}

static void keepTopP(const SamplerOptions &options, Candidates &candidates) {
  std::vector<Candidate> &list = candidates.list;
  if (options.topP >= 1.0f || list.size() < 2)
    return;
  // It saves sorting the whole vocabulary. The n - 1 other tokens, if all are below the cutoff, have together less than
  // 1 - p, so that the set lies among those above it. If all n are below, 1 / n <= max < (1 - p) / (n - 1), hence
  // p < 1 / n <= max: the likeliest alone is the set.
  candidates.dropBelow((1.0f - options.topP) / static_cast<float>(list.size() - 1));
  std::sort(list.begin(), list.end(), isLikelier);
  float sum = list[0].probability;
  size_t kept = 1;
  while (kept < list.size() && sum <= options.topP)
    sum += list[kept++].probability;
  list.resize(kept);
}

static void keepMinP(const SamplerOptions &options, Candidates &candidates) {
  if (options.minP <= 0.0f)
    return;
  float largest = 0;
  for (const Candidate &candidate : candidates.list)
    largest = std::max(largest, candidate.probability);
  candidates.dropBelow(options.minP * largest);
}

/// Drops candidates by a rule, but for the likeliest, or says how likely they are.
using CandidateRule = void (*)(const SamplerOptions &options, Candidates &candidates);

/// In their order: what stands behind `toProbabilities` goes by probabilities.
static constexpr CandidateRule candidateRules[] = {keepTopK, toProbabilities, keepTopP, keepMinP};

//===- The choice --------------------------------------------------------------------------------===//

/// Takes the logits that can be chosen. Infinite ones are all that count if there are any.
static void collect(std::span<const float> logits, std::vector<Candidate> &list) {
  bool isInfinite = std::find(logits.begin(), logits.end(), infinity) != logits.end();
  list.clear();
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!(logits[i] > -infinity) || (isInfinite && logits[i] < infinity))
      continue;
    float logit = isInfinite ? 0.0f : logits[i];
    list.push_back({logit, 0.0f, static_cast<int32_t>(i)});
  }
}

static int32_t draw(const Candidates &candidates, RandomGenerator &random) {
  float sum = 0;
  for (const Candidate &candidate : candidates.list)
    sum += candidate.probability;
  float point = random.nextFloat() * sum;
  float reached = 0;
  for (const Candidate &candidate : candidates.list) {
    reached += candidate.probability;
    if (point < reached)
      return candidate.token;
  }
  // Only by rounding.
  return candidates.likeliest;
}

Sampler::Sampler(const SamplerOptions &options) : options(options), random(options.seed), rows(std::size(logitRules)) {}

Result<int32_t> Sampler::sample(std::span<const float> logits, std::span<const int32_t> context) {
  for (size_t i = 0; i < std::size(logitRules); ++i)
    logits = logitRules[i](options, logits, context, rows[i]);
  int32_t likeliest = findLargest(logits);
  if (likeliest < 0)
    return Error{"the model's logits hold no number; its weights may not be numbers either"};
  if (options.isGreedy)
    return likeliest;
  collect(logits, candidates);
  Candidates left{candidates, likeliest};
  for (CandidateRule rule : candidateRules)
    rule(options, left);
  return draw(left, random);
}

/// How likely each token is, and the bound that makes a guess of it hold.
static double computeProbabilities(std::span<const float> logits, float temperature,
                                   const TypicalAcceptance &acceptance, std::vector<double> &probabilities) {
  double largest = *std::max_element(logits.begin(), logits.end()), sum = 0, entropy = 0;
  probabilities.resize(logits.size());
  for (size_t i = 0; i < logits.size(); ++i)
    sum += probabilities[i] = std::exp((logits[i] - largest) / temperature);
  for (double &probability : probabilities) {
    probability /= sum;
    entropy -= probability * std::log(probability + 1e-5);
  }
  return std::min<double>(acceptance.epsilon, acceptance.delta * std::exp(-entropy));
}

std::vector<int32_t>
Sampler::acceptTypical(const TokenTree &tree, const TypicalAcceptance &acceptance,
                       const std::function<std::span<const float>(int32_t node)> &getLogits) const {
  // A token comes behind its parent. Of each: the logarithm of the path's probability, where it is accepted.
  std::vector<double> scores(tree.getSize(), -infinity), probabilities;
  scores[0] = 0;
  size_t best = 0;
  auto isParent = [&](size_t node, size_t child) { return tree.getParent(child) == static_cast<int32_t>(node); };
  for (size_t node = 0; node < tree.getSize(); ++node) {
    size_t child = node + 1;
    while (child < tree.getSize() && !isParent(node, child))
      ++child;
    if (child == tree.getSize() || scores[node] == -infinity)
      continue;
    double bound =
        computeProbabilities(getLogits(static_cast<int32_t>(node)), options.temperature, acceptance, probabilities);
    for (; child < tree.getSize(); ++child) {
      double probability = probabilities[static_cast<size_t>(tree.getTokens()[child])];
      if (isParent(node, child) && probability > bound)
        scores[child] = scores[node] + std::log(probability);
    }
  }
  for (size_t node = 1; node < tree.getSize(); ++node) {
    int depth = tree.getDepth(node), bestDepth = tree.getDepth(best);
    if (scores[node] != -infinity && (depth > bestDepth || (depth == bestDepth && scores[node] > scores[best])))
      best = node;
  }
  std::vector<int32_t> path;
  for (uint64_t left = tree.getAncestors(best); left; left &= left - 1)
    path.push_back(std::countr_zero(left));
  return path;
}

} // namespace quern::runtime
