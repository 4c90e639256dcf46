/// What rows choose is read where kernels leave it: counted, kept, and without rows that repeat others.

#include "Check.h"
#include "runtime/RoutingWatch.h"

#include <algorithm>
#include <array>

using namespace quern::runtime;
using quern::test::Checks;

namespace {

/// Experts 2, 0 and 1 lie in this order. The choices of up to four rows, two each, are there after launches 1 and 4.
struct Toy {
  Description description;
  Program program;
  std::array<int32_t, 32> arena{};
  std::unique_ptr<Device> device = createCpu();
  RoutingNotes notes;

  Toy() {
    description.experts.push_back({"experts", 3, 96, {2, 0, 1}});
    program.routing.push_back({0, {0, 0}, 2, 1, 0, 64, {2, 3}});
    program.routing.push_back({0, {2, -1}, 2, 4, 0, 64, {5}});
    notes.choices.push_back({0, std::vector<int64_t>(3), {}});
  }

  /// Slots in the order of places, and where those of each place begin.
  void leave(const std::vector<int32_t> &order, const std::vector<int32_t> &begins) {
    std::copy(order.begin(), order.end(), arena.begin());
    std::copy(begins.begin(), begins.end(), arena.begin() + 16);
  }

  RoutingWatch watch(const int32_t &rows) {
    return {description, program, &rows, *device, reinterpret_cast<uint8_t *>(arena.data()), notes};
  }
};

using Rows = std::vector<std::vector<int32_t>>;

void testRows(Checks &checks) {
  Toy toy;
  toy.notes.record = RoutingRecord::Rows;
  int32_t rows = 3;
  RoutingWatch watch = toy.watch(rows);
  watch.finish(0);
  checks.equal(watch.countChosen(2), 0);
  checks.equal(toy.notes.choices[0].rows, 0);
  // Rows (0, 1), (2, 0), (1, 1).
  toy.leave({2, 0, 3, 1, 4, 5}, {0, 1, 3, 6});
  watch.finish(1);
  checks.equal(watch.countChosen(2), 3);
  checks.equal(watch.countChosen(3), 3);
  checks.equal(watch.countChosen(1), 0);
  checks.equal(watch.countChosen(5), 0);
  checks.equal(toy.notes.choices[0].rows, 3);
  checks.that(toy.notes.choices[0].counts == std::vector<int64_t>{2, 2, 1});
  checks.that(toy.notes.choices[0].chosen == Rows{{0, 1}, {2, 0}, {1, 1}});
  // Then two rows that choose alike.
  toy.leave({0, 2, 1, 3}, {0, 2, 2, 4});
  watch.finish(2);
  watch.finish(3);
  watch.finish(4);
  checks.equal(watch.countChosen(5), 2);
  checks.equal(watch.countChosen(3), 3);
  checks.equal(toy.notes.choices[0].rows, 5);
  checks.that(toy.notes.choices[0].counts == std::vector<int64_t>{2, 4, 3});
  checks.that(toy.notes.choices[0].chosen == Rows{{0, 1}, {2, 0}, {1, 1}, {2, 1}, {2, 1}});
}

/// Counts alone, or nothing; how many experts were chosen is known in any case.
void testLimits(Checks &checks) {
  Toy toy;
  toy.leave({2, 0, 3, 1, 4, 5}, {0, 1, 3, 6});
  int32_t rows = 3;
  RoutingWatch silent = toy.watch(rows);
  silent.finish(0);
  silent.finish(1);
  checks.equal(silent.countChosen(2), 3);
  checks.that(toy.notes.choices[0].rows == 0 && toy.notes.choices[0].chosen.empty());
  toy.notes.record = RoutingRecord::Counts;
  RoutingWatch counting = toy.watch(rows);
  counting.finish(0);
  counting.finish(1);
  checks.equal(counting.countChosen(2), 3);
  checks.equal(toy.notes.choices[0].rows, 3);
  checks.that(toy.notes.choices[0].counts == std::vector<int64_t>{2, 2, 1});
  checks.that(toy.notes.choices[0].chosen.empty());
}

/// What no kernel leaves is not followed out of the arena.
void testNonsense(Checks &checks) {
  Toy toy;
  toy.notes.record = RoutingRecord::Rows;
  toy.leave({-7, 1000000, INT32_MIN, INT32_MAX, 5, 0}, {-5, 1000, 2, INT32_MAX});
  int32_t rows = 3;
  RoutingWatch watch = toy.watch(rows);
  watch.finish(0);
  watch.finish(1);
  checks.equal(toy.notes.choices[0].rows, 3);
  checks.equal(toy.notes.choices[0].chosen.size(), 3u);
}

} // namespace

int main() {
  Checks checks;
  testRows(checks);
  testLimits(checks);
  testNonsense(checks);
  return checks.status();
}
