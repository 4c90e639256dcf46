//===- Search.cpp -----------------------------------------------------------------------------===//
//
// Rounds first: some plans of the kernels of one run are compiled, then that run is measured with all of them, and what
// can hardly be the fastest plan of its kernel gets no more time (successive halving: Jamieson and Talwalkar,
// Non-stochastic Best Arm Identification and Hyperparameter Optimization, 2016). Then what seems faster is confirmed,
// and whole runs are compared; what time is left goes to further rounds. docs/tuning.md says it in full.
//
//===------------------------------------------------------------------------------------------===//

#include "tuner/Search.h"
#include "tuner/KernelRace.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

using namespace quern::tuner;

namespace {

/// How likely a run that is no faster passes for faster at most: in its first comparison, and in all later ones.
constexpr double firstLevel = 0.04, laterLevel = 0.01;
/// What part of that is for one last look, when the time ends before a comparison does.
constexpr double lastLook = 0.4;
/// Pairs of runs that can be told apart at the first level.
constexpr double leastPairs = 8;
/// What part of the time all comparisons may take.
constexpr double comparingPart = 0.2;
/// Runs shorter than this, in nanoseconds, are compared by a low quantile.
constexpr double shortRun = 1e6;
constexpr size_t pairsOfShortRuns = 50;
/// A search that has nothing to show by then may end: a time of the clock, and one since the search began.
constexpr double patience = 48, leastPatience = 20;
/// How much likelier than chance what a nominee showed must be by then.
constexpr double leastEvidence = 20;
/// What all that was not tried must promise, as a part of the runs' time.
constexpr double leastPromise = 0.001;
/// The same, of a search that has nothing to show, times what part of what was expected came true.
constexpr double leastYield = 0.005;
/// Seconds that are taken to compile at least.
constexpr double leastBuilding = 2;
/// Blocks that a new plan is judged by, and those of a nominee.
constexpr double blocksOfTrial = 8, blocksOfProof = 24;
/// Plans of a kernel that are measured at once, the default one included.
constexpr size_t mostPlans = 8, fewestPlans = 3;

/// A run's kernels with other plans than the default ones, and what pairs of runs took by default and with them.
struct Choice {
  std::vector<Arm> arms;
  std::vector<std::pair<double, double>> pairs;
  bool isKept = false;
};

/// A run, and what measuring it was seen to take, in seconds.
struct Run {
  /// Once.
  double seconds = 0;
  /// Before the first block.
  double setup = 2;
  std::vector<unsigned> kernels;
  bool isOpen = true;
  unsigned rounds = 0, empty = 0;
  /// What was proven and compared, and what was compared last.
  Choice kept = {}, tested = {};
  unsigned comparisons = 0;
  /// Whether its last comparison was lost.
  bool hasLost = false;
};

/// What may be done next.
struct Round {
  unsigned run = 0;
  std::vector<Arm> arms;
  double building = 0, measuring = 0;
  /// How much is expected of it.
  double worth = 0;
};

class Search {
public:
  Search(const Problem &problem, Laboratory &laboratory, const SearchOptions &options);
  SearchResult run();

private:
  enum class Verdict { Open, Faster, Slower };

  double left() { return options.end - margin - late - laboratory.now(); }
  double getPace(unsigned kernel) const;
  double getMeasuring(unsigned run) const;
  double getConfirming(unsigned run) const;
  double getComparing(unsigned run) const;
  double getFirst(unsigned run) const;
  double getTotal(const Round &round) const { return round.building + runs[round.run].setup + round.measuring; }

  void openRuns();
  void learn();
  void learnFamilies();
  Round plan(unsigned run, double room);
  double getPromise();
  double getYield() const;
  bool isSounded(const Run &run) const;
  bool isHopeless(const Round &next);
  bool step();
  void build(const Round &round);
  void measure(unsigned run, std::vector<Trial> trials, double seconds);
  void confirm();
  size_t getUnit(unsigned run) const;
  std::vector<std::pair<double, double>> getUnits(unsigned run) const;
  double getPair(unsigned run) const { return 2 * std::max(runs[run].seconds, 1e-6); }
  double getLeastComparing(unsigned run) const;
  double getAllowance(unsigned run) const;
  double getLevel(unsigned run) const;
  Verdict judge(unsigned run) const;
  Verdict compareRun(unsigned run);
  std::vector<Arm> getProven(unsigned run) const;
  void drop(unsigned run);
  void compare();
  double getGain(llvm::ArrayRef<Arm> arms) const;
  double getWanted(unsigned run) const;
  void report();

