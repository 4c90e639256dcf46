//===- Sampler.cpp - chooses the next token ----------------------------------------------------===//

#include "runtime/llm/Sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace quern::runtime {

static constexpr float infinity = std::numeric_limits<float>::infinity();

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

std::span<const float> Sampler::penalize(std::span<const float> logits,
                                         std::span<const int32_t> context) {
  if (options.repetitionPenalty == 1.0f)
    return logits;
  penalized.assign(logits.begin(), logits.end());
  for (int32_t token : context) {
    if (token < 0 || static_cast<size_t>(token) >= logits.size())
      continue;
    // From the original, so that a token that occurs twice is penalized once.
    float logit = logits[static_cast<size_t>(token)];
    penalized[static_cast<size_t>(token)] =
        logit > 0 ? logit / options.repetitionPenalty : logit * options.repetitionPenalty;
  }
  return penalized;
}

/// Takes the logits that can be chosen. Infinite ones are all that count if there are any.
void Sampler::collect(std::span<const float> logits) {
  bool isInfinite = std::find(logits.begin(), logits.end(), infinity) != logits.end();
  candidates.clear();
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!(logits[i] > -infinity) || (isInfinite && logits[i] < infinity))
      continue;
    float value = isInfinite ? 0.0f : logits[i];
    candidates.push_back({value, static_cast<int32_t>(i)});
  }
}

void Sampler::keepTopK() {
  if (options.topK <= 0 || static_cast<size_t>(options.topK) >= candidates.size())
    return;
  auto larger = [](const Candidate &a, const Candidate &b) {
    return a.value != b.value ? a.value > b.value : a.token < b.token;
  };
  auto end = candidates.begin() + options.topK;
  std::partial_sort(candidates.begin(), end, candidates.end(), larger);
  candidates.erase(end, candidates.end());
}

/// p_i = exp((x_i - max x) / T) / Σ_j exp((x_j - max x) / T). The largest is taken off first, so that no quotient by a
/// tiny temperature overflows.
void Sampler::toProbabilities() {
  float largest = -infinity;
  for (const Candidate &candidate : candidates)
    largest = std::max(largest, candidate.value);
  float sum = 0;
  for (Candidate &candidate : candidates) {
    candidate.value = std::exp((candidate.value - largest) / options.temperature);
    sum += candidate.value;
  }
  for (Candidate &candidate : candidates)
    candidate.value /= sum;
}

void Sampler::keepTopP() {
  if (options.topP >= 1.0f || candidates.size() < 2)
    return;
  // A token below the cutoff cannot be in the set: even if all others but one were as unlikely, that one would be
  // enough. It saves sorting the whole vocabulary.
  float cutoff = (1.0f - options.topP) / static_cast<float>(candidates.size() - 1);
  std::erase_if(candidates, [&](const Candidate &candidate) { return candidate.value < cutoff; });
  std::sort(candidates.begin(), candidates.end(), [](const Candidate &a, const Candidate &b) {
    return a.value != b.value ? a.value > b.value : a.token < b.token;
  });
  float sum = 0;
  size_t kept = 0;
  while (kept < candidates.size() && sum <= options.topP)
    sum += candidates[kept++].value;
  candidates.resize(kept);
}

void Sampler::keepMinP() {
  if (options.minP <= 0.0f)
    return;
  float largest = 0;
  for (const Candidate &candidate : candidates)
    largest = std::max(largest, candidate.value);
  std::erase_if(candidates, [&](const Candidate &candidate) {
    return candidate.value < options.minP * largest;
  });
}

int32_t Sampler::draw() {
  float sum = 0;
  for (const Candidate &candidate : candidates)
    sum += candidate.value;
  float point = random.nextFloat() * sum;
  float reached = 0;
  for (const Candidate &candidate : candidates) {
    reached += candidate.value;
    if (point < reached)
      return candidate.token;
  }
  // Only by rounding.
  return candidates.back().token;
}

Result<int32_t> Sampler::sample(std::span<const float> logits, std::span<const int32_t> context) {
  logits = penalize(logits, context);
  int32_t largest = findLargest(logits);
  if (largest < 0)
    return Error{"the model's logits hold no number; its weights may not be numbers either"};
  if (options.isGreedy)
    return largest;
  collect(logits);
  keepTopK();
  toProbabilities();
  keepTopP();
  keepMinP();
  return draw();
}

} // namespace quern::runtime
