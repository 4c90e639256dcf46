//===- KernelRace.cpp -------------------------------------------------------------------------===//

#include "tuner/KernelRace.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cassert>
#include <cmath>

using namespace quern::tuner;

/// What is kept of what was seen of a plan.
static constexpr size_t mostValues = 4096, mostSamples = 1024;

KernelRace::KernelRace(const KernelSpace &space, double share)
    : space(&space), share(share), records(std::max<size_t>(space.costs.size(), 1)) {
  assert((space.plans.empty() || space.plans.size() == space.costs.size()) && "each plan has its knobs");
  records[0].fate = Fate::Fine;
}

bool KernelRace::isAtBound() const { return space->bound > 0 && space->time <= space->bound * 1.05; }

/// The least value that a plan can have.
static double getLeast(const KernelSpace &space) {
  constexpr double without = -3;
  return space.bound > 0 && space.time > 0 ? std::min(std::log(space.bound / space.time), 0.0) : without;
}

bool KernelRace::isOpen() const { return !isClosed && !isAtBound() && getBest() > getLeast(*space) + std::log(1.05); }

void KernelRace::noteFate(unsigned candidate, Fate fate) {
  Record &record = records[candidate];
  record.fate = fate;
  isStale = true;
  // Without the default plan there is nothing to compare with.
  isClosed |= candidate == 0 && fate != Fate::Fine;
}

void KernelRace::note(const Trial &trial, llvm::ArrayRef<Block> blocks) {
  std::vector<const Block *> whole;
  for (const Block &block : blocks)
    if (block.times.size() == trial.candidates.size() &&
        llvm::all_of(block.times, [](double time) { return time > 0; }))
      whole.push_back(&block);
  if (whole.empty())
    return;
  for (size_t turn = 1; turn < trial.candidates.size(); ++turn) {
    Record &record = records[trial.candidates[turn]];
    record.samples.clear();
    std::vector<double> values;
    for (const Block *block : whole) {
      if (std::isinf(block->times[turn]))
        continue;
      values.push_back(std::log(block->times[turn] / block->times[0]));
      if (record.samples.size() < mostSamples)
        record.samples.emplace_back(block->times[0], block->times[turn]);
    }
    if (values.empty())
      continue;
    record.values.insert(record.values.end(), values.begin(), values.end());
    if (record.values.size() > mostValues)
      record.values.erase(record.values.begin(), record.values.end() - mostValues);
    if (record.nomination > 0)
      toss(record, values);
    record.estimate = estimate(record.values);
  }
  isStale = true;
  nominate();
}

/// Adds what a measurement says of a nominee: at most some tosses, the medians of blocks that follow each other. All of
/// it ran in one process, whose memory lies as it happens to; no measurement proves anything alone.
void KernelRace::toss(Record &record, llvm::ArrayRef<double> values) {
  constexpr size_t most = 8;
  size_t tosses = std::min(most, values.size());
  for (size_t toss = 0; toss < tosses; ++toss) {
    size_t begin = toss * values.size() / tosses, end = (toss + 1) * values.size() / tosses;
    double value = getQuantile(values.slice(begin, end - begin), 0.5);
    record.wins += value < 0;
    record.losses += value > 0;
    record.fresh.push_back(value);
  }
  record.confirmed = estimate(record.fresh);
}

double KernelRace::getEvidence(const Record &record) const {
  return record.nomination == 0 ? 0 : getLogEvidence(record.wins, record.losses);
}

bool KernelRace::isProven(const Record &record) const {
  if (record.nomination == 0 || record.isDropped || !isUsable(record) ||
      record.confirmed.median > std::log1p(-leastGain))
    return false;
  // The sum of 1 / (n (n + 1)) over all nominations is 1: together they err as seldom as `level` says.
  double nomination = record.nomination;
  return getEvidence(record) >= std::log(nomination * (nomination + 1) / level);
}

bool KernelRace::isFutile(const Record &record) const {
  constexpr size_t few = 8, many = 64;
  const Estimate &seen = record.confirmed;
  if (record.nomination == 0 || isProven(record))
    return false;
  return record.isDropped || seen.count >= many ||
         (seen.count >= few && seen.median - seen.error > std::log1p(-leastGain));
}

bool KernelRace::isLive(const Record &record) const {
  return record.nomination > 0 && isUsable(record) && !isProven(record) && !isFutile(record);
}

std::vector<unsigned> KernelRace::getContenders() const {
  double bound = 0;
  for (const Record &record : records)
    if (isUsable(record))
      bound = std::min(bound, record.estimate.median + record.estimate.error);
  std::vector<unsigned> contenders;
  for (auto [candidate, record] : llvm::enumerate(records))
    if (isUsable(record) && !isFutile(record) && record.estimate.median < 0 &&
        record.estimate.median - record.estimate.error < bound)
      contenders.push_back(candidate);
  llvm::stable_sort(contenders,
                    [&](unsigned a, unsigned b) { return records[a].estimate.median < records[b].estimate.median; });
  return contenders;
}

