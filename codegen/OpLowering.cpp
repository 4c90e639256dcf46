//===- OpLowering.cpp - graph ops inside kernels as formulas ----------------------------------===//

#include "codegen/Lowering.h"
#include "codegen/Scalar.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using Halide::Expr;

namespace quern::codegen {

namespace {
using Result = FailureOr<Formula>;
using Operands = ArrayRef<Formula>;
} // namespace

static RankedTensorType resultType(Operation *op) { return cast<RankedTensorType>(op->getResult(0).getType()); }

/// The element of `operand` that an index of the broadcast result reads.
static Expr readBroadcast(const Formula &operand, const Index &index) {
  Index own(index.end() - operand.shape.size(), index.end());
  for (size_t i = 0; i < own.size(); ++i)
    if (Halide::Internal::is_const_one(operand.shape[i]))
      own[i] = 0;
  return operand.at(own);
}

/// A scalar region applied to broadcast operands. The block is lowered once to find its errors, then for each index.
static Result lowerScalarOp(Lowering &lowering, RankedTensorType type, Block &block, Operands operands) {
  std::vector<Expr> placeholders;
  for (BlockArgument argument : block.getArguments()) {
    FailureOr<Halide::Type> element = getHalideType(argument.getType());
    if (failed(element))
      return block.getParentOp()->emitError("a scalar of type ")
             << argument.getType() << ", expected f32, f16, bf16, i32 or i1";
    placeholders.push_back(
        Halide::Internal::Variable::make(*element, "scalar" + std::to_string(argument.getArgNumber())));
  }
  FailureOr<Expr> formula = lowerScalarBlock(block, placeholders);
  if (failed(formula))
    return failure();
  return Formula{
      lowering.shapeOf(type),
      [formula = *formula, inputs = std::vector<Formula>(operands.begin(), operands.end())](const Index &index) {
        std::map<std::string, Expr> values;
        for (size_t i = 0; i < inputs.size(); ++i) {
          Expr value = readBroadcast(inputs[i], index);
          values["scalar" + std::to_string(i)] = value;
        }
        return Halide::Internal::substitute(values, formula);
      }};
}

/// A map, or an elementwise op outside of one.
static Result lowerElementwise(Lowering &lowering, Operation *op, Operands operands) {
  Result result = failure();
  visitScalars(op, [&](Block &block) { result = lowerScalarOp(lowering, resultType(op), block, operands); });
  return result;
}

/// `input` with the elements of the result of `op`.
static Result lowerCast(Operation *op, const Formula &input) {
  FailureOr<Halide::Type> type = getHalideType(resultType(op).getElementType());
  if (failed(type))
    return op->emitError("no kernel code for a cast to ") << resultType(op).getElementType();
  return Formula{input.shape, [type = *type, input](const Index &index) { return convert(type, input.at(index)); }};
}

static Result lowerConstant(Lowering &lowering, ConstantOp op, Operands) {
  auto values = dyn_cast<DenseElementsAttr>(op.getValue());
  RankedTensorType type = resultType(op);
  if (!values || !values.isSplat() || !type.getElementType().isF32())
    return op.emitError("a kernel holds a constant that is no f32 splat, expected an argument");
  float value = values.getSplatValue<float>();
  return Formula{lowering.shapeOf(type), [value](const Index &) { return Expr(value); }};
}

static Result lowerIota(Lowering &lowering, IotaOp op, Operands) {
  return Formula{lowering.shapeOf(resultType(op)), [](const Index &index) { return Halide::cast<float>(index[0]); }};
}

/// The index of the input's element at `index` of a reshape's result. Equal leading dimensions keep their indices; the
/// rest goes through the row-major offset.
static Index reshapeIndex(const std::vector<Expr> &from, const std::vector<Expr> &to, const Index &index) {
  size_t equal = 0;
  while (equal < from.size() && equal < to.size() && Halide::Internal::equal(from[equal], to[equal]))
    ++equal;
  Expr offset = 0;
  for (size_t i = equal; i < to.size(); ++i)
    offset = offset * to[i] + index[i];
  Index result(index.begin(), index.begin() + equal);
  std::vector<Expr> rest;
  for (size_t i = from.size(); i > equal + 1; --i) {
    rest.push_back(offset % from[i - 1]);
    offset = offset / from[i - 1];
  }
  if (equal < from.size())
    rest.push_back(offset);
  result.insert(result.end(), rest.rbegin(), rest.rend());
  for (Expr &expr : result)
    expr = Halide::Internal::simplify(expr);
  return result;
}

static Result lowerReshape(Lowering &lowering, ReshapeOp op, Operands operands) {
  std::vector<Expr> shape = lowering.shapeOf(resultType(op));
  return Formula{shape, [shape, input = operands[0]](const Index &index) {
                   return input.at(reshapeIndex(input.shape, shape, index));
                 }};
}

static Result lowerTranspose(Lowering &lowering, TransposeOp op, Operands operands) {
  std::vector<int64_t> permutation(op.getPermutation().begin(), op.getPermutation().end());
  return Formula{lowering.shapeOf(resultType(op)), [permutation, input = operands[0]](const Index &index) {
                   Index own(index.size());
                   for (size_t i = 0; i < index.size(); ++i)
                     own[permutation[i]] = index[i];
                   return input.at(own);
                 }};
}

static Result lowerSlice(Lowering &lowering, SliceOp op, Operands operands) {
  return Formula{lowering.shapeOf(resultType(op)), [axis = op.getAxis(), offset = static_cast<int32_t>(op.getOffset()),
                                                    input = operands[0]](const Index &index) {
                   Index own = index;
                   own[axis] = Halide::Internal::simplify(own[axis] + offset);
                   return input.at(own);
                 }};
}

static Result lowerConcat(Lowering &lowering, ConcatOp op, Operands operands) {
  size_t axis = op.getAxis();
  return Formula{lowering.shapeOf(resultType(op)),
                 [axis, inputs = std::vector<Formula>(operands.begin(), operands.end())](const Index &index) {
                   Expr end = 0, result;
                   for (const Formula &input : inputs) {
                     Index own = index;
                     Expr begin = end;
                     own[axis] = clamp(index[axis] - begin, 0, input.shape[axis] - 1);
                     end = Halide::Internal::simplify(begin + input.shape[axis]);
                     Expr value = input.at(own);
                     result = result.defined() ? select(index[axis] < begin, result, value) : value;
                   }
                   return result;
                 }};
}

static Result lowerBroadcast(Lowering &lowering, BroadcastOp op, Operands operands) {
  return Formula{lowering.shapeOf(resultType(op)), [axis = op.getAxis(), input = operands[0]](const Index &index) {
                   Index own = index;
                   own.erase(own.begin() + axis);
                   return input.at(own);
                 }};
}

/// result[b…, p…, i…, e…] = table[b…, p…, indices[b…, i…], e…]. An index outside of the axis, which is never empty,
/// reads the nearest one.
static Result lowerGather(Lowering &lowering, GatherOp op, Operands operands) {
  size_t axis = op.getAxis(), batch = op.getBatch(), chosen = operands[1].shape.size() - batch;
  bool isFloat = resultType(op).getElementType().isF32();
  return Formula{lowering.shapeOf(resultType(op)), [=, table = operands[0], indices = operands[1]](const Index &index) {
                   auto begin = index.begin() + axis, end = begin + chosen;
                   Index place(index.begin(), index.begin() + batch), own(index.begin(), begin);
                   place.insert(place.end(), begin, end);
                   own.push_back(clamp(indices.at(place), 0, table.shape[axis] - 1));
                   own.insert(own.end(), end, index.end());
                   Expr element = table.at(own);
                   return isFloat ? toFloat(element) : element;
                 }};
}

/// In ascending order of the slots. The first product is added to 0, too, which Halide would leave out: of the sum of
/// two products the back end may fuse either, and takes another one in another kernel.
static Result lowerCombine(Lowering &lowering, CombineOp op, Operands operands) {
  int32_t slots = static_cast<int32_t>(cast<RankedTensorType>(op.getInput().getType()).getDimSize(1));
  return Formula{lowering.shapeOf(resultType(op)),
                 [slots, input = operands[0], weights = operands[1]](const Index &index) {
                   Expr sum = 0.0f;
                   for (int32_t j = 0; j < slots; ++j) {
                     Index own = index;
                     own.insert(own.begin() + 1, j);
                     sum = Halide::Internal::Add::make(sum, weights.at({index[0], j}) * input.at(own));
                   }
                   return sum;
                 }};
}

/// The row of an element.
static Index rowOf(const Index &index) { return Index(index.begin(), index.end() - 1); }

static Result lowerRmsNorm(Lowering &lowering, RmsNormOp op, Operands operands) {
  Formula input = operands[0], weight = operands[1];
  Formula squares{input.shape, [input](const Index &index) {
                    Expr x = input.at(index);
                    return x * x;
                  }};
  Formula mean = lowering.reduceRows(squares, ReduceKind::Mean, "squares");
  float eps = static_cast<float>(op.getEps().convertToDouble());
  Formula scale = lowering.store(
      RowStage::Kind::PerRow, {mean.shape, [=](const Index &row) { return 1.0f / sqrt(mean.at(row) + eps); }}, "scale");
  return Formula{input.shape, [=](const Index &index) {
                   return multiply(input.at(index) * scale.at(rowOf(index)), weight.at({index.back()}));
                 }};
}

static Result lowerReduce(Lowering &lowering, ReduceOp op, Operands operands) {
  Formula total = lowering.reduceRows(operands[0], op.getKind(), "reduce");
  std::vector<Expr> shape = operands[0].shape;
  shape.back() = 1;
  return Formula{shape, [total](const Index &index) { return total.at(rowOf(index)); }};
}

static Result lowerSoftmax(Lowering &lowering, SoftmaxOp, Operands operands) {
  Formula input = operands[0];
  Formula largest = lowering.reduceRows(input, ReduceKind::Max, "largest");
  Formula powers = lowering.store(
      RowStage::Kind::WholeRow,
      {input.shape, [=](const Index &index) { return exponential(input.at(index) - largest.at(rowOf(index))); }},
      "powers");
  Formula sum = lowering.reduceRows(powers, ReduceKind::Sum, "sum");
  return Formula{input.shape, [=](const Index &index) { return powers.at(index) / sum.at(rowOf(index)); }};
}

/// Elements (u, v) of a pair, at j and j + r/2 (half) or 2j and 2j + 1 (interleaved), turn by the angle of the table.
static Result lowerRope(Lowering &lowering, RopeOp op, Operands operands) {
  FailureOr<Halide::ImageParam> positions = lowering.getBuffer(op.getAt(), op);
  if (failed(positions))
    return failure();
  auto tableType = cast<RankedTensorType>(op.getTable().getType());
  int32_t pairs = static_cast<int32_t>(tableType.getDimSize(1));
  bool half = op.getLayout() == RopeLayout::Half;
  bool whole = 2 * pairs == resultType(op).getDimSize(2);
  Expr last = lowering.shapeOf(tableType)[0] - 1;
  return Formula{operands[0].shape,
                 [=, positions = *positions, input = operands[0], table = operands[2]](const Index &index) mutable {
                   Expr e = index[2];
                   Expr within = whole ? e : min(e, 2 * pairs - 1);
                   Expr j = half ? within % pairs : within / 2;
                   Expr second = half ? within >= pairs : within % 2 == 1;
                   Expr position = clamp(Lowering::getField(positions, PositionField::Rotary, index[0]), 0, last);
                   Expr u = input.at({index[0], index[1], half ? j : 2 * j});
                   Expr v = input.at({index[0], index[1], half ? j + pairs : 2 * j + 1});
                   Expr cosine = table.at({position, j, 0}), sine = table.at({position, j, 1});
                   // Of the two products one is fused with the sum: said which, as vectors differ with rows and plans.
                   Expr turned = select(second, multiply(v, cosine) + u * sine, multiply(u, cosine) - v * sine);
                   return whole ? turned : select(e < 2 * pairs, turned, input.at(index));
                 }};
}

FailureOr<Formula> lowerOp(Lowering &lowering, Operation *op, ArrayRef<Formula> operands) {
  return TypeSwitch<Operation *, Result>(op)
      .Case<MapOp, ScalarBodyOpInterface>([&](Operation *) { return lowerElementwise(lowering, op, operands); })
      .Case([&](CastOp cast) { return lowerCast(cast, operands[0]); })
      .Case([&](AssignOp assign) { return lowerCast(assign, operands[1]); })
      .Case([&](ConstantOp constant) { return lowerConstant(lowering, constant, operands); })
      .Case([&](IotaOp iota) { return lowerIota(lowering, iota, operands); })
      .Case([&](ReshapeOp reshape) { return lowerReshape(lowering, reshape, operands); })
      .Case([&](TransposeOp transpose) { return lowerTranspose(lowering, transpose, operands); })
      .Case([&](SliceOp slice) { return lowerSlice(lowering, slice, operands); })
      .Case([&](ConcatOp concat) { return lowerConcat(lowering, concat, operands); })
      .Case([&](BroadcastOp broadcast) { return lowerBroadcast(lowering, broadcast, operands); })
      .Case([&](GatherOp gather) { return lowerGather(lowering, gather, operands); })
      .Case([&](CombineOp combine) { return lowerCombine(lowering, combine, operands); })
      .Case([&](RmsNormOp norm) { return lowerRmsNorm(lowering, norm, operands); })
      .Case([&](ReduceOp reduce) { return lowerReduce(lowering, reduce, operands); })
      .Case([&](SoftmaxOp softmax) { return lowerSoftmax(lowering, softmax, operands); })
      .Case([&](RopeOp rope) { return lowerRope(lowering, rope, operands); })
      .Default([&](Operation *other) {
        return Result(other->emitError("no kernel code for `")
                      << other->getName() << "` in a kernel of the form `"
                      << stringifyKernelForm(lowering.getKernel().getForm()) << "`");
      });
}

} // namespace quern::codegen
