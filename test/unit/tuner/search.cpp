/// What a search for schedules finds, keeps and spends, in laboratories whose clock and whose times are simulated.
///
///   search           the checks
///   search report    what is gained of what can be, by time

#include "Check.h"
#include "Simulation.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>
#include <cstdio>
#include <string_view>

using namespace quern::test;
using namespace quern::tuner;

namespace {

struct Outcome {
  SearchResult result;
  std::vector<unsigned> chosen;
  /// When it ended, and what the laboratory counted.
  double end = 0, comparing = 0;
  unsigned builds = 0, measurements = 0, comparisons = 0, mistakes = 0;
};

} // namespace

static Outcome look(SimulatedLaboratory &laboratory, const World &world, double end) {
  SearchOptions options;
  options.end = end;
  options.builders = world.builders;
  Outcome outcome;
  outcome.result = search(world.problem, laboratory, options);
  for (const KernelResult &kernel : outcome.result.kernels)
    outcome.chosen.push_back(kernel.chosen);
  outcome.end = laboratory.now();
  outcome.builds = laboratory.builds;
  outcome.measurements = laboratory.measurements;
  outcome.comparisons = laboratory.comparisons;
  outcome.mistakes = laboratory.mistakes;
  outcome.comparing = laboratory.comparing;
  return outcome;
}

static Outcome look(const World &world, uint64_t seed, double end) {
  SimulatedLaboratory laboratory(world, seed);
  return look(laboratory, world, end);
}

/// A token of a language model.
static World makeToken(uint64_t seed) {
  World world;
  Random random(seed);
  addRun(world, random, "token", 10, 30, 0.04);
  return world;
}

/// A token and a prompt.
static World makeDecoder(uint64_t seed) {
  World world;
  Random random(seed);
  addRun(world, random, "token", 12, 30, 0.04);
  addRun(world, random, "prompt", 12, 30, 1.2);
  return world;
}

/// An image, by many kernels each of which is launched once.
static World makeImage(uint64_t seed) {
  World world;
  Random random(seed);
  addRun(world, random, "image", 60, 1, 0.1);
  return world;
}

/// An image alone and eight at once, by kernels of some families, of which the compiler takes a while.
static World makeFamilies(uint64_t seed) {
  World world;
  Random random(seed);
  addFamilies(world, random, "one", 60, 4, 0.088, 0.6, seed);
  addFamilies(world, random, "eight", 60, 4, 0.515, 0.6, seed);
  world.before = 34;
  world.setup = 2;
  return world;
}

/// The same, of which nothing says that they are families.
static World makeStrangers(uint64_t seed) {
  World world = makeFamilies(seed);
  for (KernelSpace &kernel : world.problem.kernels)
    kernel.family.clear();
  return world;
}

/// The logarithm of how much faster the runs are, on average.
static double getGain(const World &world, llvm::ArrayRef<unsigned> chosen) {
  double sum = 0;
  for (unsigned run = 0; run < world.problem.runs.size(); ++run)
    sum -= std::log(world.getFactor(run, chosen));
  return sum / static_cast<double>(world.problem.runs.size());
}

static double getMiddle(std::vector<double> values) {
  llvm::sort(values);
  return values[values.size() / 2];
}

/// What holds of every search.
static void checkSound(Checks &checks, const World &world, const Outcome &outcome, double end) {
  checks.that(outcome.end <= end * 1.05 + (world.before > end ? world.before : 0));
  checks.equal(outcome.mistakes, 0u);
  checks.equal(outcome.result.kernels.size(), world.kernels.size());
  checks.equal(outcome.result.runs.size(), world.problem.runs.size());
  for (auto [kernel, result] : llvm::enumerate(outcome.result.kernels)) {
    checks.equal(result.fates.size(), world.kernels[kernel].factors.size());
    for (auto [candidate, fate] : llvm::enumerate(result.fates))
      checks.that(fate == Fate::Untried || fate == world.kernels[kernel].fates[candidate]);
    if (result.chosen == 0)
      continue;
    checks.that(result.fates[result.chosen] == Fate::Fine);
    checks.that(outcome.result.runs[world.problem.kernels[kernel].run].isKept);
    checks.that(!result.samples.empty());
  }
  for (unsigned run = 0; run < world.problem.runs.size(); ++run)
    checks.that(world.getFactor(run, outcome.chosen) <= 1.005);
}

