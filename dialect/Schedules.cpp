//===- Schedules.cpp - what the schedule of a kernel of each form may say ---------------------===//

#include "dialect/Schedules.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace quern {

#define QUERN_VALUES(...) __VA_ARGS__
#define QUERN_KNOB(Form, name, values, meaning) static constexpr int64_t legal##Form##name[] = {QUERN_VALUES values};
#include "dialect/Schedules.def"

namespace {
struct KnobRow {
  KernelForm form;
  Knob knob;
};
struct FormRow {
  KernelForm form;
  int64_t version;
};
} // namespace

static const KnobRow knobTable[] = {
#define QUERN_KNOB(Form, name, values, meaning) {KernelForm::Form, {#name, legal##Form##name, meaning}},
#include "dialect/Schedules.def"
};

static constexpr FormRow formTable[] = {
#define QUERN_SCHEDULE(Form, version) {KernelForm::Form, version},
#include "dialect/Schedules.def"
};

ArrayRef<Knob> getKnobs(KernelForm form) {
  static const auto knobs = [] {
    std::array<SmallVector<Knob>, std::size(formTable)> all;
    for (const KnobRow &row : knobTable)
      all[llvm::find_if(formTable, [&](const FormRow &other) { return other.form == row.form; }) - formTable].push_back(
          row.knob);
    return all;
  }();
  for (auto [row, own] : llvm::zip_equal(formTable, knobs))
    if (row.form == form)
      return own;
  llvm_unreachable("every form has a row in Schedules.def");
}

ArrayRef<int64_t> getLegal(KernelForm form, StringRef name) {
  return llvm::find_if(getKnobs(form), [&](const Knob &knob) { return knob.name == name; })->legal;
}

int64_t getScheduleVersion(KernelForm form) {
  for (const FormRow &row : formTable)
    if (row.form == form)
      return row.version;
  llvm_unreachable("every form has a row in Schedules.def");
}

std::optional<std::string> findFault(KernelForm form, StringRef name, int64_t value) {
  ArrayRef<Knob> knobs = getKnobs(form);
  const Knob *knob = llvm::find_if(knobs, [&](const Knob &other) { return other.name == name; });
  if (knob == knobs.end())
    return ("form `" + stringifyKernelForm(form) + "` has no schedule parameter `" + name + "`").str();
  if (llvm::is_contained(knob->legal, value))
    return std::nullopt;
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "schedule parameter `" << name << "` is " << value << ", expected ";
  llvm::interleaveComma(knob->legal, os);
  return text;
}

ScheduleAttr makeSchedule(MLIRContext *context, KernelForm form, ArrayRef<int64_t> values) {
  Builder builder(context);
  SmallVector<NamedAttribute> attributes;
  for (auto [knob, value] : llvm::zip_equal(getKnobs(form), values))
    attributes.push_back(builder.getNamedAttr(knob.name, builder.getI64IntegerAttr(value)));
  return ScheduleAttr::get(context, builder.getDictionaryAttr(attributes));
}

LogicalResult verifySchedule(llvm::function_ref<InFlightDiagnostic()> emitError, KernelForm form,
                             ScheduleAttr schedule) {
  for (NamedAttribute entry : schedule.getParameters()) {
    auto value = dyn_cast<IntegerAttr>(entry.getValue());
    if (!value || !value.getType().isInteger(64))
      return emitError() << "schedule parameter `" << entry.getName().getValue() << "` is " << entry.getValue()
                         << ", expected an integer of 64 bits";
    if (auto fault = findFault(form, entry.getName().getValue(), value.getInt()))
      return emitError() << *fault;
  }
  return success();
}

} // namespace quern
