//===- BuiltinsRouting.cpp - which rows go through which weights ------------------------------===//

#include "frontend/Builtins.h"
#include "frontend/Diagnostics.h"
#include "frontend/Routing.h"

#include "dialect/PackedLayout.h"

using namespace llvm;

namespace quern::frontend {

Value multiplyChosen(BuiltinCall &call, const ChosenTensor &chosen) {
  const Tensor &x = call.tensor(0), &weight = chosen.tensor;
  const Routing &routing = *chosen.routing;
  bool isProduct = x.shape.size() == 3 && weight.shape.size() == 2 && fits(x.shape[0], routing.rows) &&
                   fits(x.shape[1], routing.slots) && fits(x.shape[2], weight.shape[1]);
  if (!isProduct)
    return call.fail(call.range, "found `" + formatTensor(x) + "` by `" + formatTensor(weight) +
                                     "` of the elements that rows choose; expected `[" + routing.rows.str() + ", " +
                                     routing.slots.str() + ", k]` and `[n, k]`");
  mlir::Value result = call.emitter.create<MatmulOp>(call.range, call.emitter.asF32(call.places[0], x), weight.value,
                                                     mlir::ValueRange{routing.order, routing.begins});
  // The weights are stacked in whole panels (Elaborator::stack).
  auto outputs = weight.shape[0].constant();
  if (outputs && *outputs % PackedLayout::panelRows != 0)
    result = call.emitter.create<SliceOp>(call.range, result, uint64_t(2), uint64_t(0), uint64_t(*outputs));
  return call.give({x.shape[0], x.shape[1], weight.shape[0]}, call.emitter.f32(), result);
}

namespace builtins {

Value top_k(BuiltinCall &call) {
  const Tensor &x = call.tensor(0);
  const Extent &k = *call.arguments[1].get<Extent>();
  if (!isa<mlir::FloatType, BlockType>(x.element) || x.shape.empty() || x.shape.back().mentions(SymbolKind::Runtime))
    return call.fail(call.places[0],
                     call.name + " of `" + formatTensor(x) + "`; expected floats and a static last axis");
  if (k.mentions(SymbolKind::Runtime))
    return call.fail(call.places[1], "found " + call.arguments[1].describe() + "; expected a static `k`");
  auto count = k.constant(), size = x.shape.back().constant();
  if (count && (*count < 1 || (size && *count > *size)))
    return call.fail(call.places[1], "found the " + Twine(*count) + " largest of `" + formatTensor(x) +
                                         "`; expected 1 or more, and no more than its last axis has");
  SmallVector<mlir::Value> results =
      call.emitter.createAll<TopKOp>(call.range, 2, call.emitter.asF32(call.places[0], x), uint64_t(count.value_or(1)));
  Shape shape = x.shape;
  shape.back() = k;
  auto both = std::make_shared<std::vector<Value>>();
  both->push_back(call.give(shape, call.emitter.f32(), results[0]));
  both->push_back(call.give(shape, call.emitter.types().getI32Type(), results[1]));
  if (both->front().isPoison() || both->back().isPoison())
    return Value();
  return Value(Sequence{/*isList=*/false, std::move(both)}, call.range);
}

Value combine(BuiltinCall &call) {
  const Tensor &x = call.tensor(0), &weights = call.tensor(1);
  bool isSum = x.shape.size() >= 3 && weights.shape.size() == 2 && fits(x.shape[0], weights.shape[0]) &&
               fits(x.shape[1], weights.shape[1]) && !x.shape[1].mentions(SymbolKind::Runtime);
  if (!isSum || !isa<mlir::FloatType>(x.element) || !isa<mlir::FloatType>(weights.element))
    return call.failShapes({0, 1}, "floats `[s, k, ..]` and `[s, k]` with a static k");
  mlir::Value result = call.emitter.create<CombineOp>(call.range, call.emitter.asF32(call.places[0], x),
                                                      call.emitter.asF32(call.places[1], weights));
  Shape shape = x.shape;
  shape.erase(shape.begin() + 1);
  return call.give(shape, call.emitter.f32(), result);
}

} // namespace builtins

} // namespace quern::frontend