  const Problem &problem;
  Laboratory &laboratory;
  const SearchOptions &options;
  std::vector<KernelRace> races;
  std::vector<Run> runs;
  /// Launches of a kernel in a second.
  std::vector<double> paces;
  /// Of each kernel.
  std::vector<Trust> trusts;
  /// What was expected of the plans that were built, of each as a part of its kernel's time.
  double expected = 0;
  /// What a plan takes to compile, several being compiled at once.
  double compiling;
  /// By how much measuring was seen to end too late.
  double late = 0;
  /// Seconds that comparisons took.
  double compared = 0;
  double begin;
  bool isBarren = false;
  /// Kept free before the end.
  static constexpr double margin = 0.5;
};

} // namespace

Search::Search(const Problem &problem, Laboratory &laboratory, const SearchOptions &options)
    : problem(problem), laboratory(laboratory), options(options), compiling(1.0 / std::max(options.builders, 1u)),
      begin(laboratory.now()) {
  for (const RunSpace &space : problem.runs)
    runs.push_back({.seconds = space.time * 1e-9});
  for (auto [index, kernel] : llvm::enumerate(problem.kernels)) {
    Run &run = runs[kernel.run];
    run.kernels.push_back(static_cast<unsigned>(index));
    races.emplace_back(kernel, problem.runs[kernel.run].time > 0 ? kernel.time / problem.runs[kernel.run].time : 0);
    paces.push_back(kernel.launches / std::max(run.seconds, 1e-6));
  }
  trusts.resize(races.size());
  openRuns();
}

