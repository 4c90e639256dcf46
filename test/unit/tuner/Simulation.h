/// A laboratory with a clock, times and troubles of its own.
#ifndef QUERN_TEST_UNIT_TUNER_SIMULATION_H
#define QUERN_TEST_UNIT_TUNER_SIMULATION_H

#include "tuner/Search.h"

#include <random>

namespace quern::test {

/// The same numbers everywhere.
class Random {
public:
  explicit Random(uint64_t seed) : engine(seed) {}
  double uniform() { return static_cast<double>(engine() >> 11) * 0x1p-53; }
  double uniform(double from, double to) { return from + (to - from) * uniform(); }
  /// A normal distribution's, of mean 0 and deviation 1; nearly: the sum of 12.
  double normal();
  uint64_t below(uint64_t bound) { return engine() % bound; }

private:
  std::mt19937_64 engine;
};

/// What plans of a kernel really take.
struct SimulatedKernel {
  /// How often a run launches it.
  unsigned launches = 1;
  /// For each plan, its time by that of the default plan.
  std::vector<double> factors;
  /// What becomes of each.
  std::vector<tuner::Fate> fates;
  /// Seconds that a plan takes to compile.
  double compiling = 1;
};

/// How times scatter.
struct Noise {
  /// Of the logarithm of a launch's time, and of a whole run's.
  double jitter = 0.04, runJitter = 0.02;
  /// Of the logarithm of a plan's time in one call: where its process put things.
  double placement = 0.01;
  /// How often a launch takes three times as long.
  double outliers = 0.01;
  /// What part of the time, in stretches of three seconds, all takes half as long again.
  double slow = 0.15;
};

struct World {
  tuner::Problem problem;
  std::vector<SimulatedKernel> kernels;
  Noise noise;
  unsigned builders = 2;
  /// Seconds before the search begins, before a call measures, and until a plan that hangs is given up.
  double before = 5, setup = 1.5, patience = 10;

  /// Of a run, with the plans chosen: its time by that by default.
  double getFactor(unsigned run, llvm::ArrayRef<unsigned> chosen) const;
  /// For each kernel, the fastest plan that works.
  std::vector<unsigned> getFastest() const;
};

/// A run of `count` kernels, which are launched `launches` times each in `seconds` in all, of plans with knobs, whose
/// default ones are those that a model of the machine finds best; `quality` (0 to 1): how far that model is right.
/// Added to `world`.
void addRun(World &world, Random &random, llvm::StringRef name, unsigned count, unsigned launches, double seconds,
            double quality = 0.6);

/// A run of `count` kernels of `families` families, each launched once. Kernels of a family have the same knobs, whose
/// effects (logarithms of times) correlate by about `likeness`; each kernel can be made 1.1 to 1.3 times as fast, or
/// somewhat less. Families are the same for all runs that are added with the same `seed`.
void addFamilies(World &world, Random &random, llvm::StringRef name, unsigned count, unsigned families, double seconds,
                 double likeness, uint64_t seed);

class SimulatedLaboratory : public tuner::Laboratory {
public:
  SimulatedLaboratory(const World &world, uint64_t seed)
      : world(world), random(seed), seed(seed), clock(world.before) {}

  double now() override { return clock; }
  bool isInterrupted() override { return clock >= interruptedAt; }
  std::vector<tuner::Fate> build(llvm::ArrayRef<tuner::Arm> arms, double deadline) override;
  tuner::Measurement measure(unsigned run, llvm::ArrayRef<tuner::Trial> trials, double deadline) override;
  std::vector<std::pair<double, double>> compare(unsigned run, llvm::ArrayRef<tuner::Arm> chosen,
                                                 double deadline) override;

  double interruptedAt = 1e9;
  unsigned builds = 0, measurements = 0, comparisons = 0;
  /// Seconds that comparisons took.
  double comparing = 0;
  /// Plans that were measured before they were built, or after they had failed: mistakes of the search.
  unsigned mistakes = 0;

private:
  double getPhase() const;
  double scatter(double deviation);
  void giveUpHopeless(llvm::ArrayRef<tuner::Trial> trials, llvm::MutableArrayRef<tuner::Block> blocks) const;
  double runOnce(unsigned run, llvm::ArrayRef<tuner::Trial> trials, std::vector<unsigned> &turns,
                 tuner::Measurement &seen, std::vector<std::vector<double>> &open);

  const World &world;
  Random random;
  uint64_t seed;
  double clock;
  std::vector<std::vector<double>> placements;
  std::vector<std::pair<unsigned, unsigned>> built, failed;
};

} // namespace quern::test

#endif