/// Nearly all is found in ten minutes, most of it in one, and the same by two searches.
static void checkGains(Checks &checks) {
  std::vector<double> parts, early, apart;
  for (uint64_t seed = 1; seed <= 9; ++seed) {
    World world = seed % 3 == 0 ? makeImage(seed) : seed % 3 == 1 ? makeToken(seed) : makeDecoder(seed);
    Outcome whole = look(world, seed, 600), again = look(world, seed + 100, 600);
    for (const Outcome *outcome : {&whole, &again})
      checkSound(checks, world, *outcome, 600);
    double possible = getGain(world, world.getFastest());
    parts.push_back(getGain(world, whole.chosen) / possible);
    checks.that(parts.back() >= 0.75);
    for (unsigned run = 0; run < world.problem.runs.size(); ++run)
      checks.that(std::abs(std::log(world.getFactor(run, whole.chosen) / world.getFactor(run, again.chosen))) < 0.03);
    World token = makeToken(seed);
    Outcome minute = look(token, seed, 60), minutes = look(token, seed + 200, 600);
    checkSound(checks, token, minute, 60);
    early.push_back(getGain(token, minute.chosen) / getGain(token, minutes.chosen));
  }
  checks.that(getMiddle(parts) >= 0.9);
  checks.that(getMiddle(early) >= 0.7);
}

static void checkBudgets(Checks &checks) {
  for (double end : {20.0, 45.0, 90.0, 240.0})
    for (uint64_t seed = 1; seed <= 8; ++seed) {
      World world = seed % 2 ? makeDecoder(seed) : makeImage(seed);
      world.setup = seed % 3 ? 1.5 : 4;
      for (SimulatedKernel &kernel : world.kernels)
        kernel.compiling *= seed % 4 ? 1 : 3;
      checkSound(checks, world, look(world, seed, end), end);
    }
  // Too little for anything.
  for (double end : {0.5, 5.0, 7.0}) {
    World world = makeToken(1);
    Outcome outcome = look(world, 1, end);
    checkSound(checks, world, outcome, end);
    checks.equal(outcome.end, world.before);
    checks.equal(outcome.builds + outcome.measurements + outcome.comparisons, 0u);
  }
}

/// Nothing to gain: it is said within a minute, and nothing is chosen.
static void checkNothing(Checks &checks) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    World world = seed % 2 ? makeToken(seed) : makeImage(seed);
    for (SimulatedKernel &kernel : world.kernels)
      for (double &factor : kernel.factors)
        factor = std::max(factor, 1.0); // ties among them
    Outcome outcome = look(world, seed, 600);
    checkSound(checks, world, outcome, 600);
    checks.that(outcome.end < 60);
    checks.that(llvm::all_of(outcome.chosen, [](unsigned chosen) { return chosen == 0; }));
  }
}

/// Where all plans are as fast, noise of any kind wins no more often than is stated.
static void checkTies(Checks &checks) {
  unsigned chosen = 0, kernels = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    World world = makeToken(seed);
    world.noise = {seed % 2 ? 0.2 : 0.02, 0.05, seed % 4 ? 0.01 : 0.2, seed % 3 ? 0.15 : 0.5};
    for (SimulatedKernel &kernel : world.kernels)
      kernel.factors.assign(kernel.factors.size(), 1);
    Outcome outcome = look(world, seed, 120);
    checkSound(checks, world, outcome, 120);
    chosen += static_cast<unsigned>(llvm::count_if(outcome.chosen, [](unsigned chosen) { return chosen != 0; }));
    kernels += static_cast<unsigned>(world.kernels.size());
  }
  checks.that(chosen <= kernels / 100);
}

/// What is truly slower than the default plan is hardly ever chosen.
static void checkNeverSlower(Checks &checks) {
  unsigned chosen = 0, slower = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    World world = makeToken(seed);
    world.noise.jitter = seed % 2 ? 0.15 : 0.04;
    world.noise.slow = 0.3;
    Outcome outcome = look(world, seed, 90);
    checkSound(checks, world, outcome, 90);
    for (auto [kernel, plan] : llvm::enumerate(outcome.chosen)) {
      chosen += plan != 0;
      slower += world.kernels[kernel].factors[plan] > 1;
    }
  }
  checks.that(chosen > 100);
  checks.that(slower * 100 <= chosen);
}

