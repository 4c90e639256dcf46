#include "Simulation.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace quern::test;
using namespace quern::tuner;

double Random::normal() {
  double sum = -6;
  for (int part = 0; part < 12; ++part)
    sum += uniform();
  return sum;
}

double World::getFactor(unsigned run, llvm::ArrayRef<unsigned> chosen) const {
  double time = problem.runs[run].time;
  for (auto [index, kernel] : llvm::enumerate(kernels))
    if (problem.kernels[index].run == run)
      time += problem.kernels[index].time * (kernel.factors[chosen[index]] - 1);
  return time / problem.runs[run].time;
}

std::vector<unsigned> World::getFastest() const {
  std::vector<unsigned> fastest;
  for (const SimulatedKernel &kernel : kernels) {
    fastest.push_back(0);
    for (unsigned plan = 0; plan < kernel.factors.size(); ++plan)
      if (kernel.fates[plan] == Fate::Fine && kernel.factors[plan] < kernel.factors[fastest.back()])
        fastest.back() = plan;
  }
  return fastest;
}

/// All plans of some knobs, in the order of the last one first.
static std::vector<std::vector<int64_t>> getPlans(Random &random) {
  std::vector<std::vector<int64_t>> plans = {{}};
  auto knobs = 3 + random.below(2);
  for (uint64_t knob = 0; knob < knobs; ++knob) {
    std::vector<std::vector<int64_t>> longer;
    auto values = static_cast<int64_t>(3 + random.below(2));
    for (const std::vector<int64_t> &plan : plans)
      for (int64_t value = 0; value < values; ++value) {
        longer.push_back(plan);
        longer.back().push_back(value);
      }
    plans = std::move(longer);
  }
  return plans;
}

/// A kernel of which a model of the machine chooses the default plan; `logs`: the logarithms of what plans take.
static KernelSpace &addSpace(World &world, Random &random, double time, unsigned launches,
                             std::vector<std::vector<int64_t>> plans, std::vector<double> logs,
                             std::vector<double> costs) {
  auto first = static_cast<size_t>(std::min_element(costs.begin(), costs.end()) - costs.begin());
  std::swap(costs[0], costs[first]);
  std::swap(logs[0], logs[first]);
  std::swap(plans[0], plans[first]);
  SimulatedKernel kernel;
  kernel.launches = launches;
  kernel.compiling = random.uniform(0.4, 1.6);
  for (double real : logs)
    kernel.factors.push_back(std::exp(real - logs[0]));
  kernel.fates.assign(logs.size(), Fate::Fine);
  double least = *std::min_element(kernel.factors.begin(), kernel.factors.end());
  KernelSpace space;
  space.name = "k" + std::to_string(world.kernels.size());
  space.run = static_cast<unsigned>(world.problem.runs.size()) - 1;
  space.time = time;
  space.launches = launches;
  space.bound = time * least * random.uniform(0.5, 0.98);
  space.costs = std::move(costs);
  space.plans = std::move(plans);
  world.problem.kernels.push_back(std::move(space));
  world.kernels.push_back(std::move(kernel));
  return world.problem.kernels.back();
}

/// A plan takes the more the further its knobs are from where they should be; the model of the machine knows that but
/// in part.
static void addKernel(World &world, Random &random, double time, unsigned launches, double quality) {
  std::vector<std::vector<int64_t>> plans = getPlans(random);
  size_t knobs = plans.front().size();
  std::vector<double> best, believed, weights;
  for (size_t knob = 0; knob < knobs; ++knob) {
    best.push_back(random.uniform(0, 3));
    believed.push_back(best.back() + (1 - quality) * 2 * random.normal());
    weights.push_back(random.uniform(0.01, 0.1));
  }
  std::vector<double> logs, costs;
  for (const std::vector<int64_t> &plan : plans) {
    double real = 0.03 * random.normal(), model = (1 - quality) * 0.1 * random.normal();
    for (size_t knob = 0; knob < knobs; ++knob) {
      auto value = static_cast<double>(plan[knob]);
      real += weights[knob] * (value - best[knob]) * (value - best[knob]);
      model += weights[knob] * (value - believed[knob]) * (value - believed[knob]);
    }
    logs.push_back(real);
    costs.push_back(1000 * std::exp(model));
  }
  addSpace(world, random, time, launches, std::move(plans), std::move(logs), std::move(costs));
}

