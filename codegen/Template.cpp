//===- Template.cpp - the table of templates, schedule parameters -----------------------------===//

#include "codegen/Template.h"

#include "dialect/Schedules.h"

using namespace mlir;

namespace quern::codegen {

static constexpr KernelTemplate templateTable[] = {
#define QUERN_TEMPLATE(Form) {KernelForm::Form, build##Form},
#include "codegen/Templates.def"
};

const KernelTemplate &getTemplate(KernelForm form) {
  const KernelTemplate *found =
      llvm::find_if(templateTable, [&](const KernelTemplate &row) { return row.form == form; });
  assert(found != std::end(templateTable) && "every form has a row in Templates.def");
  return *found;
}

FailureOr<Parameters> Parameters::get(KernelOp kernel, const TargetSpec &target) {
  auto schedule = kernel.getScheduleAttr();
  for (const Knob &knob : getKnobs(kernel.getForm(), getScheduleKind(target.getAttr(kernel.getContext()))))
    if (!schedule || !schedule.getInt(knob.name))
      return kernel.emitError("schedule lacks the parameter `") << knob.name << "`";
  Parameters parameters(schedule);
  if (target.isDevice() && parameters["threads"] > target.blockThreads)
    return kernel.emitError("a block has ") << parameters["threads"] << " threads, expected at most "
                                            << target.blockThreads << " on `" << target.name << "`";
  return parameters;
}

int Parameters::operator[](StringRef name) const {
  std::optional<int64_t> value = schedule.getInt(name);
  assert(value && "a template asks only for knobs of its form");
  return static_cast<int>(*value);
}

} // namespace quern::codegen