/// Plans that fail are recorded, tried once and never chosen, even where they would be the fastest.
static void checkFailures(Checks &checks) {
  constexpr Fate fates[] = {Fate::Refused, Fate::Died, Fate::Hung, Fate::Differs};
  unsigned counts[6] = {};
  std::vector<double> parts;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    World world = makeToken(seed);
    Random random(seed);
    for (SimulatedKernel &kernel : world.kernels)
      for (unsigned plan = 1; plan < kernel.factors.size(); ++plan)
        if (random.uniform() < (kernel.factors[plan] < 1 ? 0.3 : 0.05))
          kernel.fates[plan] = fates[random.below(seed % 2 ? 2 : 4)];
    world.patience = 4;
    Outcome outcome = look(world, seed, 300);
    checkSound(checks, world, outcome, 300);
    for (const KernelResult &kernel : outcome.result.kernels)
      for (Fate fate : kernel.fates)
        ++counts[static_cast<size_t>(fate)];
    parts.push_back(getGain(world, outcome.chosen) / getGain(world, world.getFastest()));
  }
  checks.that(getMiddle(parts) >= 0.7);
  for (unsigned count : counts)
    checks.that(count > 0);
}

/// A kernel whose default plan fails is left alone, and the others are not.
static void checkDefaultFails(Checks &checks) {
  World world = makeToken(8);
  world.kernels[0].fates[0] = Fate::Died;
  Outcome outcome = look(world, 8, 120);
  checkSound(checks, world, outcome, 120);
  checks.equal(outcome.chosen[0], 0u);
  checks.that(outcome.result.kernels[0].fates[0] == Fate::Died);
  checks.that(llvm::any_of(outcome.chosen, [](unsigned chosen) { return chosen != 0; }));
}

/// The user ends it at any time: what is proven stays, and nothing goes on.
static void checkInterrupts(Checks &checks) {
  unsigned kept = 0, uncompared = 0;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    World world = makeDecoder(seed);
    SimulatedLaboratory laboratory(world, seed);
    Random random(seed);
    laboratory.interruptedAt = random.uniform(5, 200);
    Outcome outcome = look(laboratory, world, 200);
    checkSound(checks, world, outcome, 200);
    if (!outcome.result.isInterrupted)
      continue;
    checks.that(outcome.end <= laboratory.interruptedAt + 12);
    for (const RunResult &run : outcome.result.runs) {
      kept += run.isKept;
      uncompared += run.isKept && run.samples.empty();
    }
  }
  checks.that(kept > 10 && uncompared > 10);
}

/// Kernels within a twentieth of their bounds are left alone.
static void checkBounds(Checks &checks) {
  World world = makeToken(7);
  for (unsigned kernel = 0; kernel < world.kernels.size(); kernel += 2)
    world.problem.kernels[kernel].bound = world.problem.kernels[kernel].time / 1.04;
  Outcome outcome = look(world, 7, 120);
  checkSound(checks, world, outcome, 120);
  for (auto [kernel, result] : llvm::enumerate(outcome.result.kernels)) {
    checks.equal(result.isAtBound, kernel % 2 == 0);
    size_t tried = llvm::count_if(result.fates, [](Fate fate) { return fate != Fate::Untried; });
    checks.that(result.isAtBound ? tried == 1 : tried > 1);
  }
  for (KernelSpace &kernel : world.problem.kernels)
    kernel.bound = kernel.time;
  outcome = look(world, 7, 600);
  checkSound(checks, world, outcome, 600);
  checks.equal(outcome.end, world.before);
}

