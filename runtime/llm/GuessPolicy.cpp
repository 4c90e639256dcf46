//===- GuessPolicy.cpp - how many tokens are guessed ----------------------------------------------===//

#include "runtime/llm/GuessPolicy.h"

#include <algorithm>

namespace quern::runtime {

/// What is expected of a guess at first: little, so that a text that guesses do not help is not held up.
static constexpr double firstOdds = 0.5;
/// What a row more makes a step longer, as long as that is not known.
static constexpr double firstSlope = 0.1;

GuessPolicy::GuessPolicy(size_t most, bool hasSizes) : most(most), hasSizes(hasSizes) { odds.fill(-1); }

/// Between steps that were measured on the line through both; beyond the last one on that through it and the first.
double GuessPolicy::getSeconds(size_t rows) const {
  rows = std::min(rows, maxRows);
  size_t below = rows, above = rows;
  while (below > 0 && seconds[below] == 0)
    --below;
  while (above < maxRows && seconds[above] == 0)
    ++above;
  if (below == 0)
    return seconds[above] == 0 ? 1 + firstSlope * static_cast<double>(rows - 1) : seconds[above];
  if (below == rows)
    return seconds[rows];
  size_t first = below;
  if (seconds[above] == 0) {
    for (size_t i = below; i > 0; --i)
      first = seconds[i] > 0 ? i : first;
    above = below;
  }
  double slope = first == above ? firstSlope * seconds[below]
                                : std::max((seconds[above] - seconds[first]) / static_cast<double>(above - first), 0.0);
  return seconds[below] + slope * static_cast<double>(rows - below);
}

/// Tokens per second of a text for guesses of `count` tokens. Of a tree, whose size is fixed, the odds are those of its
/// depths.
double GuessPolicy::getRate(size_t count, size_t texts) const {
  double tokens = 1, reached = 1, last = firstOdds;
  for (size_t i = 0; count > 0 && i < (hasSizes ? count : odds.size()); ++i) {
    if (odds[i] >= 0)
      last = odds[i];
    else if (!hasSizes && i > 0)
      break;
    reached *= last;
    tokens += reached;
  }
  return tokens / getSeconds(texts * (1 + count));
}

size_t GuessPolicy::chooseCount(size_t texts) {
  isTrial = false;
  if (seconds[std::min(texts, maxRows)] == 0) // what guesses are held against
    return 0;
  size_t best = 0;
  double bestRate = getRate(0, texts);
  for (size_t count = hasSizes ? 1 : most; count <= most; ++count)
    if (double rate = getRate(count, texts); rate > bestRate)
      best = count, bestRate = rate;
  isTrial = best == 0 && ++skipped >= interval;
  if (best > 0)
    interval = firstInterval;
  else if (isTrial)
    best = hasSizes ? std::min(most, trialCount) : most;
  return best;
}

void GuessPolicy::noteStep(size_t rows, double taken) {
  double &mean = seconds[std::min(rows, maxRows)];
  mean = mean == 0 ? taken : mean + (taken - mean) / 4;
}

void GuessPolicy::noteGuesses(int depth, int held) {
  for (int i = 0; i < depth && i <= held; ++i) {
    double &mean = odds[static_cast<size_t>(i)], sample = i < held ? 1 : 0;
    if (mean < 0)
      mean = i > 0 ? odds[static_cast<size_t>(i) - 1] : firstOdds;
    // A trial says more than what is long past.
    mean += (sample - mean) / (isTrial ? 2 : 8);
  }
  if (isTrial)
    interval = std::min(2 * interval, lastInterval);
  skipped = 0;
}

} // namespace quern::runtime
