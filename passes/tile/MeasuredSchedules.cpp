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

/// The plan as a schedule for `target`, or what is wrong with it.
static llvm::Expected<ScheduleAttr> toSchedule(KernelOp kernel, const Plan &plan, TargetAttr target) {
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
  return makeSchedule(kernel.getContext(), kernel.getForm(), kind, values);
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
    llvm::Expected<ScheduleAttr> schedule = toSchedule(kernel, row->plan, target);
    if (schedule)
      return Found{*schedule, source.path, row, row->base};
    ignore(llvm::toString(schedule.takeError()));
  }
  return choose(kernel, target);
}

std::optional<MeasuredSchedules::Found> MeasuredSchedules::choose(KernelOp kernel, TargetAttr target) const {
  std::string family = getFamily(kernel, target);
  for (const Source &source : sources) {
    const FittedModel *model = source.database.findModel(family, target.getName());
    if (!model)
      continue;
    std::vector<CandidatePlan> plans = listPlans(kernel, target);
    Features base = describePlan(kernel, plans.front(), target);
    auto getName = [](const FittedFeature &feature) { return StringRef(feature.name); };
    // Another compiler's model knows other features.
    if (!llvm::equal(llvm::map_range(model->features, getName), base.getNames()))
      continue;
    std::vector<Prediction> predictions;
    for (const CandidatePlan &plan : plans)
      predictions.push_back(predict(*model, describePlan(kernel, plan, target).minus(base)));
    std::optional<size_t> best = choosePlan(*model, predictions);
    if (!best)
      return std::nullopt;
    auto make = [&](const CandidatePlan &plan) {
      return makeSchedule(kernel.getContext(), kernel.getForm(), getScheduleKind(target), plan.values);
    };
    return Found{make(plans[*best]), source.path, nullptr, toPlan(make(plans.front())),
                 std::exp(-predictions[*best].value)};
  }
  return std::nullopt;
}

} // namespace quern