void KernelRace::nominate() {
  constexpr size_t mostLive = 2, fewest = 4;
  constexpr double better = 0.005;
  unsigned proven = getProven();
  double bound = proven ? records[proven].estimate.median - better : std::log1p(-leastGain);
  for (unsigned candidate : getContenders()) {
    Record &record = records[candidate];
    if (llvm::count_if(records, [&](const Record &record) { return isLive(record); }) >= ptrdiff_t(mostLive))
      return;
    if (record.nomination == 0 && record.estimate.count >= fewest && record.estimate.median < bound)
      record.nomination = ++nominations;
  }
}

Trial KernelRace::getTrial(unsigned index, size_t most) const {
  constexpr size_t mostKnown = 3;
  Trial trial = getConfirmation(index);
  if (isClosed)
    return trial;
  size_t known = trial.candidates.empty() ? 0 : trial.candidates.size() - 1;
  std::vector<unsigned> wanted;
  for (auto [candidate, record] : llvm::enumerate(records))
    if (candidate != 0 && record.fate == Fate::Fine && record.values.empty())
      wanted.push_back(candidate);
  for (unsigned candidate : getContenders())
    if (known < mostKnown && !llvm::is_contained(trial.candidates, candidate)) {
      wanted.push_back(candidate);
      ++known;
    }
  if (trial.candidates.empty() && !wanted.empty())
    trial.candidates = {0};
  for (unsigned candidate : wanted)
    if (trial.candidates.size() < most)
      trial.candidates.push_back(candidate);
  return trial;
}

Trial KernelRace::getConfirmation(unsigned index) const {
  Trial trial = {index, {}};
  if (isClosed)
    return trial;
  for (auto [candidate, record] : llvm::enumerate(records))
    if (isLive(record))
      trial.candidates.push_back(candidate);
  if (!trial.candidates.empty())
    trial.candidates.insert(trial.candidates.begin(), 0);
  return trial;
}

void KernelRace::drop(unsigned candidate) {
  records[candidate].isDropped = true;
  isStale = true;
}

unsigned KernelRace::getProven() const {
  unsigned best = 0;
  if (records[0].fate != Fate::Fine)
    return 0;
  for (auto [candidate, record] : llvm::enumerate(records))
    if (isProven(record) && (best == 0 || record.estimate.median + record.estimate.error <
                                              records[best].estimate.median + records[best].estimate.error))
      best = candidate;
  return best;
}

double KernelRace::getBest() const {
  double best = 0;
  for (const Record &record : records)
    if (isUsable(record) && !isFutile(record))
      best = std::min(best, record.estimate.median + record.estimate.error);
  return best;
}

double KernelRace::getEvidence() const {
  double best = 0;
  for (const Record &record : records)
    if (isProven(record) || isLive(record))
      best = std::max(best, getEvidence(record));
  return best;
}

unsigned KernelRace::getTries() const {
  auto isTried = [](const Record &record) { return record.fate != Fate::Untried; };
  return static_cast<unsigned>(llvm::count_if(llvm::drop_begin(records), isTried));
}

std::vector<Observation> KernelRace::getObservations() const {
  // What is twice as slow is as little worth as what is ten times as slow.
  constexpr double slowest = 0.7, smallest = 1e-4;
  std::vector<Observation> observations;
  for (auto [candidate, record] : llvm::enumerate(records))
    if (isUsable(record))
      observations.push_back({static_cast<unsigned>(candidate),
                              std::clamp(record.estimate.median, -slowest * 3, slowest),
                              record.estimate.error * record.estimate.error + smallest});
  return observations;
}

llvm::ArrayRef<double> KernelRace::getImprovements(const Trust &trust) {
  if (!isStale && trust == trusted)
    return improvements;
  isStale = false;
  trusted = trust;
  improvements.assign(records.size(), 0);
  if (!isOpen())
    return improvements;
  std::vector<Belief> beliefs = getBeliefs(*space, getObservations(), trust);
  double best = getBest(), least = getLeast(*space);
  for (size_t candidate = 1; candidate < records.size(); ++candidate)
    if (records[candidate].fate == Fate::Untried)
      improvements[candidate] = getImprovement(beliefs[candidate], best, least);
  return improvements;
}

KernelResult KernelRace::getResult(unsigned chosen) const {
  KernelResult result;
  result.chosen = chosen;
  result.samples = records[chosen].samples;
  result.isAtBound = isAtBound();
  result.observations = getObservations();
  for (auto [candidate, record] : llvm::enumerate(records)) {
    bool isUnmeasured = candidate != 0 && record.fate == Fate::Fine && record.values.empty();
    result.fates.push_back(isUnmeasured ? Fate::Untried : record.fate);
  }
  return result;
}
