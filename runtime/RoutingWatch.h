//===- RoutingWatch.h - which experts the rows of a run choose ---------------------------------===//

#ifndef QUERN_RUNTIME_ROUTINGWATCH_H
#define QUERN_RUNTIME_ROUTINGWATCH_H

#include "quern/Runtime.h"
#include "runtime/devices/Device.h"

namespace quern::runtime {

/// Where choices are noted, and which.
struct RoutingNotes {
  RoutingRecord record = RoutingRecord::None;
  /// For each array of experts.
  std::vector<ExpertChoices> choices;
};

/// Looks at what rows chose, launch by launch of one run.
class RoutingWatch {
public:
  /// A run of `program`, of sizes `dims`, whose kernels write to `arena` of `device`. Everything outlives the watch.
  RoutingWatch(const Description &description, const Program &program, const int32_t *dims, Device &device,
               uint8_t *arena, RoutingNotes &notes);

  /// Looks at what launch number `launch` has left.
  void finish(uint32_t launch);
  /// How many experts at least one row chose, of those that launch number `launch` reads; 0 where it reads none.
  int32_t countChosen(uint32_t launch) const;

private:
  int32_t look(const Routing &routing);

  const Description &description;
  const Program &program;
  const int32_t *dims;
  Device &device;
  uint8_t *arena;
  RoutingNotes &notes;
  /// For each choice of the program that was looked at.
  std::vector<int32_t> chosen;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_ROUTINGWATCH_H
