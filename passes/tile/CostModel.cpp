//===- CostModel.cpp - the schedule that a kernel gets without measuring ----------------------===//

#include "passes/tile/CostModel.h"
#include "passes/TensorType.h"
#include "passes/tile/Heuristics.h"
#include "passes/tile/Tiles.h"

#include "dialect/PackedLayout.h"

#include <cmath>

using namespace mlir;

namespace quern {

double estimateCost(Conv2dOp conv, int64_t outputs, TargetAttr target) {
  // A launch takes about 2 µs until all threads have begun and ended: as long as two cores take for these products.
  constexpr double launch = 16 << 10;
  auto image = getTensorType(conv.getResult());
  ContractShape shape = getShape(image.getDimSize(2), outputs);
  int64_t depth = getTensorType(conv.getWeight()).getDimSize(1);
  int64_t vectors = shape.panels * std::max<int64_t>(1, PackedLayout::panelRows * 32 / target.getVectorBits());
  double products = double(image.getDimSize(1) * image.getDimSize(2)) * double(depth) * double(vectors);
  return launch + products * getCost(chooseTile(shape, target), shape);
}

TargetAttr getTarget(ModuleOp module) { return module->getAttrOfType<TargetAttr>("quern.target"); }

TargetAttr getWeightsTarget(ModuleOp module) {
  auto shared = module->getAttrOfType<TargetAttr>("quern.weights_target");
  return shared ? shared : getTarget(module);
}

double estimateByDistance(KernelForm form, ArrayRef<int64_t> chosen, ArrayRef<int64_t> values) {
  double steps = 0;
  for (auto [knob, from, to] : llvm::zip_equal(getKnobs(form, ScheduleKind::Processor), chosen, values))
    steps += std::abs(double(llvm::find(knob.legal, from) - llvm::find(knob.legal, to)));
  return 1 + steps / 100;
}

void describePrefetch(Features &features, int64_t bytes) {
  features.add("prefetch", bytes != 0);
  features.add("distance", bytes != 0 ? std::log2(double(bytes) / 2048) : 0);
}

double getWaste(int64_t size, int64_t unit) { return std::log2(double(llvm::alignTo(size, unit)) / double(size)); }

double getExcess(double bytes, double cache, double room) { return std::max(0.0, std::log2(bytes / cache) + room); }

double getTail(int64_t tasks) { return std::log2(2 * double(llvm::divideCeil(tasks, 2)) / double(tasks)); }

int64_t countImages(RankedTensorType images) {
  constexpr int64_t batch = 8;
  return images.isDynamicDim(0) ? batch : images.getDimSize(0);
}

namespace {
struct Heuristic {
  KernelForm form;
  ScheduleKind kind;
  Values (*choose)(KernelOp kernel, TargetAttr target);
  double (*estimate)(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target);
  Features (*describe)(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target);
};
} // namespace

static constexpr Heuristic heuristics[] = {
#define QUERN_SCHEDULE(Form, version)                                                                                  \
  {KernelForm::Form, ScheduleKind::Processor, choose##Form, estimate##Form, describe##Form},
#define QUERN_DEVICE_SCHEDULE(Form, version)                                                                           \
  {KernelForm::Form, ScheduleKind::Device, chooseDevice##Form, estimateDevice##Form, describeDevice##Form},
#include "dialect/Schedules.def"
};

static const Heuristic &getHeuristic(KernelOp kernel, TargetAttr target) {
  KernelForm form = kernel.getForm();
  ScheduleKind kind = getScheduleKind(target);
  return *llvm::find_if(heuristics, [&](const Heuristic &row) { return row.form == form && row.kind == kind; });
}

ScheduleAttr chooseSchedule(KernelOp kernel, TargetAttr target) {
  KernelForm form = kernel.getForm();
  ScheduleKind kind = getScheduleKind(target);
  Values values = getHeuristic(kernel, target).choose(kernel, target);
  if (auto given = kernel.getSchedule(); given && isFor(*given, form, kind))
    for (auto [knob, value] : llvm::zip_equal(getKnobs(form, kind), values))
      value = given->getInt(knob.name).value_or(value);
  return makeSchedule(kernel.getContext(), form, kind, values);
}

std::vector<CandidatePlan> listPlans(KernelOp kernel, TargetAttr target) {
  ArrayRef<Knob> knobs = getKnobs(kernel.getForm(), getScheduleKind(target));
  const Heuristic &heuristic = getHeuristic(kernel, target);
  Values chosen = heuristic.choose(kernel, target);
  std::vector<CandidatePlan> plans = {{chosen, heuristic.estimate(kernel, chosen, target)}};
  SmallVector<size_t> at(knobs.size());
  bool isDone = false;
  while (!isDone) {
    Values values;
    for (auto [knob, index] : llvm::zip_equal(knobs, at))
      values.push_back(knob.legal[index]);
    double cost = heuristic.estimate(kernel, values, target);
    if (std::isfinite(cost) && values != chosen)
      plans.push_back({values, cost});
    isDone = true;
    for (size_t k = knobs.size(); k-- > 0 && isDone;) {
      isDone = ++at[k] == knobs[k].legal.size();
      at[k] = isDone ? 0 : at[k];
    }
  }
  auto isCheaper = [](const CandidatePlan &a, const CandidatePlan &b) { return a.cost < b.cost; };
  std::stable_sort(plans.begin() + 1, plans.end(), isCheaper);
  return plans;
}

Features describePlan(KernelOp kernel, const CandidatePlan &plan, TargetAttr target) {
  Features features = getHeuristic(kernel, target).describe(kernel, plan.values, target);
  // Plans that are not worth trying by the estimate are told apart by the other features alone.
  features.add("estimate", std::isfinite(plan.cost) ? std::log(plan.cost) : 0);
  return features;
}

double estimatePlan(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  return getHeuristic(kernel, target).estimate(kernel, values, target);
}

Features describePlan(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  return describePlan(kernel, CandidatePlan{Values(values), estimatePlan(kernel, values, target)}, target);
}

Features describeOwnPlan(KernelOp kernel, TargetAttr target) {
  return describePlan(kernel, getHeuristic(kernel, target).choose(kernel, target), target);
}

std::string getFamily(KernelOp kernel, TargetAttr target) {
  const Heuristic &heuristic = getHeuristic(kernel, target);
  std::string family = stringifyKernelForm(kernel.getForm()).str();
  auto anchor = dyn_cast_or_null<KernelAnchorOpInterface>(kernel.getAnchor());
  if (anchor && !anchor.getArithmetic().empty())
    family += "." + anchor.getArithmetic().str();
  Features features = heuristic.describe(kernel, heuristic.choose(kernel, target), target);
  return features.getKind().empty() ? family : family + "." + features.getKind().str();
}

} // namespace quern
