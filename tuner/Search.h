//===- Search.h - which plans are tried, when, and which of them are faster -------------------===//

#ifndef QUERN_TUNER_SEARCH_H
#define QUERN_TUNER_SEARCH_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace quern::tuner {

/// A kernel, and the plans that it may have. Candidate 0 is the plan that it has without tuning.
struct KernelSpace {
  std::string name;
  /// The run that it is measured in: an index into `Problem::runs`.
  unsigned run = 0;
  /// How often that run launches it.
  unsigned launches = 1;
  /// What all of its launches in that run take by its default plan, and what no plan can take less than, in
  /// nanoseconds; a bound of 0 is none.
  double time = 0, bound = 0;
  /// For each candidate, what a model of the machine expects it to take, in any unit; the default plan's first.
  std::vector<double> costs;
  /// For each candidate, its knobs, all in the same order: indices into a knob's legal values, which are sorted. What
  /// was seen of a plan is taken to hold for those that are few steps from it. Empty: plans are like those of their
  /// cost.
  std::vector<std::vector<int64_t>> plans;
  /// Kernels of one family, which have the same knobs with the same legal values, are taken to respond alike to them.
  /// Empty: to respond like no other.
  std::string family;
};

/// An entry of the model at given sizes, such as a token after 512 others, or an image.
struct RunSpace {
  std::string name;
  /// What it takes by default, in nanoseconds.
  double time = 0;
};

/// What is to be tuned.
struct Problem {
  std::vector<KernelSpace> kernels;
  std::vector<RunSpace> runs;
};

/// One plan of one kernel.
struct Arm {
  unsigned kernel = 0, candidate = 0;

  bool operator==(const Arm &) const = default;
};

/// How a plan fared.
enum class Fate {
  Untried, ///< there was no time for it
  Fine,
  Refused, ///< it did not compile
  Died,    ///< running it ended the process
  Hung,    ///< it did not end
  Differs, ///< it computed other bits than the default plan
};

/// Plans of one kernel that are launched in turns, the default plan first.
struct Trial {
  unsigned kernel = 0;
  std::vector<unsigned> candidates;
};

/// What launches of a trial's plans took that stood next to each other, in nanoseconds: one for each of its candidates
/// that did not fail, in their order; infinity for those that were so slow before that they are launched no more.
struct Block {
  unsigned kernel = 0;
  std::vector<double> times;
};

/// What was seen of trials.
struct Measurement {
  std::vector<Block> blocks;
  /// Plans that failed, which have no blocks.
  std::vector<std::pair<Arm, Fate>> failures;
  /// Seconds that went by before the first block; 0 where that is not known.
  double setup = 0;
};

/// Where plans are compiled and measured, and what time it is there. One thing goes on at a time: while plans are
/// compiled nothing is measured.
class Laboratory {
public:
  virtual ~Laboratory() = default;
  /// Seconds since tuning began, all that came before included.
  virtual double now() = 0;
  /// Whether the user asked to end.
  virtual bool isInterrupted() = 0;
  /// Compiles plans, in this order, until `deadline` (a time of `now`), which it keeps to a second: for each `Fine`,
  /// `Refused` or, where the time was over, `Untried`.
  virtual std::vector<Fate> build(llvm::ArrayRef<Arm> arms, double deadline) = 0;
  /// Runs `run` until `deadline`, twice at least where nothing prevents it, each kernel of `trials` with its plans in
  /// turns, all others with their default ones. All plans have been built.
  virtual Measurement measure(unsigned run, llvm::ArrayRef<Trial> trials, double deadline) = 0;
  /// Runs `run` in turns by default and with the plans `chosen`, until `deadline`: what each pair of runs took, in
  /// nanoseconds, default first. Without a pair where a run failed.
  virtual std::vector<std::pair<double, double>> compare(unsigned run, llvm::ArrayRef<Arm> chosen, double deadline) = 0;
};

/// A plan that was measured: the logarithm of its time by the default plan's, and the variance of that.
struct Observation {
  unsigned candidate = 0;
  double value = 0, variance = 0;
};

/// What came of a kernel.
struct KernelResult {
  /// The plan to use; 0: the default one.
  unsigned chosen = 0;
  /// What the default plan and the chosen one took next to each other, in nanoseconds; of the last comparison of both.
  std::vector<std::pair<double, double>> samples;
  /// How each candidate fared.
  std::vector<Fate> fates;
  /// What was seen of the plans that were measured.
  std::vector<Observation> observations;
  /// It was left alone because it is within a twentieth of its bound.
  bool isAtBound = false;
};

/// What came of a run.
struct RunResult {
  /// What whole runs took by default and with the chosen plans, in nanoseconds; where none were kept, with the
  /// last that were compared. Kept without
  /// any: the user asked to end before, and each plan was proven alone.
  std::vector<std::pair<double, double>> samples;
  /// Whether the chosen plans of its kernels were kept: without that they are all 0.
  bool isKept = false;
};

struct SearchResult {
  std::vector<KernelResult> kernels;
  std::vector<RunResult> runs;
  bool isInterrupted = false;
};

/// What can be said while it goes on.
struct Progress {
  /// Kernels that nothing more will be tried of, and all.
  unsigned done = 0, kernels = 0;
  /// Seconds left.
  double left = 0;
  /// How much faster the runs are by what is known, 1 without gain: the geometric mean.
  double gain = 1;
};

struct SearchOptions {
  /// When all must have ended, a time of `Laboratory::now`.
  double end = 600;
  /// How many plans are compiled at once, for a first guess of how long they take.
  unsigned builders = 2;
  std::function<void(const Progress &)> progress = [](const Progress &) {};
};

/// Tries plans until the time is over, nothing is left, or the user has had enough. See docs/tuning.md.
SearchResult search(const Problem &problem, Laboratory &laboratory, const SearchOptions &options);

} // namespace quern::tuner

#endif // QUERN_TUNER_SEARCH_H
