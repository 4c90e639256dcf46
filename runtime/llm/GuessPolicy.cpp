//===- GuessPolicy.cpp - how many tokens are guessed ----------------------------------------------===//

#include "runtime/llm/GuessPolicy.h"

#include <algorithm>

namespace quern::runtime {

/// What is expected of a guess at first: little, so that a text that guesses do not help is not held up.
static constexpr double firstOdds = 0.5;
/// What a row more makes a step longer, as long as that is not known.
static constexpr double firstSlope = 0.1;

/// What guesses may cost: of all time, and steps beside, so that what holds from the beginning is guessed from there
/// on.
static constexpr double lostShare = 0.015, lentSteps = 0.25;
/// What guesses gave pays for as many steps in vain at most.
static constexpr double savedSteps = 16;

void GuessPolicy::Odds::note(bool held, double prior, bool isTrial) {
  if (!isKnown())
    mean = prior;
  // The first guesses say most; and a trial says more than what is long past.
  constexpr int lasting = 8;
  samples = std::min(samples + 1, lasting - 1);
  mean += ((held ? 1 : 0) - mean) / (isTrial ? 2 : samples + 1);
}

/// Between steps that were measured on the line through both; beyond the last one on that through it and the first.
double GuessPolicy::getSeconds(size_t rows) const {
  rows = std::min(rows, maxRows);
  size_t below = rows, above = rows;
  while (below > 0 && times[below].mean == 0)
    --below;
  while (above < maxRows && times[above].mean == 0)
    ++above;
  if (below == 0)
    return times[above].mean == 0 ? 1 + firstSlope * static_cast<double>(rows - 1) : times[above].mean;
  if (below == rows)
    return times[rows].mean;
  size_t first = below;
  if (times[above].mean == 0) {
    for (size_t i = below; i > 0; --i)
      first = times[i].mean > 0 ? i : first;
    above = below;
  }
  double slope = first == above
                     ? firstSlope * times[below].mean
                     : std::max((times[above].mean - times[first].mean) / static_cast<double>(above - first), 0.0);
  return times[below].mean + slope * static_cast<double>(rows - below);
}

/// Tokens per second of a text for guesses of `count` tokens. Of a tree, whose size is fixed, the odds are those of its
/// depths.
double GuessPolicy::getRate(size_t count) const {
  double tokens = 1, reached = 1, last = firstOdds;
  if (!hasSizes && count == 1)
    tokens += first.isKnown() ? first.mean : firstOdds;
  for (size_t i = 0; (takesTree(count) || hasSizes) && i < (hasSizes ? count : odds.size()); ++i) {
    if (odds[i].isKnown())
      last = odds[i].mean;
    else if (!hasSizes && i > 0)
      break;
    reached *= last;
    tokens += reached;
  }
  return tokens / getSeconds(texts * (1 + count));
}

/// Whether guesses of `count` tokens may be all in vain.
bool GuessPolicy::affords(size_t count) const {
  double plain = getSeconds(texts), extra = getSeconds(texts * (1 + count)) - plain;
  return lost + extra <= lostShare * total + lentSteps * plain;
}

/// How many tokens are guessed to see whether they hold: as many as may be in vain.
size_t GuessPolicy::chooseTrial() const {
  for (size_t count : {hasSizes ? std::min(most, trialCount) : most, size_t(1)})
    if (affords(count))
      return count;
  return 0;
}

size_t GuessPolicy::chooseCount(size_t texts) {
  this->texts = texts;
  isTrial = false;
  count = 0;
  ++skipped, ++withoutTree;
  // What guesses are held against has to be known.
  if (times[std::min(texts, maxRows)].mean == 0 || !affords(0))
    return 0;
  double bestRate = getRate(0);
  for (size_t size = 1; size <= most; size = hasSizes || size == most ? size + 1 : most)
    if (double rate = getRate(size); rate > bestRate)
      count = size, bestRate = rate;
  bool isKnown = count == 0 || (hasSizes || takesTree(count) ? odds.front() : first).isKnown();
  if (!isKnown)
    count = affords(1) ? 1 : 0;
  bool triesTree = !hasSizes && count == 1 && most > 1 && (!odds.front().isKnown() || withoutTree >= treeInterval);
  if (count > 0)
    interval = firstInterval;
  isTrial = (count == 0 && skipped >= interval) || (triesTree && affords(most));
  if (isTrial)
    count = chooseTrial();
  return count;
}

void GuessPolicy::noteStep(size_t rows, double taken) {
  StepTime &time = times[std::min(rows, maxRows)];
  // The first one may have waited for memory, and any for what else the machine does.
  if (time.samples == 0)
    time.mean = taken;
  else if (time.samples == 1)
    time.mean = std::min(time.mean, taken);
  else
    time.mean += (std::min(taken, 2 * time.mean) - time.mean) / 4;
  time.samples = std::min(time.samples + 1, 2);
  total += taken;
  if (count > 0 && rows > texts)
    lost += getSeconds(rows) - getSeconds(texts);
}

void GuessPolicy::noteGuesses(int depth, int held) {
  bool isTree = hasSizes || takesTree(count);
  for (int i = 0; i < depth && i <= held; ++i) {
    auto index = static_cast<size_t>(i);
    double prior = index > 0 ? odds[index - 1].mean : firstOdds;
    (isTree ? odds[index] : first).note(i < held, prior, isTrial);
  }
  double step = getSeconds(texts);
  lost = std::max(lost - held * step / static_cast<double>(texts), -savedSteps * step);
  if (isTrial)
    interval = std::min(2 * interval, lastInterval);
  skipped = 0;
  if (takesTree(count))
    withoutTree = 0;
}

} // namespace quern::runtime
