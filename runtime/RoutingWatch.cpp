//===- RoutingWatch.cpp - which experts the rows of a run choose -------------------------------===//

#include "runtime/RoutingWatch.h"

#include <algorithm>

namespace quern::runtime {

RoutingWatch::RoutingWatch(const Description &description, const Program &program, const int32_t *dims, Device &device,
                           uint8_t *arena, RoutingNotes &notes)
    : description(description), program(program), dims(dims), device(device), arena(arena), notes(notes) {}

void RoutingWatch::finish(uint32_t launch) {
  // Choices are in the order of the launches.
  while (chosen.size() < program.routing.size() && program.routing[chosen.size()].launch == launch)
    chosen.push_back(look(program.routing[chosen.size()]));
}

int32_t RoutingWatch::countChosen(uint32_t launch) const {
  for (size_t i = chosen.size(); i-- > 0;) {
    const std::vector<uint32_t> &readers = program.routing[i].readers;
    if (std::find(readers.begin(), readers.end(), launch) != readers.end())
      return chosen[i];
  }
  return 0;
}

/// Notes one choice; how many experts at least one row chose.
int32_t RoutingWatch::look(const Routing &routing) {
  const ExpertArray &array = description.experts[routing.array];
  int64_t rows = routing.rows.symbol < 0 ? routing.rows.size : dims[routing.rows.symbol], slots = routing.slots;
  auto open = [&](uint64_t offset, int64_t count) {
    return HostView::open(device, arena + offset, static_cast<uint64_t>(count) * sizeof(int32_t));
  };
  Result<HostView> orderView = open(routing.order, rows * slots), beginsView = open(routing.begins, array.experts + 1);
  // A device that has failed says so at the end of the run.
  if (!orderView || !beginsView)
    return 0;
  const auto *order = reinterpret_cast<const int32_t *>(orderView->data());
  const auto *begins = reinterpret_cast<const int32_t *>(beginsView->data());
  ExpertChoices &choices = notes.choices[routing.array];
  bool isCounted = notes.record != RoutingRecord::None, isKept = notes.record == RoutingRecord::Rows;
  size_t first = choices.chosen.size();
  if (isKept)
    choices.chosen.resize(first + static_cast<size_t>(rows), std::vector<int32_t>(static_cast<size_t>(slots)));
  choices.rows += isCounted ? rows : 0;
  int32_t different = 0;
  for (int32_t place = 0; place < array.experts; ++place) {
    int64_t begin = std::max(begins[place], 0), end = std::min<int64_t>(begins[place + 1], rows * slots);
    different += begin < end;
    int32_t expert = array.order[static_cast<size_t>(place)];
    // A row that chooses an expert twice does so in two slots that follow each other here.
    int64_t lastRow = -1;
    for (int64_t i = begin; isCounted && i < end; ++i) {
      int32_t slot = order[i];
      int64_t row = slot / slots;
      if (slot < 0 || row >= rows)
        continue;
      choices.counts[static_cast<size_t>(expert)] += row != lastRow;
      lastRow = row;
      if (isKept)
        choices.chosen[first + static_cast<size_t>(row)][static_cast<size_t>(slot % slots)] = expert;
    }
  }
  return different;
}

} // namespace quern::runtime
