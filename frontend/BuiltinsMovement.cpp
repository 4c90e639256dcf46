//===- BuiltinsMovement.cpp - primitives that move values -------------------------------------===//

#include "frontend/Builtins.h"
#include "frontend/Diagnostics.h"
#include "frontend/ElementNames.h"
#include "frontend/TensorTable.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace quern::frontend {

Value reshapeTensor(BuiltinCall &call, ArrayRef<std::optional<Extent>> dims) {
  const Tensor &input = call.tensor(0);
  Shape shape;
  std::optional<size_t> inferred;
  for (auto [i, dim] : enumerate(dims)) {
    if (!dim)
      inferred = i;
    shape.push_back(dim.value_or(Extent(1)));
  }
  std::optional<Extent> from = volume(input.shape), to = volume(shape);
  if (!from || !to)
    return call.fail(call.range, "the shape has more elements than 64 bits count");
  if (inferred) {
    std::optional<Extent> rest = Extent::divide(*from, *to);
    if (!rest || !call.emitter.isRepresentable(*rest))
      return call.fail(call.places[0], "cannot infer `*`: `" + formatTensor(input) + "` does not divide into `" +
                                           formatShape(shape) + "`");
    shape[*inferred] = *rest;
  } else if (Extent::compare(*from, *to) == Equality::Different) {
    call.diagnostics
        .error(call.range, "`as` keeps the number of elements; found " + formatTensor(input) + " with " + from->str() +
                               " and " + formatShape(shape) + " with " + to->str())
        .note(call.arguments[0].origin, "`" + formatTensor(input) + "` comes from here");
    return Value();
  }
  if (!call.emitter.isRepresentable(shape))
    return call.fail(call.range, "the shape " + formatShape(shape) +
                                     " computes with a run-time dimension; each dimension is a number or one symbol");
  if (!call.emitter.isActive())
    return call.give(shape, input.element, {});
  mlir::Value result = call.emitter.create<ReshapeOp>(call.range, call.emitter.type(shape, input.element), input.value);
  return call.give(shape, input.element, result);
}

Value sliceTensor(BuiltinCall &call, ArrayRef<AxisSubscript> subscripts) {
  Tensor result = call.tensor(0);
  Shape kept;
  for (auto [axis, subscript] : enumerate(subscripts)) {
    if (!subscript.all) {
      result.shape[axis] = Extent(subscript.size);
      result.value = call.emitter.create<SliceOp>(call.range, result.value, axis, subscript.begin, subscript.size);
    }
    if (!subscript.drop)
      kept.push_back(result.shape[axis]);
  }
  if (kept.size() != result.shape.size() && call.emitter.isActive())
    result.value = call.emitter.create<ReshapeOp>(call.range, call.emitter.type(kept, result.element), result.value);
  return call.give(std::move(kept), result.element, result.value);
}

/// Joins the tensors in `rest` along `axis`.
static Value join(BuiltinCall &call, size_t axis, ArrayRef<Tensor> inputs) {
  Shape shape = inputs.front().shape;
  Extent total(0);
  SmallVector<mlir::Value> values;
  for (auto [i, input] : enumerate(inputs)) {
    bool fits = input.shape.size() == shape.size() && input.element == inputs.front().element;
    for (size_t d = 0; fits && d < shape.size(); ++d)
      fits = d == axis || Extent::compare(shape[d], input.shape[d]) != Equality::Different;
    if (!fits) {
      call.diagnostics
          .error(call.restPlaces[i], call.name + " along axis " + Twine(axis) + " of `" + formatTensor(inputs.front()) +
                                         "` and `" + formatTensor(input) +
                                         "`; expected equal elements and dimensions on all other axes")
          .note(call.rest.front().origin, "`" + formatTensor(inputs.front()) + "` comes from here");
      return Value();
    }
    if (call.emitter.isActive() && !input.shape[axis].constant())
      return call.fail(call.restPlaces[i], "axis " + Twine(axis) + " of `" + formatTensor(input) +
                                               "` is known at run time only; expected a static axis");
    std::optional<Extent> sum = Extent::add(total, input.shape[axis]);
    if (!sum)
      return call.fail(call.range, "the joined axis leaves 64 bits");
    total = *sum;
    values.push_back(input.value);
  }
  shape[axis] = total;
  return call.give(shape, inputs.front().element, call.emitter.create<ConcatOp>(call.range, values, axis));
}

