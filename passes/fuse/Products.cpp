//===- Products.cpp - products with weights, and what follows them ----------------------------===//

#include "passes/fuse/Products.h"
#include "passes/Signature.h"
#include "passes/TensorType.h"

#include "dialect/Shapes.h"

using namespace mlir;

namespace quern {

/// The add of a parameter with one value per output that alone uses `product`, by `weight`; null where there is none.
static AddOp findBias(Value product, Value weight) {
  auto add = product.hasOneUse() ? dyn_cast<AddOp>(*product.getUsers().begin()) : AddOp();
  if (!add || add.getLhs() != product || !add.getRhs().getDefiningOp<ParamOp>() ||
      getDims(getTensorType(add.getRhs())) != ArrayRef(getDims(getTensorType(weight))).take_front(1))
    return nullptr;
  return add;
}

/// The elementwise op of one operand that alone uses `value`; null where there is none.
static Operation *findUnary(Value value) {
  Operation *user = value.hasOneUse() ? *value.getUsers().begin() : nullptr;
  return user && isa<ScalarBodyOpInterface>(user) && user->getNumOperands() == 1 ? user : nullptr;
}

SmallVector<Operation *> getTail(Value product, Value weight) {
  SmallVector<Operation *> tail;
  if (AddOp bias = findBias(product, weight))
    tail.push_back(bias);
  while (Operation *next = findUnary(getEnd(tail, product)))
    tail.push_back(next);
  return tail;
}

bool areEqual(Operation *a, Operation *b) {
  return a->getName() == b->getName() && a->getAttrDictionary() == b->getAttrDictionary();
}

Value getBias(ArrayRef<Operation *> tail) {
  auto add = tail.empty() ? AddOp() : dyn_cast<AddOp>(tail.front());
  return add ? Value(add.getRhs()) : Value();
}

Value getEnd(ArrayRef<Operation *> tail, Value product) { return tail.empty() ? product : tail.back()->getResult(0); }

Value cloneTail(RewriterBase &rewriter, ArrayRef<Operation *> tail, Value product, Value bias) {
  for (Operation *op : tail) {
    Operation *clone = rewriter.clone(*op);
    clone->setOperand(0, product);
    if (auto add = dyn_cast<AddOp>(clone))
      add.getRhsMutable().assign(bias);
    clone->getResult(0).setType(product.getType());
    product = clone->getResult(0);
  }
  return product;
}

Value createProduct(RewriterBase &rewriter, Location loc, Conv2dOp op, Value weight) {
  auto product = cast<Conv2dOp>(rewriter.clone(*op));
  product->setLoc(loc);
  product.getWeightMutable().assign(weight);
  SmallVector<Dim> dims = getDims(getTensorType(op.getResult()));
  dims.back() = getDims(getTensorType(weight)).front();
  product.getResult().setType(getTensorType(dims, rewriter.getF32Type()));
  return product.getResult();
}

JoinedParameters::JoinedParameters(ModuleOp module) : symbols(module) {
  for (auto parameter : module.getOps<ParameterOp>())
    if (!parameter.isExternal())
      known.try_emplace(getSignature(parameter), parameter);
}

Value JoinedParameters::get(RewriterBase &rewriter, Location loc, ArrayRef<Value> parts) {
  ParameterOp parameter = getParameter(rewriter, loc, parts);
  return ParamOp::create(rewriter, loc, parameter.getType(), parameter.getSymName());
}

/// `layers.0.q_proj.weight+layers.0.k_proj.weight`
static std::string joinNames(ArrayRef<Value> parts) {
  return llvm::join(llvm::map_range(parts,
                                    [](Value part) {
                                      auto param = part.getDefiningOp<ParamOp>();
                                      return param ? param.getParameter() : "literal";
                                    }),
                    "+");
}

ParameterOp JoinedParameters::getParameter(RewriterBase &rewriter, Location loc, ArrayRef<Value> parts) {
  OpBuilder::InsertionGuard guard(rewriter);
  auto entry = rewriter.getInsertionBlock()->getParentOp();
  rewriter.setInsertionPoint(entry);
  Type any = parts.front().getType();
  auto parameter =
      ParameterOp::create(rewriter, loc, joinNames(parts), any, rewriter.getStringAttr("private"), PackingAttr());
  rewriter.createBlock(&parameter.getInit());
  SmallVector<Value> values;
  for (Value part : parts)
    values.push_back(rewriter.clone(*part.getDefiningOp())->getResult(0));
  auto joined = ConcatOp::create(rewriter, loc, values, /*axis=*/0);
  YieldOp::create(rewriter, loc, joined.getResult());
  parameter.setType(joined.getResult().getType());

  auto [place, isNew] = known.try_emplace(getSignature(parameter), parameter);
  if (!isNew) {
    rewriter.eraseOp(parameter);
    return place->second;
  }
  parameter->remove();
  symbols.insert(parameter, entry->getIterator());
  return parameter;
}

} // namespace quern
