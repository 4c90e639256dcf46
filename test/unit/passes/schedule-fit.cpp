/// Cost models that are fitted to measured schedules, of made-up measurements.
#include "passes/tile/ScheduleFit.h"
#include "test/unit/Check.h"

#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <random>

using namespace quern;

static test::Checks checks;

namespace {
/// What measurements of a family are made of.
struct World {
  /// What the features `height` and `estimate` really do, and by how much plans differ from that.
  double height = 0, estimate = 1, noise = 0;
  /// The first shape responds the other way round.
  bool hasOddShape = false;
};
} // namespace

static ScheduleKey makeKey(unsigned index) {
  std::string digest(64, '0');
  digest.back() = static_cast<char>('0' + index % 10);
  digest[0] = static_cast<char>('0' + index / 10);
  return {digest, "conv", 1, "zen4", 2};
}

/// So many shapes, of each some plans whose features are not those of any other.
static ScheduleDatabase makeDatabase(unsigned shapes, const World &world) {
  ScheduleDatabase database;
  database.versions = {"0.1.0", "22.1.0", "21.0.0"};
  std::mt19937 random(7);
  auto draw = [&](double from, double to) {
    return std::round((from + (to - from) * double(random() % 1000) / 1000) * 1000) / 1000;
  };
  for (unsigned i = 0; i < shapes; ++i) {
    ScheduleRow row;
    row.kernel = "quern_conv_f32_" + std::to_string(8 * i + 8) + "x64";
    row.plan = row.base = {{"rows", 1}};
    row.trials = {"conv.f32", {"height", "tail", "estimate"}, {}};
    for (int64_t rows = 2; rows < 10; ++rows) {
      std::vector<double> features = {draw(-1, 1), draw(-1, 1), draw(0, 0.3)};
      double height = world.hasOddShape && i == 0 ? -world.height : world.height;
      double value = height * features[0] + world.estimate * features[2] + world.noise * draw(-1, 1);
      row.trials.plans.push_back({{{"rows", rows}}, std::exp(value), 0.01, features});
    }
    database.add(makeKey(i), row);
  }
  return database;
}

static const FittedModel *find(const ScheduleDatabase &database) {
  auto family = database.models.find("conv.f32");
  return family == database.models.end() ? nullptr : &family->second.at("zen4");
}

/// What features do is found, and carries to shapes that were not measured.
static void checkLearning() {
  ScheduleDatabase database = makeDatabase(12, {0.2, 1, 0.01});
  fitModels(database);
  const FittedModel *model = find(database);
  if (!checks.that(model != nullptr))
    return;
  checks.equal(model->features[0].name, "height");
  checks.that(std::abs(model->features[0].weight - 0.2) < 0.02);
  checks.that(std::abs(model->features[1].weight) < 0.02);
  checks.that(std::abs(model->features[2].weight - 1) < 0.1);
  FitCheck check = checkModels(database).at({"conv.f32", "zen4"});
  checks.equal(check.shapes, 12u);
  checks.equal(check.kernels, 12u);
  checks.equal(check.plans, 96u);
  checks.that(check.reached > 0.98 && check.least >= 0.98 && check.mean > 1.05 && check.mean <= check.best);
  // Of what was not seen it says nothing.
  Prediction known = predict(*model, {-0.5, 0, 0});
  checks.that(known.isKnown && std::abs(known.value + 0.1) < 0.02 && known.deviation > 0 && known.deviation < 0.05);
  Prediction high = predict(*model, {-1.5, 0, 0}), dear = predict(*model, {-0.9, 0, 0.4});
  checks.that(!high.isKnown && high.value < known.value && !dear.isKnown);
  checks.equal(choosePlan(*model, {Prediction(), known, high, dear}).value_or(9), 1u);
  checks.that(!choosePlan(*model, {Prediction(), high, dear}));
  // Fitted again, and from rows that were added in another order, it is the same to the bit.
  auto print = [](const ScheduleDatabase &database) {
    std::string text;
    llvm::raw_string_ostream os(text);
    database.print(os);
    return text;
  };
  ScheduleDatabase other;
  other.versions = database.versions;
  for (auto row = database.rows.rbegin(); row != database.rows.rend(); ++row)
    other.add(row->first, row->second);
  fitModels(other);
  checks.equal(print(other), print(database));
}

/// Where the estimates are right, or nothing can be told, there is no model.
static void checkRefusing() {
  for (World world : {World{0, 1, 0}, World{0, 1, 0.02}}) {
    ScheduleDatabase database = makeDatabase(12, world);
    database.models["conv.f32"]["zen4"] = {};
    fitModels(database);
    checks.that(!find(database));
    checks.that(checkModels(database).at({"conv.f32", "zen4"}).least == 1);
  }
  // Few shapes say nothing of others.
  ScheduleDatabase few = makeDatabase(3, {0.2, 1, 0});
  fitModels(few);
  checks.that(few.models.empty());
  checks.that(checkModels(few).empty());
}

/// No shape loses by a model that it was left out of: where one responds in another way than all others, models promise
/// less, or there is none.
static void checkNeverMuchSlower() {
  ScheduleDatabase plain = makeDatabase(8, {0.2, 1, 0}), odd = makeDatabase(8, {0.2, 1, 0, true});
  FitCheck usual = checkModels(plain).at({"conv.f32", "zen4"}), cautious = checkModels(odd).at({"conv.f32", "zen4"});
  checks.that(usual.least >= 0.98 && cautious.least >= 0.98);
  checks.that(cautious.mean < usual.mean);
}

/// Rows that know other features, or change rounding, are left out.
static void checkForeignRows() {
  ScheduleDatabase database = makeDatabase(12, {0.2, 1, 0});
  for (unsigned i : {1u, 4u}) {
    ScheduleRow &row = database.rows.at(makeKey(i));
    row.trials.features = {"bytes", "tail", "estimate"};
  }
  database.rows.at(makeKey(2)).changesRounding = true;
  fitModels(database);
  checks.equal(checkModels(database).at({"conv.f32", "zen4"}).shapes, 9u);
  checks.that(find(database) && find(database)->features[0].name == "height");
}

int main() {
  checkLearning();
  checkRefusing();
  checkNeverMuchSlower();
  checkForeignRows();
  return checks.status();
}
