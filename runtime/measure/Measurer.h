//===- Measurer.h - plans of kernels, measured where they run -----------------------------------===//

#ifndef QUERN_RUNTIME_MEASURE_MEASURER_H
#define QUERN_RUNTIME_MEASURE_MEASURER_H

#include "quern/Runtime.h"
#include "runtime/measure/Arms.h"

#include <cstdint>
#include <string>
#include <vector>

namespace quern::runtime {

/// What is to be run.
struct MeasureRequest {
  std::string entry;
  /// `NAME=N` for each symbol.
  std::vector<std::string> sizes;
  /// Cache rows before the step.
  int64_t depth = 0;
  /// When to end, on the system's monotonic clock, in nanoseconds.
  int64_t end = 0;
  /// `profile`: what each kernel takes; `trials`: all arms in turns; `pairs`: whole runs by arm 0 and by the last arms.
  std::string mode;
};

/// Runs one entry again and again, while its kernels' arms take turns from launch to launch. So all kernels are
/// measured at once, on the weights and caches of the model, as cold or as warm as they are in it, by its threads; and
/// what arms are compared by happened next to each other.
class Measurer {
public:
  /// `state` tells what runs.
  Measurer(Session &session, const MeasureRequest &request, QuernMeasureState &state);

  /// Runs until the time is over, and prints what was seen to the standard output, a line each:
  ///
  ///   device NAME                      what runs the kernels (`profile`)
  ///   ready                            what comes is measured
  ///   kernel K LAUNCHES NANOSECONDS BYTES OPERATIONS LEAST   of one run, where LEAST are the nanoseconds that the
  ///                                    machine needs at least, 0 where that is not known (`profile`)
  ///   run NANOSECONDS                  a whole one (`profile`)
  ///   block K T0 T1 …                  what launches of each arm of kernel K took that stood next to each other, in
  ///                                    nanoseconds; inf for one that was hopeless
  ///   differs K ARM                    results of the entry have other bits with that arm
  ///   pair T0 T1                       runs that stood next to each other
  Result<void> run();

private:
  struct Turns {
    /// The arms that take part, and the times of the block at hand.
    std::vector<uint32_t> active;
    std::vector<double> times;
    uint32_t next = 0, seen = 0;
    /// How many launches of the block that is being launched began; their times may come later.
    uint32_t begun = 0;
    /// How many blocks there were.
    uint32_t blocks = 0;
    /// For each arm, the sum of its times in the first blocks; for the hopeless.
    std::vector<double> sums;
    bool isJudged = false;
    /// Arms that a device has run before.
    std::vector<bool> wasLaunched;
  };
  struct Launched {
    uint32_t kernel, arm;
  };
  struct Block {
    uint32_t kernel;
    std::vector<double> times;
  };
  enum class Choice { First, Last, Fixed, Turns };

  static void onLaunch(void *context, int32_t kernel, int32_t begin);
  void beginLaunch(uint32_t kernel);
  void endLaunch(uint32_t kernel);
  bool isTimed(uint32_t kernel) const;
  void checkFirstLaunch(uint32_t kernel);
  Result<void> settle();
  void note(Launched launch, double time);
  void finishBlock(uint32_t kernel);
  void judge(uint32_t kernel);
  Result<void> prepare();
  Result<bool> runOnce(Choice choice);
  Result<bool> runTimed(Choice choice, int64_t &time);
  Result<void> warmUp();
  uint32_t countMostArms() const;
  Result<void> tryArm(uint32_t arm);
  Result<void> profile();
  Result<void> runTrials();
  Result<void> findFaults();
  Result<void> findFaults(uint32_t arm, std::vector<uint32_t> kernels);
  Result<void> runPairs();
  void exclude(uint32_t kernel, uint32_t arm, const char *why);
  bool isOver() const;

  Session &session;
  const MeasureRequest &request;
  QuernMeasureState &state;
  uint32_t entry = 0;
  std::vector<int64_t> sizes;
  std::vector<Tensor> inputs, outputs;
  /// The bits of the outputs by arms 0.
  std::vector<std::vector<uint8_t>> reference;
  bool hasVariables = false;
  /// When the first run began.
  int64_t begin = 0;

  Choice choice = Choice::First;
  std::vector<Turns> turns;
  /// For each kernel, the arm of `Fixed` runs.
  std::vector<uint32_t> fixed;
  std::vector<Block> blocks;
  /// Launches between two marks each, whose times were not taken yet: a device's are when a run has ended, so that
  /// nobody waits between its launches.
  std::vector<Launched> launched;
  std::vector<int64_t> times;
  bool isHost = true;
  uint32_t launchArm = 0;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_MEASURE_MEASURER_H
