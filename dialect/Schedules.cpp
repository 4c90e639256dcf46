//===- Schedules.cpp - what the schedule of a kernel of each form may say ---------------------===//

#include "dialect/Schedules.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace quern {

#define QUERN_VALUES(...) __VA_ARGS__
#define QUERN_KNOB(Form, name, values, meaning) static constexpr int64_t legal##Form##name[] = {QUERN_VALUES values};
#define QUERN_DEVICE_KNOB(Form, name, values, meaning)                                                                 \
  static constexpr int64_t legalDevice##Form##name[] = {QUERN_VALUES values};
#include "dialect/Schedules.def"

namespace {
struct KnobRow {
  KernelForm form;
  ScheduleKind kind;
  Knob knob;
};
struct FormRow {
  KernelForm form;
  ScheduleKind kind;
  int64_t version;
};
} // namespace

static const KnobRow knobTable[] = {
#define QUERN_KNOB(Form, name, values, meaning)                                                                        \
  {KernelForm::Form, ScheduleKind::Processor, {#name, legal##Form##name, meaning}},
#define QUERN_DEVICE_KNOB(Form, name, values, meaning)                                                                 \
  {KernelForm::Form, ScheduleKind::Device, {#name, legalDevice##Form##name, meaning}},
#include "dialect/Schedules.def"
};

static constexpr FormRow formTable[] = {
#define QUERN_SCHEDULE(Form, version) {KernelForm::Form, ScheduleKind::Processor, version},
#define QUERN_DEVICE_SCHEDULE(Form, version) {KernelForm::Form, ScheduleKind::Device, version},
#include "dialect/Schedules.def"
};

ScheduleKind getScheduleKind(TargetAttr target) {
  return target.isDevice() ? ScheduleKind::Device : ScheduleKind::Processor;
}

static const FormRow *findRow(KernelForm form, ScheduleKind kind) {
  const FormRow *row =
      llvm::find_if(formTable, [&](const FormRow &other) { return other.form == form && other.kind == kind; });
  assert(row != std::end(formTable) && "every form has a row of each kind in Schedules.def");
  return row;
}

ArrayRef<Knob> getKnobs(KernelForm form, ScheduleKind kind) {
  static const auto knobs = [] {
    std::array<SmallVector<Knob>, std::size(formTable)> all;
    for (const KnobRow &row : knobTable)
      all[findRow(row.form, row.kind) - formTable].push_back(row.knob);
    return all;
  }();
  return knobs[findRow(form, kind) - formTable];
}

ArrayRef<int64_t> getLegal(KernelForm form, ScheduleKind kind, StringRef name) {
  return llvm::find_if(getKnobs(form, kind), [&](const Knob &knob) { return knob.name == name; })->legal;
}

int64_t getScheduleVersion(KernelForm form, ScheduleKind kind) { return findRow(form, kind)->version; }

std::optional<std::string> findFault(KernelForm form, ScheduleKind kind, StringRef name, int64_t value) {
  ArrayRef<Knob> knobs = getKnobs(form, kind);
  const Knob *knob = llvm::find_if(knobs, [&](const Knob &other) { return other.name == name; });
  StringRef where = kind == ScheduleKind::Device ? " on a device" : "";
  if (knob == knobs.end())
    return ("form `" + stringifyKernelForm(form) + "` has no schedule parameter `" + name + "`" + where).str();
  if (llvm::is_contained(knob->legal, value))
    return std::nullopt;
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "schedule parameter `" << name << "` is " << value << where << ", expected ";
  llvm::interleaveComma(knob->legal, os);
  return text;
}

/// What is wrong with `schedule`, of a kernel of `form` on this kind of machine; nothing where it may say that.
static std::optional<std::string> findFault(ScheduleAttr schedule, KernelForm form, ScheduleKind kind) {
  for (NamedAttribute entry : schedule.getParameters())
    if (auto fault = findFault(form, kind, entry.getName().getValue(), cast<IntegerAttr>(entry.getValue()).getInt()))
      return fault;
  return std::nullopt;
}

bool isFor(ScheduleAttr schedule, KernelForm form, ScheduleKind kind) { return !findFault(schedule, form, kind); }

ScheduleAttr makeSchedule(MLIRContext *context, KernelForm form, ScheduleKind kind, ArrayRef<int64_t> values) {
  Builder builder(context);
  SmallVector<NamedAttribute> attributes;
  for (auto [knob, value] : llvm::zip_equal(getKnobs(form, kind), values))
    attributes.push_back(builder.getNamedAttr(knob.name, builder.getI64IntegerAttr(value)));
  return ScheduleAttr::get(context, builder.getDictionaryAttr(attributes));
}

/// Whether a device alone has a knob that `schedule` says.
static bool saysDeviceKnob(ScheduleAttr schedule, KernelForm form) {
  auto hasKnob = [&](ScheduleKind kind, StringRef name) {
    return llvm::any_of(getKnobs(form, kind), [&](const Knob &knob) { return knob.name == name; });
  };
  return llvm::any_of(schedule.getParameters(), [&](NamedAttribute entry) {
    StringRef name = entry.getName().getValue();
    return hasKnob(ScheduleKind::Device, name) && !hasKnob(ScheduleKind::Processor, name);
  });
}

LogicalResult verifySchedule(llvm::function_ref<InFlightDiagnostic()> emitError, KernelForm form,
                             ScheduleAttr schedule) {
  for (NamedAttribute entry : schedule.getParameters())
    if (auto value = dyn_cast<IntegerAttr>(entry.getValue()); !value || !value.getType().isInteger(64))
      return emitError() << "schedule parameter `" << entry.getName().getValue() << "` is " << entry.getValue()
                         << ", expected an integer of 64 bits";
  if (isFor(schedule, form, ScheduleKind::Processor) || isFor(schedule, form, ScheduleKind::Device))
    return success();
  ScheduleKind meant = saysDeviceKnob(schedule, form) ? ScheduleKind::Device : ScheduleKind::Processor;
  return emitError() << *findFault(schedule, form, meant);
}

} // namespace quern
