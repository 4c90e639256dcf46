//===- MeasuredSchedules.cpp - the schedules that files have for kernels ----------------------===//

#include "passes/tile/MeasuredSchedules.h"
#include "passes/Signature.h"
#include "passes/tile/CostModel.h"
#include "passes/tile/ScheduleFit.h"

#include "dialect/Schedules.h"

#include <cmath>

using namespace mlir;

namespace quern {

MeasuredSchedules::MeasuredSchedules(ScheduleDatabase database, std::string path) {
  sources.push_back({std::move(database), std::move(path)});
}

llvm::Expected<MeasuredSchedules> MeasuredSchedules::read(ArrayRef<std::string> paths) {
  MeasuredSchedules schedules;
  for (const std::string &path : paths) {
    llvm::Expected<ScheduleDatabase> database = ScheduleDatabase::read(path);
    if (!database)
      return database.takeError();
    schedules.sources.push_back({std::move(*database), path});
  }
  return schedules;
}

Plan toPlan(ScheduleAttr schedule) {
  Plan plan;
  for (NamedAttribute entry : schedule.getParameters())
    plan[entry.getName().str()] = cast<IntegerAttr>(entry.getValue()).getInt();
  return plan;
}

/// The values that a plan for `target` has for the knobs of its form, in their order, or what is wrong with it.
static llvm::Expected<SmallVector<int64_t>> getValues(KernelOp kernel, const Plan &plan, TargetAttr target) {
  ScheduleKind kind = getScheduleKind(target);
  for (const auto &[name, value] : plan)
    if (auto fault = findFault(kernel.getForm(), kind, name, value))
      return llvm::createStringError(*fault);
  SmallVector<int64_t> values;
  for (const Knob &knob : getKnobs(kernel.getForm(), kind)) {
    auto value = plan.find(knob.name.str());
    if (value == plan.end())
      return llvm::createStringError("the plan lacks `" + knob.name + "`");
    values.push_back(value->second);
  }
  if (auto gpu = dyn_cast<GpuTargetAttr>(target); gpu && plan.at("threads") > gpu.getBlockThreads())
    return llvm::createStringError("a block has " + std::to_string(plan.at("threads")) + " threads, expected at most " +
                                   std::to_string(gpu.getBlockThreads()));
  return values;
}

/// Whether `database` has a row of this kernel for another version of its form.
static bool hasOtherVersion(const ScheduleDatabase &database, StringRef digest, int64_t version) {
  auto row = database.rows.lower_bound(ScheduleKey{digest.str(), "", 0, "", 0});
  return row != database.rows.end() && row->first.digest == digest && row->first.formVersion != version;
}

std::optional<MeasuredSchedules::Found>
MeasuredSchedules::find(KernelOp kernel, TargetAttr target, llvm::function_ref<void(const Twine &)> onIgnored) const {
  ScheduleKind kind = getScheduleKind(target);
  if (sources.empty() || getKnobs(kernel.getForm(), kind).empty())
    return std::nullopt;
  std::string digest = getFullDigest(kernel);
  int64_t version = getScheduleVersion(kernel.getForm(), kind);
  for (const Source &source : sources) {
    auto ignore = [&](const Twine &reason) {
      onIgnored("ignores the schedule of `" + Twine(source.path) + "`: " + reason);
    };
    const ScheduleRow *row =
        source.database.lookup(digest, stringifyKernelForm(kernel.getForm()), version, target.getName());
    if (!row) {
      if (hasOtherVersion(source.database, digest, version))
        ignore("it was measured for another version of the form, expected version " + Twine(version));
      continue;
    }
    llvm::Expected<SmallVector<int64_t>> values = getValues(kernel, row->plan, target);
    if (values)
      return Found{makeSchedule(kernel.getContext(), kernel.getForm(), kind, *values), source.path, row, row->base};
    ignore(llvm::toString(values.takeError()));
  }
  return choose(kernel, target);
}

const FittedModel *MeasuredSchedules::findModel(KernelOp kernel, TargetAttr target, StringRef &path) const {
  std::string family = getFamily(kernel, target);
  auto getName = [](const FittedFeature &feature) { return StringRef(feature.name); };
  for (const Source &source : sources) {
    const FittedModel *model = source.database.findModel(family, target.getName());
    // Another compiler's model knows other features.
    if (!model || !llvm::equal(llvm::map_range(model->features, getName), describeOwnPlan(kernel, target).getNames()))
      continue;
    path = source.path;
    return model;
  }
  return nullptr;
}

std::optional<MeasuredSchedules::Found> MeasuredSchedules::choose(KernelOp kernel, TargetAttr target) const {
  StringRef path;
  const FittedModel *model = findModel(kernel, target, path);
  if (!model)
    return std::nullopt;
  std::vector<CandidatePlan> plans = listPlans(kernel, target);
  Features base = describePlan(kernel, plans.front(), target);
  std::vector<Prediction> predictions;
  for (const CandidatePlan &plan : plans)
    predictions.push_back(predict(*model, describePlan(kernel, plan, target).minus(base)));
  std::optional<size_t> best = choosePlan(*model, predictions);
  if (!best)
    return std::nullopt;
  auto make = [&](const CandidatePlan &plan) {
    return makeSchedule(kernel.getContext(), kernel.getForm(), getScheduleKind(target), plan.values);
  };
  return Found{make(plans[*best]), path, nullptr, toPlan(make(plans.front())), std::exp(-predictions[*best].value)};
}

std::optional<double> MeasuredSchedules::predictGain(KernelOp kernel, TargetAttr target, const ScheduleRow &row) const {
  auto base = getValues(kernel, row.base, target), plan = getValues(kernel, row.plan, target);
  if (!base || !plan) {
    llvm::consumeError(base.takeError());
    llvm::consumeError(plan.takeError());
    return std::nullopt;
  }
  StringRef path;
  if (const FittedModel *model = findModel(kernel, target, path)) {
    Features from = describePlan(kernel, *base, target);
    return std::exp(-predict(*model, describePlan(kernel, *plan, target).minus(from)).value);
  }
  double gain = estimatePlan(kernel, *base, target) / estimatePlan(kernel, *plan, target);
  return std::isfinite(gain) && gain > 0 ? std::optional(gain) : std::nullopt;
}

} // namespace quern
