//===- TensorCores.cpp - kernels whose products run on tensor cores ---------------------------===//

#include "codegen/tensorcores/TensorCores.h"
#include "codegen/tensorcores/Epilogue.h"
#include "codegen/tensorcores/Product.h"
#include "dialect/PackedLayout.h"
#include "dialect/Shapes.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

namespace quern::codegen {

int64_t TensorContraction::getLeftPairs() const { return llvm::alignTo(pairs, ProductTile::pairs); }

unsigned TensorContraction::getNativeIndex(BlockArgument argument) const {
  KernelOp op = kernel;
  SmallVector<BlockArgument> inputs = op.getInputArguments();
  unsigned operand = llvm::find(inputs, argument) - inputs.begin();
  auto found = llvm::find_if(signature, [&](const NativeArgument &native) { return native.operand == operand; });
  return found - signature.begin();
}

static RankedTensorType getType(Value value) { return cast<RankedTensorType>(value.getType()); }

/// Whether `matmul` multiplies a matrix of bf16 by a weight of pairs.
static Error checkProduct(MatmulOp matmul) {
  auto weight = dyn_cast<BlockArgument>(matmul.getWeight());
  FailureOr<PackedLayout> layout = getPackedLayout(matmul.getWeight());
  if (matmul.isGrouped() || getType(matmul.getLhs()).getRank() != (matmul.isBatched() ? 3 : 2))
    return createStringError("a product is none of a matrix by one weight");
  if (!getType(matmul.getLhs()).getElementType().isBF16())
    return createStringError("a left side is not of bf16");
  if (!weight || failed(layout) || !layout->hasPairs() || layout->isCompressed())
    return createStringError("a weight does not lie in pairs of bf16");
  if (areFew(getType(matmul.getLhs())))
    return createStringError("the rows are few");
  return Error::success();
}

/// Whether a tile's columns have one left side.
static Error checkBatch(const TensorContraction &found) {
  if (found.batch == 1)
    return Error::success();
  if (found.products.size() != 1)
    return createStringError("several products are of a batch");
  for (const ProductTile *tile : tiles::all)
    if (found.columns / found.batch % tile->getColumns() != 0)
      return createStringError("the columns of one of a batch do not fill tiles");
  return Error::success();
}

static Error findProducts(TensorContraction &found) {
  for (MatmulOp matmul : found.kernel.getBody().getOps<MatmulOp>()) {
    if (Error error = checkProduct(matmul))
      return error;
    MatmulOp first = found.products.empty() ? matmul : found.products.front();
    if (matmul.getLhs() != first.getLhs() || matmul.getWeight().getType() != first.getWeight().getType())
      return createStringError("products have several left sides, or weights of several shapes");
    found.products.push_back(matmul);
  }
  if (found.products.empty() || found.products.size() > ProductTile::mostProducts)
    return createStringError("there are %zu products, expected one or two", found.products.size());
  RankedTensorType weight = getType(found.products.front().getWeight());
  found.columns = weight.getDimSize(0);
  found.pairs = getPackedLayout(found.products.front().getWeight())->blocksPerPanel(weight.getDimSize(1));
  found.batch = found.products.front().getBatchSize();
  return checkBatch(found);
}

/// Whether an op after the products can read `value` for each element.
static Error addOperand(TensorContraction &found, Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (found.kernel.getPacking(argument.getArgNumber()))
      return createStringError("a weight is read beside a product");
    if (!llvm::is_contained(found.operands, argument))
      found.operands.push_back(argument);
    return Error::success();
  }
  Operation *owner = value.getDefiningOp();
  bool isKnown = isa<MatmulOp, ConstantOp>(owner) || llvm::is_contained(found.epilogue, owner);
  return isKnown ? Error::success() : createStringError("what follows a product reads what precedes it");
}

/// The value whose elements a kernel yields, each row by itself.
static Value findYielded(Block &body) {
  Value yielded = body.back().getOperand(0);
  auto reshape = yielded.getDefiningOp<ReshapeOp>();
  bool keepsRows = reshape && getDims(getType(reshape.getInput())).front() == getDims(getType(yielded)).front();
  return keepsRows ? reshape.getInput() : yielded;
}

static Error findEpilogue(TensorContraction &found) {
  Block &body = found.kernel.getBody().front();
  RankedTensorType result = getType(found.products.front().getResult());
  for (Operation &op : llvm::make_range(found.products.front()->getIterator(), std::prev(body.end()))) {
    bool isYieldedReshape = isa<ReshapeOp>(op) && op.getOperand(0) == found.yielded;
    if (isa<MatmulOp, ConstantOp>(op) || isYieldedReshape)
      continue;
    if (Error error = checkEpilogue(&op, result))
      return error;
    for (Value operand : op.getOperands())
      if (Error error = addOperand(found, operand))
        return error;
    found.epilogue.push_back(&op);
  }
  return addOperand(found, found.yielded);
}

/// Whether the result is a matrix of its own, as the products are.
static Error checkResult(TensorContraction &found) {
  KernelOp kernel = found.kernel;
  if (kernel.getNumResults() != 1 || kernel.getDestination(0))
    return createStringError("the result is written in place, or there are several");
  found.yielded = findYielded(kernel.getBody().front());
  RankedTensorType type = getType(found.yielded);
  if (kernel.getResultTypes().front() != kernel.getWholeType(0))
    return createStringError("the result is a part of a tensor");
  if (getDims(type) != getDims(getType(found.products.front().getResult())))
    return createStringError("the result has another shape than the products");
  if (!isEpilogueElement(type.getElementType()))
    return createStringError("the result is not of f32, f16 or bf16");
  return Error::success();
}

Expected<TensorContraction> matchTensorCores(KernelOp kernel, const TargetSpec &target) {
  if (!target.tensorCores)
    return createStringError("the target has no tensor cores");
  if (!isa_and_nonnull<MatmulOp>(kernel.getAnchor()))
    return createStringError("the kernel is no contraction");
  TensorContraction found;
  found.kernel = kernel;
  for (auto find : {findProducts, checkResult, findEpilogue})
    if (Error error = find(found))
      return std::move(error);
  FailureOr<SmallVector<NativeArgument>> signature = getSignature(kernel, target.isDevice());
  if (failed(signature) || llvm::any_of(*signature, [](const NativeArgument &native) {
        return native.kind != NativeArgument::Kind::Buffer;
      }))
    return createStringError("the kernel sees positions or pages");
  found.signature = std::move(*signature);
  auto left = dyn_cast<BlockArgument>(found.products.front().getLhs());
  if (left && getType(left).getShape().back() == 2 * found.getLeftPairs())
    found.left = left;
  return found;
}

std::optional<TensorContraction> findTensorContraction(KernelOp kernel, const TargetSpec &target) {
  Expected<TensorContraction> found = matchTensorCores(kernel, target);
  if (found)
    return std::move(*found);
  consumeError(found.takeError());
  return std::nullopt;
}

} // namespace quern::codegen
