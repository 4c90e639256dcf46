//===- ScheduleDatabase.h - schedules that were measured --------------------------------------===//

#ifndef QUERN_PASSES_TILE_SCHEDULEDATABASE_H
#define QUERN_PASSES_TILE_SCHEDULEDATABASE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace quern {

/// A schedule as numbers: the value of each knob.
using Plan = std::map<std::string, int64_t>;

/// Times in nanoseconds that were taken next to each other: without what is tried (`base`), and with it.
using TimePairs = std::vector<std::pair<int64_t, int64_t>>;

/// How much faster what is tried is at least: the lower bound, at a confidence of 95 %, of the median of base / tried.
/// It is the order statistic of the sign test (Conover, Practical Nonparametric Statistics, 3.2), so that it assumes
/// nothing of how times are distributed; few or scattered samples lower it. 0 below 5 samples, which prove nothing.
double getProvenGain(const TimePairs &samples);

/// What was measured: what a kernel computes, in a form of a version, for a target, on so many threads.
struct ScheduleKey {
  /// What the kernel computes, in 64 hexadecimal digits.
  std::string digest;
  std::string form;
  int64_t formVersion = 0;
  std::string target;
  int64_t threads = 1;

  auto operator<=>(const ScheduleKey &) const = default;
};

/// A plan that was measured beside the plan `base` of its row.
struct Trial {
  Plan plan;
  /// Its time by that of `base`, and by how much the logarithm of that may be wrong: a standard error.
  double time = 1, error = 0;
  /// By how much each feature is more than that of `base`.
  std::vector<double> features;

  auto operator<=>(const Trial &) const = default;
};

/// What was measured of a kernel besides its best plan, for a cost model to learn from.
struct Trials {
  /// Kernels of one family are taken to respond alike to what the features say.
  std::string family;
  /// Their names.
  std::vector<std::string> features;
  std::vector<Trial> plans;

  auto operator<=>(const Trials &) const = default;
};

/// The plan that a kernel had best, and the one that it was compared with.
struct ScheduleRow {
  /// The kernel's name, for people.
  std::string kernel;
  /// `plan == base` says that nothing was better than `base`.
  Plan plan, base;
  /// What `base` and `plan` took.
  TimePairs samples;
  /// `plan` adds in another order than `base`.
  bool changesRounding = false;
  /// May be empty.
  Trials trials;

  /// How much faster than `base` the plan is for sure: 1 where it is `base`, else `getProvenGain` of the samples.
  double getGain() const;
  auto operator<=>(const ScheduleRow &) const = default;
};

/// An entry of a model as it was run.
struct EntryKey {
  std::string model, entry;
  /// `s=512`; empty where it has none.
  std::string sizes;
  std::string target;
  int64_t threads = 1;

  auto operator<=>(const EntryKey &) const = default;
};

/// What whole runs of an entry took by the default plans, and by the measured ones.
struct EntryGain {
  TimePairs samples;

  auto operator<=>(const EntryGain &) const = default;
};

/// A machine that was measured on.
struct Machine {
  std::string processor;
  int64_t cores = 0;
  /// Of one core; l3 of all that share it. 0: unknown.
  int64_t l1Bytes = 0, l2Bytes = 0, l3Bytes = 0;

  auto operator<=>(const Machine &) const = default;
};

/// What a machine can do at most, by the names of runtime/Limits.h, in thousand millions per second.
using MachineLimits = std::map<std::string, double>;

/// What wrote the rows; of a database that was merged, the oldest compiler.
struct Versions {
  std::string quern, llvm, halide;
};

/// A cost model that was fitted. The logarithm of a plan's time by that of another one is expected to be the sum over
/// all features of `weight` times the difference of both plans' features.
struct FittedFeature {
  std::string name;
  double weight = 0;
  /// By how much the weight may be wrong: a standard deviation.
  double deviation = 0;
  /// The differences from the plan that the compiler would have chosen, as far as they were seen: of others the model
  /// says nothing.
  double least = 0, most = 0;
};
struct FittedModel {
  std::vector<FittedFeature> features;
  /// To be chosen a plan must be expected to be faster than the one that the compiler would choose by `margin`, a
  /// logarithm, and by `caution` times the standard deviation of what is expected.
  double margin = 0, caution = 0;
};

