//===- Template.cpp - the table of templates, schedule parameters -----------------------------===//

#include "codegen/Template.h"

using namespace mlir;

namespace quern::codegen {

static constexpr KernelTemplate templateTable[] = {
#define QUERN_TEMPLATE(Form) {KernelForm::Form, space##Form, build##Form, prefetch##Form},
#include "codegen/Templates.def"
};

const KernelTemplate &getTemplate(KernelForm form) {
  const KernelTemplate *found =
      llvm::find_if(templateTable, [&](const KernelTemplate &row) { return row.form == form; });
  assert(found != std::end(templateTable) && "every form has a row in Templates.def");
  return *found;
}

Space getSpace(KernelOp kernel, const TargetSpec &target) {
  return getTemplate(kernel.getForm()).space(kernel, target);
}

FailureOr<Parameters> Parameters::get(KernelOp kernel, const Space &space) {
  ScheduleAttr schedule = kernel.getScheduleAttr();
  Parameters parameters;
  for (const Knob &knob : space) {
    int64_t value = knob.getValue(kernel);
    if (!llvm::is_contained(knob.legal, value)) {
      InFlightDiagnostic error = kernel.emitError("schedule parameter `")
                                 << knob.name << "` is " << value << ", expected ";
      llvm::interleaveComma(knob.legal, error);
      return error;
    }
    parameters.values.emplace_back(knob.name, value);
  }
  if (!schedule)
    return parameters;
  for (NamedAttribute entry : schedule.getParameters())
    if (llvm::none_of(space, [&](const Knob &knob) { return knob.name == entry.getName().getValue(); }))
      return kernel.emitError("form `") << stringifyKernelForm(kernel.getForm()) << "` has no schedule parameter `"
                                        << entry.getName().getValue() << "`";
  return parameters;
}

int Parameters::operator[](StringRef name) const {
  for (auto [known, value] : values)
    if (known == name)
      return static_cast<int>(value);
  llvm_unreachable("a template asks only for parameters of its space");
}

} // namespace quern::codegen