namespace builtins {

Value concat(BuiltinCall &call) {
  if (call.rest.empty())
    return call.fail(call.range, call.name + " joins at least one tensor");
  SmallVector<Tensor> inputs;
  for (const Value &value : call.rest)
    inputs.push_back(*value.get<Tensor>());
  auto axis = call.has(0) ? call.axis(0, inputs.front().shape.size()) : std::optional<int64_t>(0);
  if (axis && *axis >= int64_t(inputs.front().shape.size()))
    return call.fail(call.range, call.name + " of a scalar; expected at least one axis");
  return axis ? join(call, *axis, inputs) : Value();
}

Value stack(BuiltinCall &call) {
  if (call.rest.empty())
    return call.fail(call.range, call.name + " joins at least one tensor");
  int64_t rank = call.rest.front().get<Tensor>()->shape.size();
  auto axis = call.has(0) ? call.axis(0, rank + 1) : std::optional<int64_t>(0);
  if (!axis)
    return Value();
  SmallVector<Tensor> inputs;
  for (auto [i, value] : enumerate(call.rest)) {
    Tensor input = *value.get<Tensor>();
    if (compareShapes(input.shape, call.rest.front().get<Tensor>()->shape) == Equality::Different)
      return call.fail(call.restPlaces[i], call.name + " of `" + formatTensor(*call.rest.front().get<Tensor>()) +
                                               "` and `" + formatTensor(input) + "`; expected equal shapes");
    input.shape.insert(input.shape.begin() + *axis, Extent(1));
    if (call.emitter.isActive())
      input.value =
          call.emitter.create<ReshapeOp>(call.range, call.emitter.type(input.shape, input.element), input.value);
    inputs.push_back(std::move(input));
  }
  return join(call, *axis, inputs);
}

Value transpose(BuiltinCall &call) {
  const Tensor &input = call.tensor(0);
  SmallVector<int64_t> order;
  for (const Value &element : *call.arguments[1].get<Sequence>()->elements)
    order.push_back(element.get<Extent>()->constant().value_or(-1));
  SmallVector<int64_t> sorted(order);
  llvm::sort(sorted);
  if (sorted != to_vector(seq<int64_t>(0, input.shape.size())))
    return call.fail(call.places[1], "the order must name each axis of `" + formatTensor(input) + "` once");
  Shape shape;
  for (int64_t axis : order)
    shape.push_back(input.shape[axis]);
  return call.give(shape, input.element, call.emitter.create<TransposeOp>(call.range, input.value, order));
}

Value gather(BuiltinCall &call) {
  const Tensor &table = call.tensor(0), &indices = call.tensor(1);
  int64_t rank = table.shape.size();
  if (rank == 0 || isa<PositionType>(table.element) || !indices.element.isInteger(32))
    return call.failShapes({0, 1}, "a table of rank 1 or more, of numbers or bools, and `i32` indices");
  auto batch = call.has(3) ? call.integer(3) : std::optional<int64_t>(0);
  auto axis = call.has(2) ? call.axis(2, rank) : batch;
  if (!batch || !axis)
    return Value();
  int64_t most = std::min<int64_t>(indices.shape.size(), call.has(2) ? *axis : rank - 1);
  if (*batch < 0 || *batch > most)
    return call.fail(call.places[3], "found " + Twine(*batch) + " batch axes of `" + formatTensor(table) + "` and `" +
                                         formatTensor(indices) + "` before axis " + Twine(*axis) + "; expected 0 to " +
                                         Twine(most));
  ArrayRef<Extent> from(table.shape), at(indices.shape);
  if (compareShapes(from.take_front(*batch), at.take_front(*batch)) == Equality::Different)
    return call.failShapes({0, 1}, "equal batch axes, the first " + Twine(*batch) + " of both");
  if (isa<BlockType>(table.element) && *axis + 1 == rank)
    return call.fail(call.range, call.name + " along axis " + Twine(*axis) + " of `" + formatTensor(table) +
                                     "`; blocks are not taken apart along their own axis");
  Shape shape(from.take_front(*axis));
  shape.append(at.begin() + *batch, at.end());
  shape.append(from.begin() + *axis + 1, from.end());
  mlir::Type element = table.element.isInteger() ? table.element : call.emitter.f32();
  return call.give(std::move(shape), element,
                   call.emitter.create<GatherOp>(call.range, table.value, indices.value, *axis, *batch));
}

Value iota(BuiltinCall &call) {
  const Extent &n = *call.arguments[0].get<Extent>();
  auto count = call.integer(0);
  if (!count)
    return call.emitter.isActive() || n.mentions(SymbolKind::Runtime) ? Value()
                                                                      : call.give({n}, call.emitter.f32(), {});
  if (*count < 1 || *count > maxTableElements)
    return call.fail(call.places[0], "found " + Twine(*count) + " elements; expected 1 to " + Twine(maxTableElements));
  if (!call.emitter.isActive())
    return call.give({n}, call.emitter.f32(), {});
  return call.give({n}, call.emitter.f32(),
                   call.emitter.create<IotaOp>(call.range, call.emitter.type({n}, call.emitter.f32())));
}

Value cast(BuiltinCall &call) {
  const Tensor &input = call.tensor(0);
  // While it is not known any will do.
  std::string word = call.arguments[1].get<StringValue>()->value.value_or("f32");
  mlir::Type element = findElement(word, call.emitter.context());
  bool known = element && (element.isInteger(32) || isa<mlir::FloatType>(element));
  if (!known || isa<PositionType>(input.element))
    return call.fail(call.places[1], "cannot cast `" + formatTensor(input) + "` to `" + word +
                                         "`; expected `f32`, `f16`, `bf16` or `i32`");
  if (!call.emitter.isActive())
    return call.give(input.shape, element, {});
  mlir::Value result = call.emitter.create<CastOp>(call.range, call.emitter.type(input.shape, element), input.value);
  return call.give(input.shape, element, result);
}

Value checkpoint_tensor(BuiltinCall &call) {
  auto &name = call.arguments[0].get<StringValue>()->value;
  Shape shape;
  for (const Value &dim : *call.arguments[1].get<Sequence>()->elements)
    shape.push_back(*dim.get<Extent>());
  if (!name || !call.emitter.isActive())
    return call.give(shape, call.emitter.f32(), {});
  auto element = call.tensors.require(*name, shape, call.range, {});
  if (!element)
    return Value();
  return Value(call.emitter.readParameter(call.range, *name, shape, element), call.range);
}

} // namespace builtins

} // namespace quern::frontend