void quern::test::addRun(World &world, Random &random, llvm::StringRef name, unsigned count, unsigned launches,
                         double seconds, double quality) {
  world.problem.runs.push_back({name.str(), seconds * 1e9});
  std::vector<double> shares;
  double sum = 0;
  for (unsigned kernel = 0; kernel < count; ++kernel) {
    shares.push_back(std::exp(random.normal()));
    sum += shares.back();
  }
  // A twentieth is no kernel's.
  for (double share : shares)
    addKernel(world, random, 0.95 * seconds * 1e9 * share / sum, launches, quality);
}

namespace {

/// What knobs do: a plan takes the more the further they are from where they should be.
struct Response {
  Response(Random &random, size_t knobs) {
    for (size_t knob = 0; knob < knobs; ++knob) {
      best.push_back(random.uniform(0, 3));
      weights.push_back(random.uniform(0.01, 0.1));
    }
  }
  double get(llvm::ArrayRef<int64_t> plan) const {
    double sum = 0;
    for (auto [place, wanted, weight] : llvm::zip(plan, best, weights))
      sum += weight * (static_cast<double>(place) - wanted) * (static_cast<double>(place) - wanted);
    return sum;
  }
  std::vector<double> best, weights;
};

} // namespace

void quern::test::addFamilies(World &world, Random &random, llvm::StringRef name, unsigned count, unsigned families,
                              double seconds, double likeness, uint64_t seed) {
  world.problem.runs.push_back({name.str(), seconds * 1e9});
  double part = std::sqrt(likeness), rest = std::sqrt(1 - likeness);
  for (unsigned kernel = 0; kernel < count; ++kernel) {
    Random shared(seed + kernel % families);
    std::vector<std::vector<int64_t>> plans = getPlans(shared);
    size_t knobs = plans.front().size();
    Response family(shared, knobs), own(random, knobs), believed(random, knobs);
    std::vector<double> logs, costs;
    for (const std::vector<int64_t> &plan : plans) {
      logs.push_back(part * family.get(plan) + rest * own.get(plan) + 0.02 * random.normal());
      costs.push_back(1000 * std::exp(rest * own.get(plan) + part * believed.get(plan)));
    }
    size_t first = static_cast<size_t>(std::min_element(costs.begin(), costs.end()) - costs.begin());
    double least = *std::min_element(logs.begin(), logs.end());
    double scale = std::min(std::log(random.uniform(1.1, 1.3)) / std::max(logs[first] - least, 1e-6), 2.0);
    for (double &value : logs)
      value *= scale;
    KernelSpace &space =
        addSpace(world, random, 0.95 * seconds * 1e9 / count, 1, std::move(plans), std::move(logs), std::move(costs));
    space.family = "family " + std::to_string(kernel % families);
  }
}

/// How fast the machine is at this time.
double SimulatedLaboratory::getPhase() const {
  Random stretch(seed * 1000003 + static_cast<uint64_t>(clock / 3));
  stretch.uniform();
  return stretch.uniform() < world.noise.slow ? 1.5 : 1;
}

double SimulatedLaboratory::scatter(double deviation) {
  double outlier = random.uniform() < world.noise.outliers ? 3 : 1;
  return outlier * std::exp(deviation * random.normal());
}

std::vector<Fate> SimulatedLaboratory::build(llvm::ArrayRef<Arm> arms, double deadline) {
  ++builds;
  std::vector<Fate> fates;
  std::vector<double> builders(world.builders, clock);
  for (Arm arm : arms) {
    const SimulatedKernel &kernel = world.kernels[arm.kernel];
    double &builder = *std::min_element(builders.begin(), builders.end());
    double end = builder + kernel.compiling * random.uniform(0.7, 1.4);
    if (end > deadline || clock >= interruptedAt) {
      builder = std::max(builder, std::min(end, deadline));
      fates.push_back(Fate::Untried);
      continue;
    }
    builder = end;
    fates.push_back(kernel.fates[arm.candidate] == Fate::Refused ? Fate::Refused : Fate::Fine);
    if (fates.back() == Fate::Fine)
      built.emplace_back(arm.kernel, arm.candidate);
  }
  clock = *std::max_element(builders.begin(), builders.end());
  return fates;
}