namespace {

/// Plans that are faster each alone, and slower together.
class Crowded : public SimulatedLaboratory {
public:
  using SimulatedLaboratory::SimulatedLaboratory;
  std::vector<std::pair<double, double>> compare(unsigned run, llvm::ArrayRef<Arm> chosen, double deadline) override {
    auto pairs = SimulatedLaboratory::compare(run, {}, deadline);
    all = std::max(all, chosen.size());
    for (auto &pair : pairs)
      pair.second *= fewerFit && chosen.size() < all ? 0.97 : 1.03;
    return pairs;
  }
  /// Whether it is the number of plans; how many there were at most.
  bool fewerFit = false;
  size_t all = 0;
};

/// A laboratory in which something never works.
class Broken : public SimulatedLaboratory {
public:
  using SimulatedLaboratory::SimulatedLaboratory;
  std::vector<Fate> build(llvm::ArrayRef<Arm> arms, double deadline) override {
    std::vector<Fate> fates = SimulatedLaboratory::build(arms, deadline);
    if (!builds)
      fates.assign(arms.size(), Fate::Untried);
    return fates;
  }
  Measurement measure(unsigned run, llvm::ArrayRef<Trial> trials, double deadline) override {
    Measurement seen = SimulatedLaboratory::measure(run, trials, deadline);
    return measures ? seen : Measurement();
  }
  std::vector<std::pair<double, double>> compare(unsigned run, llvm::ArrayRef<Arm> chosen, double deadline) override {
    auto pairs = SimulatedLaboratory::compare(run, chosen, deadline);
    return compares ? pairs : std::vector<std::pair<double, double>>();
  }
  bool builds = true, measures = true, compares = true;
};

} // namespace

/// Whole runs have the last word.
static void checkRuns(Checks &checks) {
  World world = makeToken(3);
  {
    Crowded laboratory(world, 3);
    Outcome outcome = look(laboratory, world, 120);
    checks.that(laboratory.comparisons >= 1 && !outcome.result.runs[0].isKept);
    checks.that(llvm::all_of(outcome.chosen, [](unsigned chosen) { return chosen == 0; }));
  }
  // What is left of the plans after the first comparison may win the second.
  {
    Crowded laboratory(world, 3);
    laboratory.fewerFit = true;
    Outcome outcome = look(laboratory, world, 240);
    auto chosen = static_cast<size_t>(llvm::count_if(outcome.chosen, [](unsigned chosen) { return chosen != 0; }));
    checks.that(laboratory.comparisons >= 2 && outcome.result.runs[0].isKept);
    checks.that(chosen > 0 && chosen < laboratory.all);
    checkSound(checks, world, outcome, 240);
  }
}

static void checkBroken(Checks &checks) {
  World world = makeToken(4);
  for (int part = 0; part < 3; ++part) {
    Broken laboratory(world, 4);
    laboratory.builds = part != 0;
    laboratory.measures = part != 1;
    laboratory.compares = part != 2;
    Outcome outcome = look(laboratory, world, 120);
    checks.that(outcome.end <= 126);
    checks.that(llvm::all_of(outcome.chosen, [](unsigned chosen) { return chosen == 0; }));
    checks.that(!outcome.result.runs[0].isKept);
  }
}

/// Runs shorter than a millisecond, whose whole times tell little.
static void checkShortRuns(Checks &checks) {
  std::vector<double> parts;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    World world;
    Random random(seed);
    addRun(world, random, "step", 6, 2, 4e-4);
    world.noise.runJitter = 0.2;
    world.noise.outliers = 0.05;
    Outcome outcome = look(world, seed, 120);
    checkSound(checks, world, outcome, 120);
    parts.push_back(getGain(world, outcome.chosen) / getGain(world, world.getFastest()));
  }
  checks.that(getMiddle(parts) >= 0.8);
}

/// Problems without runs, kernels or plans, and without knobs.
static void checkEmpty(Checks &checks) {
  World world;
  checkSound(checks, world, look(world, 1, 60), 60);
  world.problem.runs.push_back({"idle", 1e7});
  checkSound(checks, world, look(world, 1, 60), 60);
  KernelSpace single;
  single.time = 1e6;
  single.costs = {5};
  world.problem.kernels.push_back(single);
  world.kernels.push_back({1, {1}, {Fate::Fine}, 1});
  Outcome outcome = look(world, 1, 60);
  checkSound(checks, world, outcome, 60);
  checks.equal(outcome.builds, 0u);

  World plain = makeToken(5);
  for (KernelSpace &kernel : plain.problem.kernels)
    kernel.plans.clear();
  outcome = look(plain, 5, 600);
  checkSound(checks, plain, outcome, 600);
  checks.that(getGain(plain, outcome.chosen) > 0.7 * getGain(plain, plain.getFastest()));
}

