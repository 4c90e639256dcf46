//===- KernelRace.h - the plans of a kernel, and which of them are still in the race ----------===//

#ifndef QUERN_TUNER_KERNELRACE_H
#define QUERN_TUNER_KERNELRACE_H

#include "tuner/Expectation.h"
#include "tuner/Statistics.h"

namespace quern::tuner {

/// The plans of one kernel. Each is measured beside the default plan; the value of a plan is the logarithm of its time
/// by that of the default plan in the same block. Plans that can hardly be the fastest are measured no more (Maron and
/// Moore, Hoeffding Races, 1994). A plan that seems faster than the default one is nominated, and by what is measured
/// from then on, never by what made it a nominee, it is proven.
class KernelRace {
public:
  /// How likely it is at most that of a kernel whose plans are all as fast as the default one any is proven.
  static constexpr double level = 0.01;
  /// What a plan must gain at least.
  static constexpr double leastGain = 0.01;

  /// `share`: the part of its run's time that it takes.
  KernelRace(const KernelSpace &space, double share);

  const KernelSpace &getSpace() const { return *space; }
  double getShare() const { return share; }
  /// Whether the default plan is within a twentieth of the bound.
  bool isAtBound() const;
  /// Whether plans that were not tried are worth a try.
  bool isOpen() const;
  /// Nothing more is tried of it.
  void close() { isClosed = isStale = true; }

  /// Notes that a plan was built, or how it failed.
  void noteFate(unsigned candidate, Fate fate);
  /// Notes what a trial of this kernel showed, and judges: which plan is nominated, and which nominee is not worth it.
  void note(const Trial &trial, llvm::ArrayRef<Block> blocks);

  /// What to measure next, the default plan and `most` plans in all at most: without any, the candidates are empty.
  Trial getTrial(unsigned index, size_t most) const;
  /// The same, of nominees alone that are not yet proven.
  Trial getConfirmation(unsigned index) const;

  /// A plan that was proven is none any more, and measured no more.
  void drop(unsigned candidate);

  /// The fastest of the proven plans; 0 without one.
  unsigned getProven() const;
  /// The value of a plan, by all that was seen of it.
  Estimate getEstimate(unsigned candidate) const { return records[candidate].estimate; }
  /// What the fastest plan is likely to be worth: at most 0.
  double getBest() const;
  /// The logarithm of the most evidence that a nominee has which is not given up; 0 without one.
  double getEvidence() const;

  /// How many plans were built, or failed to be.
  unsigned getTries() const;
  /// The plans that were measured.
  std::vector<Observation> getObservations() const;
  /// For each plan that may be built, by how much it is expected to better the best one; 0 for all others.
  llvm::ArrayRef<double> getImprovements(const Trust &trust);

  /// What came of it, with `chosen` as the plan to use.
  KernelResult getResult(unsigned chosen) const;

private:
  struct Record {
    Fate fate = Fate::Untried;
    std::vector<double> values;
    Estimate estimate;
    /// Of nominees: the how manieth of the kernel, and what was seen since.
    unsigned nomination = 0;
    bool isDropped = false;
    uint64_t wins = 0, losses = 0;
    std::vector<double> fresh;
    Estimate confirmed;
    /// The default plan's time and its own, of the last trial.
    std::vector<std::pair<double, double>> samples;
  };

  bool isUsable(const Record &record) const { return record.fate == Fate::Fine && !record.values.empty(); }
  double getEvidence(const Record &record) const;
  bool isProven(const Record &record) const;
  bool isFutile(const Record &record) const;
  bool isLive(const Record &record) const;
  std::vector<unsigned> getContenders() const;
  static void toss(Record &record, llvm::ArrayRef<double> values);
  void nominate();

  const KernelSpace *space;
  double share;
  bool isClosed = false, isStale = true;
  unsigned nominations = 0;
  std::vector<Record> records;
  std::vector<double> improvements;
  Trust trusted;
};

} // namespace quern::tuner

#endif // QUERN_TUNER_KERNELRACE_H