/// One run, its launches noted; the seconds that it takes.
double SimulatedLaboratory::runOnce(unsigned run, llvm::ArrayRef<Trial> trials, std::vector<unsigned> &turns,
                                    Measurement &seen, std::vector<std::vector<double>> &open) {
  double time = world.problem.runs[run].time, phase = getPhase();
  for (auto [index, trial] : llvm::enumerate(trials)) {
    const SimulatedKernel &kernel = world.kernels[trial.kernel];
    double launch = world.problem.kernels[trial.kernel].time / kernel.launches;
    for (unsigned layer = 0; layer < kernel.launches; ++layer) {
      size_t turn = turns[index]++ % trial.candidates.size();
      double taken =
          launch * kernel.factors[trial.candidates[turn]] * scatter(world.noise.jitter) * placements[index][turn];
      time += taken - launch;
      open[index].push_back(taken * phase);
      if (open[index].size() < trial.candidates.size())
        continue;
      seen.blocks.push_back({trial.kernel, std::move(open[index])});
      open[index].clear();
    }
  }
  return time * phase * scatter(world.noise.runJitter) * 1e-9;
}

Measurement SimulatedLaboratory::measure(unsigned run, llvm::ArrayRef<Trial> trials, double deadline) {
  ++measurements;
  Measurement seen;
  seen.setup = world.setup * random.uniform(0.8, 1.2);
  clock += seen.setup;
  std::vector<Trial> sound;
  for (const Trial &trial : trials) {
    sound.push_back({trial.kernel, {}});
    for (unsigned candidate : trial.candidates) {
      std::pair<unsigned, unsigned> arm = {trial.kernel, candidate};
      mistakes += (candidate != 0 && !llvm::is_contained(built, arm)) || llvm::is_contained(failed, arm);
      Fate fate = world.kernels[trial.kernel].fates[candidate];
      if (fate == Fate::Fine) {
        sound.back().candidates.push_back(candidate);
        continue;
      }
      seen.failures.push_back({{trial.kernel, candidate}, fate});
      failed.push_back(arm);
      clock += fate == Fate::Hung ? world.patience : seen.setup;
    }
  }
  std::vector<unsigned> turns(sound.size());
  std::vector<std::vector<double>> open(sound.size());
  placements.clear();
  for (const Trial &trial : sound) {
    placements.emplace_back();
    for (size_t plan = 0; plan < trial.candidates.size(); ++plan)
      placements.back().push_back(std::exp(world.noise.placement * random.normal()));
  }
  for (unsigned runs = 0; (runs < 2 || clock < deadline) && clock < interruptedAt; ++runs)
    clock += runOnce(run, sound, turns, seen, open);
  giveUpHopeless(sound, seen.blocks);
  return seen;
}

/// As the programs that measure do, which launch what is hopeless no more after a few blocks.
void SimulatedLaboratory::giveUpHopeless(llvm::ArrayRef<Trial> trials, llvm::MutableArrayRef<Block> blocks) const {
  constexpr unsigned judged = 4;
  constexpr double hopeless = 1.5;
  for (const Trial &trial : trials) {
    unsigned count = 0;
    for (Block &block : blocks)
      if (block.kernel == trial.kernel && ++count > judged)
        for (auto [candidate, time] : llvm::zip(trial.candidates, block.times))
          if (world.kernels[trial.kernel].factors[candidate] > hopeless)
            time = std::numeric_limits<double>::infinity();
  }
}

std::vector<std::pair<double, double>> SimulatedLaboratory::compare(unsigned run, llvm::ArrayRef<Arm> chosen,
                                                                    double deadline) {
  ++comparisons;
  double begin = clock;
  clock += world.setup;
  std::vector<unsigned> plans(world.kernels.size());
  for (Arm arm : chosen)
    plans[arm.kernel] = arm.candidate;
  double time = world.problem.runs[run].time, factor = world.getFactor(run, plans);
  std::vector<std::pair<double, double>> pairs;
  while (clock < deadline && clock < interruptedAt) {
    double first = time * getPhase() * scatter(world.noise.runJitter);
    clock += first * 1e-9;
    double second = time * factor * getPhase() * scatter(world.noise.runJitter);
    clock += second * 1e-9;
    pairs.emplace_back(first, second);
  }
  comparing += clock - begin;
  return pairs;
}