/// What is measured decides, nothing else; what is said on the way adds up.
static void checkProgress(Checks &checks) {
  World world = makeDecoder(6);
  Outcome first = look(world, 6, 120), second = look(world, 6, 120);
  checks.that(first.chosen == second.chosen && first.end == second.end);

  SimulatedLaboratory laboratory(world, 6);
  SearchOptions options;
  options.end = 120;
  double left = options.end;
  unsigned reports = 0;
  options.progress = [&](const Progress &progress) {
    ++reports;
    checks.that(progress.left <= left && progress.gain >= 1 && progress.gain < 2 && progress.done <= progress.kernels);
    checks.equal(progress.kernels, 24u);
    left = progress.left;
  };
  search(world.problem, laboratory, options);
  checks.that(reports > 3);
}

/// What a family is known by helps the kernels that were not tried. With many kernels of which much can be gained the
/// search does not give up, and comparing takes a fifth of the time at most.
static void checkFamilies(Checks &checks) {
  std::vector<double> gains, without;
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    World world = makeFamilies(seed), strangers = makeStrangers(seed);
    Outcome outcome = look(world, seed, 180);
    checkSound(checks, world, outcome, 180);
    checks.that(outcome.end > 0.85 * 180 && outcome.comparing > 0 && outcome.comparing < 0.21 * 180);
    gains.push_back(getGain(world, outcome.chosen));
    without.push_back(getGain(strangers, look(strangers, seed, 180).chosen));
  }
  checks.that(getMiddle(gains) > 1.1 * getMiddle(without));
}

/// How many plans were tried.
static double countTried(const Outcome &outcome) {
  size_t tried = 0;
  for (const KernelResult &kernel : outcome.result.kernels)
    tried += llvm::count_if(kernel.fates, [](Fate fate) { return fate != Fate::Untried; }) - 1;
  return static_cast<double>(tried);
}

/// Gains of models of families, with and without what their families are known by: medians.
static void reportFamilies() {
  std::printf("seconds  families  gain   possible  tried  ended\n");
  for (double end : {60.0, 240.0, 600.0})
    for (bool isKnown : {false, true}) {
      std::vector<double> gains, possible, tried, ends;
      for (uint64_t seed = 1; seed <= 8; ++seed) {
        World world = isKnown ? makeFamilies(seed) : makeStrangers(seed);
        Outcome outcome = look(world, seed, end);
        gains.push_back(std::exp(getGain(world, outcome.chosen)));
        possible.push_back(std::exp(getGain(world, world.getFastest())));
        tried.push_back(countTried(outcome));
        ends.push_back(outcome.end);
      }
      std::printf("%7.0f  %-8s  %.3f  %.3f     %5.0f  %5.0f\n", end, isKnown ? "known" : "unknown", getMiddle(gains),
                  getMiddle(possible), getMiddle(tried), getMiddle(ends));
    }
}

static void report() {
  std::printf("seconds  run     gain  possible  ended  plans\n");
  for (double end : {60.0, 600.0})
    for (uint64_t seed = 1; seed <= 8; ++seed)
      for (const World &world : {makeDecoder(seed), makeImage(seed)}) {
        Outcome outcome = look(world, seed, end);
        for (auto [run, space] : llvm::enumerate(world.problem.runs))
          std::printf("%7.0f  %-6s  %.3f  %.3f  %5.0f  %5.0f\n", end, space.name.c_str(),
                      1 / world.getFactor(run, outcome.chosen), 1 / world.getFactor(run, world.getFastest()),
                      outcome.end, countTried(outcome));
      }
}

int main(int argc, char **argv) {
  if (argc > 1 && argv[1] == std::string_view("report")) {
    report();
    reportFamilies();
    return 0;
  }
  Checks checks;
  checkGains(checks);
  checkBudgets(checks);
  checkNothing(checks);
  checkTies(checks);
  checkNeverSlower(checks);
  checkFailures(checks);
  checkDefaultFails(checks);
  checkInterrupts(checks);
  checkBounds(checks);
  checkRuns(checks);
  checkBroken(checks);
  checkShortRuns(checks);
  checkEmpty(checks);
  checkProgress(checks);
  checkFamilies(checks);
  return checks.status();
}
