//===- FoldParameters.cpp - constant expressions become parameters ----------------------------===//

#include "passes/Constants.h"
#include "passes/Passes.h"
#include "passes/Signature.h"
#include "passes/TensorType.h"
#include "passes/fuse/Explain.h"

#include "dialect/Ops.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_FOLDPARAMETERSPASS
#include "passes/Passes.h.inc"

/// The values of an entry that depend on parameters and literals alone.
using ConstantValues = llvm::DenseSet<Value>;

static bool isSplat(Operation *op) {
  auto constant = dyn_cast<ConstantOp>(op);
  return constant && isa<SplatElementsAttr>(constant.getValue());
}

/// The ops that compute `root`, in their order.
static SmallVector<Operation *> getExpression(Operation *root) {
  llvm::SetVector<Operation *> ops;
  ops.insert(root);
  for (size_t i = 0; i < ops.size(); ++i)
    for (Value operand : ops[i]->getOperands())
      ops.insert(operand.getDefiningOp());
  SmallVector<Operation *> sorted(ops.begin(), ops.end());
  llvm::sort(sorted, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return sorted;
}

/// The number of elements of `value`, saturating.
static int64_t getElements(Value value) {
  int64_t elements = 1;
  for (int64_t size : cast<RankedTensorType>(value.getType()).getShape())
    if (llvm::MulOverflow(elements, size, elements))
      return INT64_MAX;
  return elements;
}

/// Whether one elementwise op computes the value out of sources `growth` times smaller.
static bool isCheaperAgain(ArrayRef<Operation *> expression, int64_t growth) {
  int64_t sources = 0, computing = 0;
  for (Operation *op : expression) {
    if (isa<ParamOp, IotaOp, ConstantOp>(op))
      sources += isSplat(op) ? 0 : getElements(op->getResult(0));
    else if (isa<ScalarBodyOpInterface>(op))
      ++computing;
    else if (!isa<ReshapeOp>(op))
      return false;
  }
  return computing == 1 && getElements(expression.back()->getResult(0)) / growth > sources;
}

namespace {

struct FoldParametersPass : impl::FoldParametersPassBase<FoldParametersPass> {
  using FoldParametersPassBase::FoldParametersPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (growth < 1) {
      module.emitError() << "option `growth` is " << int64_t(growth) << ", expected at least 1";
      return signalPassFailure();
    }
    SymbolTable symbols(module);
    for (auto parameter : module.getOps<ParameterOp>())
      if (!parameter.isExternal())
        known.try_emplace(getSignature(parameter), parameter);
    for (EntryOp entry : module.getOps<EntryOp>())
      foldEntry(entry, symbols);
    known.clear();
  }

private:
  /// Computed parameters by what they compute.
  llvm::StringMap<ParameterOp> known;

  /// Makes rows [n, k] of the weights that parameters alone say: packed weights are those.
  static void setRows(EntryOp entry) {
    entry.walk([](MatmulOp matmul) {
      if (matmul.hasRows() || !isConstant(matmul.getWeight()))
        return;
      OpBuilder builder(matmul);
      Value weight = matmul.getWeight();
      int64_t rank = getTensorType(weight).getRank();
      if (rank == 3 && getTensorType(matmul.getLhs()).getRank() != 3)
        return; // no kernel takes these rows by panels
      if (matmul.getTransposed())
        weight = TransposeOp::create(builder, matmul.getLoc(), weight,
                                     rank == 2 ? ArrayRef<int64_t>{1, 0} : ArrayRef<int64_t>{0, 2, 1});
      RankedTensorType type = getTensorType(weight);
      Value product;
      if (rank == 2) {
        product = MatmulOp::create(builder, matmul.getLoc(), matmul.getLhs(), weight);
      } else {
        int64_t batch = type.getDimSize(0);
        auto flat = RankedTensorType::get({batch * type.getDimSize(1), type.getDimSize(2)}, type.getElementType());
        weight = ReshapeOp::create(builder, matmul.getLoc(), flat, weight);
        product = MatmulOp::create(builder, matmul.getLoc(), matmul.getLhs(), weight, batch);
      }
      matmul.replaceAllUsesWith(product);
      matmul.erase();
    });
  }

  void foldEntry(EntryOp entry, SymbolTable &symbols) {
    setRows(entry);
    ConstantValues constants;
    SmallVector<Operation *> order;
    // What `isConstant` says, of all ops at once: they stand behind their operands.
    auto isKnown = [&](Value operand) { return constants.contains(operand); };
    for (Operation &op : entry.getBody().front()) {
      if (op.getNumResults() != 1 || !isMemoryEffectFree(&op) || !llvm::all_of(op.getOperands(), isKnown))
        continue;
      constants.insert(op.getResult(0));
      order.push_back(&op);
    }
    auto isRoot = [&](Operation *op) {
      bool leaves = llvm::any_of(op->getUsers(), [&](Operation *user) {
        return user->getNumResults() != 1 || !constants.contains(user->getResult(0));
      });
      return leaves && !isa<ParamOp>(op) && !isSplat(op) && !isCheaperAgain(getExpression(op), growth);
    };
    SmallVector<Operation *> roots = llvm::to_vector(llvm::make_filter_range(order, isRoot));
    for (Operation *root : roots)
      replaceRoot(root, symbols);
    for (Operation *op : llvm::reverse(order))
      if (op->use_empty())
        op->erase();
  }

  /// Lets the users of `root` outside of constant expressions read a parameter.
  void replaceRoot(Operation *root, SymbolTable &symbols) {
    remarkFused(root, "parameters and literals alone: computed once, at compile time");
    ParameterOp parameter = getParameter(root, symbols);
    OpBuilder builder(root);
    Value param = ParamOp::create(builder, root->getLoc(), root->getResult(0).getType(), parameter.getSymName());
    root->getResult(0).replaceAllUsesWith(param);
  }

  /// The parameter that computes `root`, made where there is none yet.
  ParameterOp getParameter(Operation *root, SymbolTable &symbols) {
    SmallVector<Operation *> expression = getExpression(root);
    OpBuilder builder(root->getParentOfType<EntryOp>());
    Type type = root->getResult(0).getType();
    auto parameter =
        ParameterOp::create(builder, root->getLoc(), "folded", type, builder.getStringAttr("private"), PackingAttr());
    builder.createBlock(&parameter.getInit());
    IRMapping mapping;
    for (Operation *op : expression)
      builder.clone(*op, mapping);
    YieldOp::create(builder, root->getLoc(), mapping.lookup(root->getResult(0)));

    auto [place, isNew] = known.try_emplace(getSignature(parameter), parameter);
    if (!isNew) {
      parameter.erase();
      ++numShared;
      return place->second;
    }
    parameter->remove();
    symbols.insert(parameter, root->getParentOfType<EntryOp>()->getIterator());
    ++numFolded;
    return parameter;
  }
};

} // namespace

} // namespace quern