/// Measured schedules, as a JSON file holds them (docs/schedules.md has the format). What a reader has let pass has the
/// right types, and stays within the bounds below; whether a form, a knob or a value exists is not its business.
struct ScheduleDatabase {
  Versions versions;
  std::map<Machine, MachineLimits> machines;
  std::map<ScheduleKey, ScheduleRow> rows;
  std::map<EntryKey, EntryGain> entries;
  /// Fits by family and target.
  std::map<std::string, std::map<std::string, FittedModel>> models;

  /// Reads the file `path`; an error names the file, the place, what was found and what was expected.
  static llvm::Expected<ScheduleDatabase> read(llvm::StringRef path);
  /// Reads `text`; `name` stands for the file in errors.
  static llvm::Expected<ScheduleDatabase> parse(llvm::StringRef text, llvm::StringRef name);

  /// Writes the JSON text: the same bytes for the same content.
  void print(llvm::raw_ostream &os) const;
  /// Puts the file at `path`, whole or not at all. Refuses what `read` would refuse: a database that is too large.
  llvm::Error write(llvm::StringRef path) const;
  /// Changes the file `path`: reads it (it need not exist), lets `change` work on it, and writes it, while no other
  /// process changes it by this function. A file that is no database stays as it is, unless it is empty. A pipe, a
  /// terminal or an open descriptor (`/dev/stdout`) is written alone.
  static llvm::Error update(llvm::StringRef path, llvm::function_ref<llvm::Error(ScheduleDatabase &)> change);

  /// Adds a row. Of two rows with one key the better stays: that with the larger gain; of equal gains that with more
  /// samples; of equally many one that depends on their contents alone.
  void add(const ScheduleKey &key, ScheduleRow row);
  /// Adds what an entry gained, by the same rule.
  void add(const EntryKey &key, EntryGain gain);
  /// Adds all rows, entries and machines of `other`, of which the higher limits stay: they were measured in more quiet.
  /// Drops the models, which have to be fitted to all rows. The order of merges is of no consequence, nor is how often
  /// something is merged.
  void merge(ScheduleDatabase other);
  /// Why there is more than a file may hold; who merges many files asks after each.
  llvm::Error checkSize() const;

  /// The row with this key, or null.
  const ScheduleRow *lookup(const ScheduleKey &key) const;
  /// The row for a binary of which nobody knows on how many threads it will run, or null. A binary takes all processors
  /// unless it is told otherwise, and what is best for one thread may leave the others without work: so rows that were
  /// measured on several threads come first, and of those the one with the larger gain, as `add` has it.
  const ScheduleRow *lookup(llvm::StringRef digest, llvm::StringRef form, int64_t formVersion,
                            llvm::StringRef target) const;

  /// The model for kernels of a family on a target, or null.
  const FittedModel *findModel(llvm::StringRef family, llvm::StringRef target) const;

  /// The word that begins each file of this format.
  static constexpr llvm::StringLiteral format = "quern-schedules-2";
  static constexpr uint64_t maxBytes = 64 << 20;
  static constexpr size_t maxRows = 1 << 16, maxEntries = 1 << 16, maxMachines = 256;
  static constexpr size_t maxKnobs = 16, maxFeatures = 24, maxLimits = 64, maxSamples = 256, maxTrials = 512;
  /// Models by family, and by target.
  static constexpr size_t maxModels = 64;
  static constexpr int64_t maxThreads = 1024;
  /// In nanoseconds, more than eleven days.
  static constexpr int64_t maxTime = 1'000'000'000'000'000;
};

} // namespace quern

#endif // QUERN_PASSES_TILE_SCHEDULEDATABASE_H