/// Runs for which there is time, those that take little first.
void Search::openRuns() {
  std::vector<unsigned> order(runs.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::stable_sort(order, [&](unsigned a, unsigned b) { return runs[a].seconds < runs[b].seconds; });
  // What is left of the time goes to further rounds.
  constexpr double part = 0.7;
  double taken = 0;
  for (unsigned run : order) {
    double needed = getFirst(run) + getConfirming(run) + getComparing(run);
    runs[run].isOpen = taken + needed <= left() * (taken > 0 ? part : 1);
    taken += runs[run].isOpen ? needed : 0;
  }
}

/// How often a kernel is launched while a second is measured.
double Search::getPace(unsigned kernel) const { return std::max(paces[kernel], 1e-3); }

/// How long a run is measured: so that most of its time gets the blocks that it needs with some plans a kernel.
double Search::getMeasuring(unsigned run) const {
  constexpr double plans = 3, leastSeconds = 1, mostSeconds = 6, leastRuns = 3;
  double needed = 0, shares = 0;
  for (unsigned kernel : runs[run].kernels)
    if (races[kernel].isOpen()) {
      needed += races[kernel].getShare() * blocksOfTrial * plans / getPace(kernel);
      shares += races[kernel].getShare();
    }
  double fewest = leastRuns * runs[run].seconds;
  return std::clamp(shares > 0 ? needed / shares : 0, std::max(leastSeconds, fewest), std::max(mostSeconds, fewest));
}

/// What is kept free to confirm a run's nominees.
double Search::getConfirming(unsigned run) const {
  // Of runs that launch their kernels once a plan's proof takes many.
  constexpr double part = 0.08, pairs = 14;
  double proof = std::min(pairs * getPair(run), part * options.end);
  return runs[run].setup + std::max(getMeasuring(run), proof);
}

/// What is kept free to compare a run: its part of what comparisons may take, or what some pairs take.
double Search::getComparing(unsigned run) const {
  constexpr double enough = 25;
  double part = (comparingPart * options.end - compared) / static_cast<double>(runs.size());
  double least = getLeastComparing(run), most = runs[run].setup + (least - runs[run].setup) * enough / leastPairs;
  return std::clamp(part, least, most);
}

/// What is kept free for the first round of a run.
double Search::getFirst(unsigned run) const {
  return runs[run].rounds > 0 ? 0 : leastBuilding + runs[run].setup + getMeasuring(run);
}

/// How far the model of the machine is right, over all kernels; in steps, so that beliefs stand for a while.
void Search::learn() {
  constexpr double usualSlope = 0.8, slopeWeight = 0.2, usualDeviation = 0.2, deviationWeight = 10, step = 0.05,
                   least = 0.15;
  double across = slopeWeight * usualSlope, along = slopeWeight;
  for (const KernelRace &race : races)
    for (const Observation &seen : race.getObservations()) {
      double predicted = getPredicted(race.getSpace(), seen.candidate);
      across += predicted * seen.value;
      along += predicted * predicted;
    }
  auto round = [](double value) { return std::round(value / step) * step; };
  for (Trust &each : trusts)
    each = {round(std::clamp(across / along, 0.0, 1.5)), usualDeviation, {}};
  learnFamilies();
  double squares = deviationWeight * usualDeviation * usualDeviation, count = deviationWeight;
  for (auto [race, each] : llvm::zip(races, trusts))
    for (const Observation &seen : race.getObservations()) {
      double residual = seen.value - getExpected(race.getSpace(), seen.candidate, each);
      squares += residual * residual;
      ++count;
    }
  for (Trust &each : trusts)
    each.deviation = std::max(round(std::sqrt(squares / count)), least);
}

/// What the knobs do in the kernels of each family.
void Search::learnFamilies() {
  // Those with as many knobs.
  using Family = std::pair<llvm::StringRef, size_t>;
  auto getFamily = [](const KernelSpace &space) {
    return Family(space.family, space.plans.empty() ? 0 : space.plans[0].size());
  };
  std::map<Family, Regression> regressions;
  for (auto [race, each] : llvm::zip(races, trusts)) {
    const KernelSpace &space = race.getSpace();
    if (space.family.empty() || space.plans.empty())
      continue;
    for (const Observation &seen : race.getObservations())
      if (seen.candidate != 0)
        regressions[getFamily(space)].add(getFeatures(space, seen.candidate),
                                          seen.value - getExpected(space, seen.candidate, each), seen.variance);
  }
  std::map<Family, std::vector<double>> effects;
  for (auto &[family, regression] : regressions)
    effects[family] = regression.solve();
  for (auto [race, each] : llvm::zip(races, trusts))
    if (auto found = effects.find(getFamily(race.getSpace())); found != effects.end())
      each.effects = found->second;
}

/// The plans of a run's kernels of which most is expected, a kernel's share of the run counted; what one plan will say
/// of another that is like it is not asked twice.
Round Search::plan(unsigned index, double room) {
  const Run &run = runs[index];
  Round round = {index, {}, 0, getMeasuring(index), 0};
  constexpr double setups = 3, surplus = 1.5, leastWorth = 1e-5;
  // The setup of a measurement is shared by many plans.
  double building = std::max({setups * run.setup + round.measuring, leastBuilding, 2 * compiling});
  building = std::min(building, room - run.setup - round.measuring);
  if (building < std::min(leastBuilding, 2 * compiling))
    return round;
  auto slots = static_cast<size_t>(std::ceil(surplus * building / compiling));

  std::vector<std::vector<double>> worths;
  std::vector<size_t> counts(run.kernels.size()), most;
  for (unsigned kernel : run.kernels) {
    llvm::ArrayRef<double> improvements = races[kernel].getImprovements(trusts[kernel]);
    worths.emplace_back(improvements.begin(), improvements.end());
    for (double &worth : worths.back())
      worth *= races[kernel].getShare();
    double blocks = getPace(kernel) * round.measuring;
    most.push_back(std::clamp(static_cast<size_t>(blocks / (blocksOfTrial - 3)), fewestPlans, mostPlans) - 1);
  }
  while (round.arms.size() < slots) {
    size_t best = 0;
    unsigned candidate = 0;
    double worth = leastWorth;
    for (size_t kernel = 0; kernel < worths.size(); ++kernel) {
      auto found = std::max_element(worths[kernel].begin(), worths[kernel].end());
      if (found == worths[kernel].end() || *found <= worth || counts[kernel] >= most[kernel])
        continue;
      best = kernel, worth = *found;
      candidate = static_cast<unsigned>(found - worths[kernel].begin());
    }
    if (candidate == 0)
      break;
    ++counts[best];
    round.arms.push_back({run.kernels[best], candidate});
    round.worth += worth;
    for (auto [other, left] : llvm::enumerate(worths[best]))
      left *= 0.9 * (1 - getLikeness(races[run.kernels[best]].getSpace(), candidate, static_cast<unsigned>(other)));
  }
  double needed = static_cast<double>(round.arms.size()) * compiling * surplus + 1;
  round.building = std::min(building, needed);
  return round;
}

/// How much the best plans that were not tried promise, as a part of the runs' time.
double Search::getPromise() {
  double promise = 0;
  for (auto [race, each] : llvm::zip(races, trusts)) {
    llvm::ArrayRef<double> improvements = race.getImprovements(each);
    if (runs[race.getSpace().run].isOpen && !improvements.empty())
      promise += race.getShare() * *std::max_element(improvements.begin(), improvements.end());
  }
  return promise / static_cast<double>(std::max<size_t>(runs.size(), 1));
}

/// What part of what was expected of plans those that were tried gave.
double Search::getYield() const {
  constexpr double usual = 0.1;
  double given = 0;
  for (const KernelRace &race : races)
    for (const Observation &seen : race.getObservations())
      given += std::max(-seen.value - 1.5 * std::sqrt(seen.variance), 0.0);
  return std::min((usual + given) / (usual + expected), 1.0);
}

/// Whether enough plans of a run were tried to say that there is nothing to gain: some for each of the kernels that
/// take most of its time, if not all of them theirs.
bool Search::isSounded(const Run &run) const {
  constexpr unsigned tries = 2;
  constexpr double most = 0.7;
  std::vector<double> shares;
  unsigned tried = 0;
  for (unsigned kernel : run.kernels) {
    tried += races[kernel].getTries();
    if (races[kernel].isOpen())
      shares.push_back(races[kernel].getShare());
  }
  llvm::sort(shares, std::greater<>());
  double all = std::accumulate(shares.begin(), shares.end(), 0.0), sum = 0;
  unsigned needed = 0;
  for (double share : shares)
    if (sum < most * all) {
      sum += share;
      needed += tries;
    }
  return tried >= needed;
}

/// Whether a search that has found nothing ends before its next round.
bool Search::isHopeless(const Round &next) {
  if (laboratory.now() + getTotal(next) <= std::max(patience, begin + leastPatience))
    return false;
  double evidence = 0;
  for (const KernelRace &race : races)
    evidence = std::max(evidence, race.getEvidence());
  if (evidence >= std::log(leastEvidence) || getPromise() * getYield() > leastYield)
    return false;
  return llvm::all_of(runs, [&](const Run &run) { return !run.isOpen || isSounded(run); });
}

/// Compiles and measures some plans, of the run where a second promises most; false when nothing more is to be tried.
bool Search::step() {
  if (laboratory.isInterrupted())
    return false;
  learn();
  // What cannot be compared need not be tried.
  for (unsigned run = 0; run < runs.size(); ++run)
    runs[run].isOpen &= getAllowance(run) >= getLeastComparing(run);
  double room = left();
  for (unsigned run = 0; run < runs.size(); ++run)
    room -= runs[run].isOpen ? getConfirming(run) + getComparing(run) + getFirst(run) : 0;
  Round best;
  for (unsigned run = 0; run < runs.size(); ++run) {
    if (!runs[run].isOpen)
      continue;
    Round round = plan(run, room + getFirst(run));
    if (round.arms.empty())
      continue;
    // Each run has its first round before any has its second.
    bool isFirst = runs[run].rounds == 0, isBestFirst = !best.arms.empty() && runs[best.run].rounds == 0;
    bool isBetter = round.worth / getTotal(round) > best.worth / getTotal(best);
    if (best.arms.empty() || (isFirst == isBestFirst ? isBetter : isFirst))
      best = std::move(round);
  }
  if (best.arms.empty() || getPromise() < leastPromise)
    return false;
  if ((isBarren = isHopeless(best)))
    return false;
  build(best);
  if (laboratory.isInterrupted())
    return false;
  std::vector<Trial> trials;
  for (unsigned kernel : runs[best.run].kernels) {
    double blocks = getPace(kernel) * best.measuring;
    size_t most = std::clamp(static_cast<size_t>(blocks / (blocksOfTrial - 3)), fewestPlans, mostPlans);
    trials.push_back(races[kernel].getTrial(kernel, most));
  }
  measure(best.run, std::move(trials), best.measuring);
  ++runs[best.run].rounds;
  return true;
}

void Search::build(const Round &round) {
  double from = laboratory.now();
  std::vector<Fate> fates = laboratory.build(round.arms, from + round.building);
  size_t built = 0;
  for (auto [arm, fate] : llvm::zip(round.arms, fates)) {
    built += fate != Fate::Untried;
    if (fate == Fate::Untried)
      continue;
    expected += races[arm.kernel].getImprovements(trusts[arm.kernel])[arm.candidate];
    races[arm.kernel].noteFate(arm.candidate, fate);
  }
  double taken = laboratory.now() - from;
  // Half of what was thought before, half of what was seen; without any plan, it takes longer than that.
  compiling = built > 0 ? (compiling + taken / static_cast<double>(built)) / 2 : std::max(2 * compiling, taken);
}

void Search::measure(unsigned index, std::vector<Trial> trials, double seconds) {
  Run &run = runs[index];
  llvm::erase_if(trials, [](const Trial &trial) { return trial.candidates.empty(); });
  if (trials.empty())
    return;
  double from = laboratory.now(), deadline = from + run.setup + seconds;
  Measurement seen = laboratory.measure(index, trials, deadline);
  double to = laboratory.now();
  // What failures take is no habit.
  if (seen.failures.empty())
    late = std::max(late, std::min(to - deadline, 4 * run.seconds + 2));
  for (auto [arm, fate] : seen.failures) {
    races[arm.kernel].noteFate(arm.candidate, fate);
    for (Trial &trial : trials)
      if (trial.kernel == arm.kernel)
        llvm::erase(trial.candidates, arm.candidate);
  }
  llvm::erase_if(trials, [](const Trial &trial) { return trial.candidates.empty() || trial.candidates.front() != 0; });
  if (seen.setup > 0)
    run.setup = seen.setup;
  double measured = to - from - run.setup;
  run.empty = seen.blocks.empty() && seen.failures.empty() ? run.empty + 1 : 0;
  // What cannot be measured is not tried again and again.
  run.isOpen &= run.empty < 2;
  for (const Trial &trial : trials) {
    std::vector<Block> blocks;
    for (Block &block : seen.blocks)
      if (block.kernel == trial.kernel)
        blocks.push_back(std::move(block));
    if (blocks.empty() && seen.failures.empty() && !seen.blocks.empty())
      races[trial.kernel].close();
    auto launches = static_cast<double>(blocks.size() * trial.candidates.size());
    if (!blocks.empty() && seen.failures.empty() && measured > 0.1)
      paces[trial.kernel] = launches / measured;
    races[trial.kernel].note(trial, blocks);
  }
}

/// Measures nominees until they are proven or not worth it.
void Search::confirm() {
  constexpr unsigned mostCalls = 6;
  double reserved = 0;
  for (unsigned run = 0; run < runs.size(); ++run)
    reserved += runs[run].rounds > 0 ? getComparing(run) : 0;
  for (unsigned call = 0; call < mostCalls; ++call)
    for (unsigned run = 0; run < runs.size(); ++run) {
      std::vector<Trial> trials;
      double seconds = 0;
      for (unsigned kernel : runs[run].kernels) {
        trials.push_back(races[kernel].getConfirmation(kernel));
        if (!trials.back().candidates.empty())
          seconds =
              std::max(seconds, blocksOfProof * static_cast<double>(trials.back().candidates.size()) / getPace(kernel));
      }
      if (seconds == 0 || !runs[run].isOpen || laboratory.isInterrupted())
        continue;
      double room = left() - reserved - runs[run].setup;
      if (isBarren)
        room = std::min(room, patience + 4 - laboratory.now() - runs[run].setup);
      seconds = std::min({std::max(seconds, 2 * runs[run].seconds), room, std::max(15.0, 4 * runs[run].seconds)});
      if (seconds >= 2 * runs[run].seconds && seconds > 0.2) {
        measure(run, std::move(trials), seconds);
        report();
      }
    }
}

/// What part of its run's time kernels gain by plans.
double Search::getGain(llvm::ArrayRef<Arm> arms) const {
  double gain = 0;
  for (Arm arm : arms)
    gain += races[arm.kernel].getShare() * -std::expm1(races[arm.kernel].getEstimate(arm.candidate).median);
  return gain;
}

/// What is compared of a run that was: its pairs, or what stands for groups of them.
std::vector<std::pair<double, double>> Search::getUnits(unsigned run) const {
  size_t each = getUnit(run);
  const Choice &choice = runs[run].tested;
  return each > 1 ? getLowQuantiles(choice.pairs, each) : choice.pairs;
}

/// How many pairs make one that is compared.
size_t Search::getUnit(unsigned run) const { return problem.runs[run].time < shortRun ? pairsOfShortRuns : 1; }

/// Seconds that comparing a run takes at least, if all its pairs favour one side.
double Search::getLeastComparing(unsigned run) const {
  return runs[run].setup + leastPairs * static_cast<double>(getUnit(run)) * getPair(run);
}

/// Seconds that a run may be compared for yet: what is left of what all comparisons may take, but what its first one
/// takes at least.
double Search::getAllowance(unsigned run) const {
  double rest = comparingPart * options.end - compared;
  return runs[run].tested.pairs.empty() && runs[run].comparisons <= 1 ? std::max(rest, getLeastComparing(run)) : rest;
}

/// How likely a run's plans pass for faster at most, in its comparison that goes on: of all of them as likely as the
/// levels' sum.
double Search::getLevel(unsigned run) const {
  double nth = std::max(runs[run].comparisons, 1u);
  return nth == 1 ? firstLevel : laterLevel / (nth * (nth - 1));
}

/// How many pairs, or groups of them, should tell a run's plans from the default ones: by the gain that is expected
/// and, once it was seen, by what was seen, and by how much runs differ.
double Search::getWanted(unsigned run) const {
  constexpr double usual = 0.04, least = 0.55, most = 0.97, surplus = 1.5;
  std::vector<double> values;
  for (auto [first, second] : getUnits(run))
    values.push_back(std::log(second / first));
  double gain = -std::log1p(-std::min(getGain(runs[run].tested.arms), 0.9)), spread = usual;
  if (values.size() >= leastPairs) {
    Estimate seen = estimate(values);
    gain = (gain - seen.median) / 2;
    spread = seen.error * std::sqrt(static_cast<double>(seen.count));
  }
  // By how much evidence grows with each pair.
  double wins = std::clamp(std::erfc(-gain / spread / std::sqrt(2.0)) / 2, least, most);
  double growth = wins * std::log(2 * wins) + (1 - wins) * std::log(2 * (1 - wins));
  return std::max((surplus - std::log(getLevel(run))) / growth, leastPairs);
}

Search::Verdict Search::judge(unsigned run) const {
  constexpr double slower = 0.05, mostOfWanted = 4;
  std::vector<std::pair<double, double>> units = getUnits(run);
  Signs signs = getSigns(units);
  if (getLogEvidence(signs.wins, signs.losses) >= -std::log((1 - lastLook) * getLevel(run)))
    return Verdict::Faster;
  bool isSlower = getLogEvidence(signs.losses, signs.wins) >= -std::log(slower);
  return isSlower || static_cast<double>(units.size()) >= mostOfWanted * getWanted(run) ? Verdict::Slower
                                                                                        : Verdict::Open;
}

/// Compares a run by default and with the plans of `tested`, until that says which is faster, or the time is over.
Search::Verdict Search::compareRun(unsigned index) {
  Run &run = runs[index];
  double wanted = getWanted(index) * static_cast<double>(getUnit(index));
  Verdict verdict = judge(index);
  while (verdict == Verdict::Open && !laboratory.isInterrupted()) {
    double from = laboratory.now(), room = std::min(left(), getAllowance(index));
    double seconds = std::min(run.setup + std::max(wanted * getPair(index), run.setup), room);
    // What was begun may go on with a few pairs.
    double least = run.tested.pairs.empty() ? getLeastComparing(index) : run.setup + 3 * getPair(index);
    if (seconds < least - getPair(index))
      break;
    auto pairs = laboratory.compare(index, run.tested.arms, from + seconds);
    compared += laboratory.now() - from;
    late = std::max(late, std::min(laboratory.now() - from - seconds, 4 * run.seconds + 2));
    run.tested.pairs.insert(run.tested.pairs.end(), pairs.begin(), pairs.end());
    verdict = pairs.empty() ? Verdict::Slower : judge(index);
    wanted = getWanted(index) * static_cast<double>(getUnit(index)) / 2;
  }
  if (verdict != Verdict::Open || laboratory.isInterrupted())
    return verdict;
  // Nothing more will be measured of it, so that a test for one look holds; a later call has the same pairs.
  Signs signs = getSigns(getUnits(index));
  return getSignTest(signs.wins, signs.losses) <= lastLook * getLevel(index) ? Verdict::Faster : Verdict::Open;
}

/// The proven plans of a run's kernels.
std::vector<Arm> Search::getProven(unsigned run) const {
  std::vector<Arm> arms;
  for (unsigned kernel : runs[run].kernels)
    if (unsigned proven = races[kernel].getProven())
      arms.push_back({kernel, proven});
  return arms;
}

/// What is not faster in a run as a whole: of the plans that are not kept the less certain half, or, the second time,
/// all.
void Search::drop(unsigned index) {
  Run &run = runs[index];
  std::vector<Arm> arms = run.tested.arms;
  llvm::erase_if(arms, [&](Arm arm) { return llvm::is_contained(run.kept.arms, arm); });
  llvm::stable_sort(arms, [&](Arm a, Arm b) {
    Estimate left = races[a.kernel].getEstimate(a.candidate), right = races[b.kernel].getEstimate(b.candidate);
    return left.median / left.error < right.median / right.error;
  });
  for (Arm arm : llvm::drop_begin(arms, run.hasLost ? 0 : arms.size() / 2))
    races[arm.kernel].drop(arm.candidate);
  run.hasLost = true;
}

/// Compares the runs for which plans were proven that were not compared. What was not because the user asked to end is
/// kept: its kernels are proven one by one.
void Search::compare() {
  for (auto [index, run] : llvm::enumerate(runs)) {
    auto number = static_cast<unsigned>(index);
    for (std::vector<Arm> arms = getProven(number); !arms.empty() && arms != run.kept.arms; arms = getProven(number)) {
      if (arms != run.tested.arms) {
        run.tested = {arms, {}, false};
        ++run.comparisons;
      }
      Verdict verdict = compareRun(number);
      Signs signs = getSigns(getUnits(number));
      bool isLosing = run.hasLost || getSignTest(signs.losses, signs.wins) <= firstLevel;
      if (verdict == Verdict::Faster || (verdict == Verdict::Open && laboratory.isInterrupted() && !isLosing)) {
        run.kept = run.tested;
        run.kept.isKept = true;
        run.hasLost = false;
      }
      if (verdict != Verdict::Slower)
        break;
      drop(number);
    }
  }
}

void Search::report() {
  Progress progress;
  progress.kernels = static_cast<unsigned>(races.size());
  std::vector<double> gains(runs.size());
  for (auto [race, each] : llvm::zip(races, trusts)) {
    llvm::ArrayRef<double> improvements = race.getImprovements(each);
    bool hasMore = llvm::any_of(improvements, [](double improvement) { return improvement > 0; });
    progress.done += !race.isOpen() || !runs[race.getSpace().run].isOpen || !hasMore;
    gains[race.getSpace().run] += race.getShare() * -std::expm1(race.getBest());
  }
  double sum = 0;
  for (double gain : gains)
    sum -= std::log1p(-std::min(gain, 0.99));
  progress.gain = runs.empty() ? 1 : std::exp(sum / static_cast<double>(runs.size()));
  progress.left = std::max(options.end - laboratory.now(), 0.0);
  options.progress(progress);
}

SearchResult Search::run() {
  for (bool isOver = false; !isOver;) {
    isOver = true;
    while (step()) {
      report();
      isOver = false;
    }
    confirm();
    compare();
  }

  SearchResult result;
  std::vector<unsigned> chosen(races.size());
  for (const Run &run : runs) {
    for (Arm arm : run.kept.arms)
      chosen[arm.kernel] = arm.candidate;
    result.runs.push_back({run.kept.isKept ? run.kept.pairs : run.tested.pairs, run.kept.isKept});
  }
  for (auto [kernel, race] : llvm::enumerate(races))
    result.kernels.push_back(race.getResult(chosen[kernel]));
  result.isInterrupted = laboratory.isInterrupted();
  return result;
}

SearchResult quern::tuner::search(const Problem &problem, Laboratory &laboratory, const SearchOptions &options) {
  return Search(problem, laboratory, options).run();
}
