//===- EmptySteps.cpp - launches of no rows ---------------------------------------------------===//

#include "codegen/EmptySteps.h"

using namespace Halide;
using namespace Halide::Internal;

namespace quern::codegen {

namespace {

/// Puts a condition around all that a pipeline does.
class DoNothingWithout final : public IRMutator {
public:
  explicit DoNothingWithout(Expr condition) : condition(std::move(condition)) {}

  using IRMutator::mutate;
  Stmt mutate(const Stmt &all) override { return IfThenElse::make(condition, all); }

private:
  Expr condition;
};

} // namespace

void doNothingWithout(Pipeline &pipeline, const Expr &hasWork) {
  pipeline.add_custom_lowering_pass(new DoNothingWithout(hasWork));
}

} // namespace quern::codegen
