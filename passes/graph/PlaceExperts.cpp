//===- PlaceExperts.cpp - experts that rows often choose lie together --------------------------===//

#include "passes/Passes.h"

#include "dialect/ExpertUse.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_PLACEEXPERTSPASS
#include "passes/Passes.h.inc"

namespace {

struct PlaceExpertsPass : impl::PlaceExpertsPassBase<PlaceExpertsPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (!module->hasAttr(expertUseAttribute))
      return;
    module.walk([&](ParamOp param) { reads[param.getParameterAttr().getAttr()].push_back(param); });
    for (const ExpertArray &array : findExpertArrays(module)) {
      std::optional<ExpertUse> use = getExpertUse(module, array.name);
      if (!use)
        continue;
      SmallVector<int64_t> order = use->getOrder();
      if (llvm::is_sorted(order))
        continue;
      if (failed(placeAll(array, order)))
        return signalPassFailure();
      ++numPlaced;
    }
    reads.clear();
  }

private:
  /// By the names of parameters, what reads them.
  llvm::DenseMap<StringAttr, SmallVector<ParamOp>> reads;

  LogicalResult placeAll(const ExpertArray &array, ArrayRef<int64_t> order) {
    SmallVector<ConcatOp> joined;
    llvm::SetVector<Operation *> choices;
    for (ParameterOp stack : array.stacks) {
      FailureOr<ConcatOp> parts = getParts(stack, order.size());
      if (failed(parts) || failed(addChoices(stack, order.size(), choices)))
        return failure();
      joined.push_back(*parts);
    }
    for (ConcatOp parts : joined) {
      SmallVector<Value> inputs = llvm::map_to_vector(order, [&](int64_t expert) { return parts.getInputs()[expert]; });
      parts.getInputsMutable().assign(inputs);
    }
    for (Operation *choice : choices)
      setPlaces(cast<GroupRowsOp>(choice), order);
    return success();
  }

  /// What joins the tensors of as many `experts` in the initialiser of `stack`.
  FailureOr<ConcatOp> getParts(ParameterOp stack, size_t experts) {
    ConcatOp parts = getJoinedExperts(stack);
    if (!parts || parts.getAxis() != 0 || parts.getInputs().size() != experts ||
        !llvm::all_equal(parts.getInputs().getTypes()))
      return stack.emitError("tensor `") << stack.getSymName() << "` is not made of " << experts
                                         << " alike, one behind the other, of which `quern.routing` says the use";
    return parts;
  }

  /// Adds what chooses among the rows of `stack`; fails where something else reads it.
  LogicalResult addChoices(ParameterOp stack, size_t experts, llvm::SetVector<Operation *> &choices) {
    for (ParamOp param : reads.lookup(stack.getSymNameAttr()))
      for (OpOperand &use : param->getUses()) {
        auto matmul = dyn_cast<MatmulOp>(use.getOwner());
        bool isChosen = matmul && matmul.isGrouped() && &use == &matmul.getWeightMutable();
        auto choice = isChosen ? matmul.getBegins().getDefiningOp<GroupRowsOp>() : GroupRowsOp();
        if (!choice || choice.getGroups() != experts)
          return use.getOwner()->emitError("reads `")
                 << stack.getSymName() << "`, whose order `quern.routing` changes; expected a product by weights that "
                 << "rows choose";
        choices.insert(choice);
      }
    return success();
  }

  /// Lets `choice` sort places instead of experts: of each expert that a row chose, its place in `order`.
  void setPlaces(GroupRowsOp choice, ArrayRef<int64_t> order) {
    SmallVector<int32_t> places(order.size());
    for (auto [place, expert] : llvm::enumerate(order))
      places[expert] = static_cast<int32_t>(place);
    ImplicitLocOpBuilder builder(choice.getLoc(), choice);
    auto type = RankedTensorType::get(order.size(), builder.getI32Type());
    Value table = ConstantOp::create(builder, DenseElementsAttr::get(type, ArrayRef<int32_t>(places)));
    choice.getChosenMutable().assign(GatherOp::create(builder, table, choice.getChosen()).getResult());
  }
};

} // namespace

} // namespace quern
