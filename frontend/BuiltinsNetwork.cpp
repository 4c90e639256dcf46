//===- BuiltinsNetwork.cpp - contractions, norms, attention -----------------------------------===//

#include "frontend/Builtins.h"
#include "frontend/Diagnostics.h"

#include <cmath>

using namespace llvm;

namespace quern::frontend {

/// Whether element `i`, with floats or blocks, can be read as f32; reports it otherwise.
static bool isNumeric(BuiltinCall &call, size_t i) {
  const Tensor &tensor = call.tensor(i);
  if (isa<mlir::FloatType, BlockType>(tensor.element))
    return true;
  call.fail(call.places[i], call.name + " of `" + formatTensor(tensor) + "`; expected float elements");
  return false;
}

/// Whether argument `i` holds positions, one per row of argument 0; reports it otherwise.
static bool isPerRow(BuiltinCall &call, size_t i, size_t rows) {
  const Tensor &at = call.tensor(i), &input = call.tensor(rows);
  if (isa<PositionType>(at.element) && at.shape.size() == 1 && fits(at.shape[0], input.shape[0]))
    return true;
  call.failShapes({rows, i}, "`Positions[" + input.shape[0].str() + "]`");
  return false;
}

static Value reduce(BuiltinCall &call, ReduceKind kind) {
  const Tensor &input = call.tensor(0);
  int64_t rank = input.shape.size();
  auto axis = call.has(1) ? call.axis(1, rank) : std::optional<int64_t>(rank - 1);
  if (!axis || !isNumeric(call, 0))
    return Value();
  if (rank == 0 || *axis != rank - 1)
    return call.fail(call.range, call.name + " over axis " + Twine(*axis) + " of `" + formatTensor(input) +
                                     "`; only the last axis is reduced; `transpose` moves another one there");
  Shape shape = input.shape;
  shape.back() = Extent(1);
  mlir::Value result = call.emitter.create<ReduceOp>(call.range, kind, call.emitter.asF32(call.places[0], input));
  return call.give(shape, call.emitter.f32(), result);
}

/// Whether `tensor`, [rows, heads, dim] at `place`, has float elements and only its rows sized at run time; reports it
/// otherwise.
static bool hasStaticRows(BuiltinCall &call, const Tensor &tensor, SourceRange place) {
  bool isFloat = isa<mlir::FloatType, BlockType>(tensor.element);
  if (isFloat && !tensor.shape[1].mentions(SymbolKind::Runtime) && !tensor.shape[2].mentions(SymbolKind::Runtime))
    return true;
  call.fail(place, call.name + " of `" + formatTensor(tensor) + "`; expected " +
                       (isFloat ? "static heads and dimensions" : "float elements"));
  return false;
}

/// `cache` as attention reads it: floats of any width, but no blocks.
static mlir::Value asCache(BuiltinCall &call, const Tensor &cache) {
  return isa<BlockType>(cache.element) ? call.emitter.asF32(call.places[1], cache) : cache.value;
}

namespace builtins {

#define QUERN_REDUCTION(Name, Kind)                                                                                    \
  Value Name(BuiltinCall &call) { return reduce(call, ReduceKind::Kind); }
#include "frontend/Builtins.def"

Value softmax(BuiltinCall &call) {
  const Tensor &input = call.tensor(0);
  int64_t rank = input.shape.size();
  auto axis = call.has(1) ? call.axis(1, rank) : std::optional<int64_t>(rank - 1);
  if (!axis || !isNumeric(call, 0))
    return Value();
  if (rank == 0 || *axis != rank - 1)
    return call.fail(call.range, call.name + " over axis " + Twine(*axis) + " of `" + formatTensor(input) +
                                     "`; only the last axis is normalised");
  mlir::Value result = call.emitter.create<SoftmaxOp>(call.range, call.emitter.asF32(call.places[0], input));
  return call.give(input.shape, call.emitter.f32(), result);
}

Value matmul(BuiltinCall &call) {
  auto flag = call.has(2) ? call.arguments[2].get<BoolValue>()->value : std::optional(false);
  bool transposed = flag.value_or(false);
  if (auto *chosen = call.arguments[1].get<ChosenTensor>()) {
    if (transposed)
      return call.fail(call.places[2], "weights that rows choose are rows `[n, k]`; found `transposed`");
    return isNumeric(call, 0) ? multiplyChosen(call, *chosen) : Value();
  }
  const Tensor &x = call.tensor(0), &weight = call.tensor(1);
  if (!isNumeric(call, 0) || !isNumeric(call, 1))
    return Value();
  size_t rank = x.shape.size(), axes = weight.shape.size();
  if (!flag && rank > 0 && axes > 1) // not known yet: whatever fits
    transposed = !fits(x.shape[rank - 1], weight.shape[axes - 1]);
  bool hasAxes = axes == 2 ? rank >= 1 : axes == 3 && rank >= 2 && fits(x.shape[rank - 2], weight.shape[0]);
  if (!hasAxes || !fits(x.shape[rank - 1], weight.shape[axes - (transposed ? 2 : 1)]))
    return call.failShapes({0, 1}, transposed ? "`[.., k]` and `[k, n]`, or `[.., b, k]` and `[b, k, n]`"
                                              : "`[.., k]` and `[n, k]`, or `[.., b, k]` and `[b, n, k]`");
  if (isa<BlockType>(weight.element) && transposed)
    return call.fail(call.places[1], "the blocks of the weight `" + formatTensor(weight) +
                                         "` lie along its last axis; expected numbers where it is transposed");
  Shape shape = x.shape;
  shape.back() = weight.shape[axes - (transposed ? 1 : 2)];
  mlir::Value result;
  if (call.emitter.isActive())
    result = call.emitter.create<MatmulOp>(call.range, call.emitter.asF32(call.places[0], x), weight.value,
                                           mlir::ValueRange(), mlir::IntegerAttr(), transposed);
  return call.give(shape, call.emitter.f32(), result);
}

Value rms_norm(BuiltinCall &call) {
  const Tensor &x = call.tensor(0), &weight = call.tensor(1);
  if (!isNumeric(call, 0) || !isNumeric(call, 1))
    return Value();
  if (x.shape.empty() || weight.shape.size() != 1 || !fits(x.shape.back(), weight.shape[0]))
    return call.failShapes({0, 1}, "`[.., n]` and `[n]`");
  if (!(call.number(2) >= 0))
    return call.fail(call.places[2], "found " + call.arguments[2].describe() + ", expected an `eps` of 0 or more");
  mlir::Value result =
      call.emitter.create<RmsNormOp>(call.range, call.emitter.asF32(call.places[0], x),
                                     call.emitter.asF32(call.places[1], weight), APFloat(call.number(2)));
  return call.give(x.shape, call.emitter.f32(), result);
}

Value rope(BuiltinCall &call) {
  const Tensor &x = call.tensor(0), &at = call.tensor(1), &table = call.tensor(2);
  if (!isNumeric(call, 0) || !isNumeric(call, 2))
    return Value();
  if (x.shape.size() != 3)
    return call.failShapes({0}, "`[s, heads, dim]`");
  if (!isPerRow(call, 1, 0))
    return Value();
  bool isTable = table.shape.size() == 3 && table.shape[2].constant().value_or(2) == 2;
  auto pairs = isTable ? table.shape[1].constant() : std::nullopt;
  if (!isTable || (pairs && x.shape[2].constant() && *pairs > *x.shape[2].constant() / 2))
    return call.failShapes({0, 2}, "`[s, heads, dim]` and a table `[positions, r/2, 2]` with r at most dim");
  RopeLayout layout = RopeLayout::Half;
  if (call.has(3)) {
    // While it is not known any will do.
    std::string word = call.arguments[3].get<StringValue>()->value.value_or("half");
    auto known = symbolizeRopeLayout(word);
    if (!known)
      return call.fail(call.places[3], "found layout `" + word + "`; expected `half` or `interleaved`");
    layout = *known;
  }
  mlir::Value result = call.emitter.create<RopeOp>(call.range, call.emitter.asF32(call.places[0], x), at.value,
                                                   call.emitter.asF32(call.places[2], table), layout);
  return call.give(x.shape, call.emitter.f32(), result);
}

/// Whether argument 0, which the call writes, is a state of that kind; says so if not.
static bool isState(BuiltinCall &call, StateKind kind) {
  if (!call.emitter.isActive())
    return true;
  auto ref = call.tensor(0).value.getDefiningOp<StateRefOp>();
  auto state = ref ? mlir::SymbolTable::lookupNearestSymbolFrom<StateOp>(ref, ref.getStateAttr()) : StateOp();
  if (state && state.getKind() == kind)
    return true;
  call.fail(call.places[0],
            call.name + " writes a " + stringifyStateKind(kind) + "; found " +
                (state ? "a " + stringifyStateKind(state.getKind()).str() : std::string("another value")));
  return false;
}

Value assign(BuiltinCall &call) {
  const Tensor &variable = call.tensor(0), &x = call.tensor(1);
  bool isFloat = isa<mlir::FloatType>(variable.element);
  if (isFloat && !isNumeric(call, 1))
    return Value();
  if (!isFloat && x.element != variable.element)
    return call.fail(call.places[1], call.name + " of `" + formatTensor(x) + "` to `" + formatTensor(variable) +
                                         "`; expected equal elements");
  if (compareShapes(variable.shape, x.shape) == Equality::Different)
    return call.failShapes({0, 1}, "equal shapes");
  if (!isState(call, StateKind::Variable))
    return Value();
  mlir::Value value = isFloat ? call.emitter.asF32(call.places[1], x) : x.value;
  return call.give(variable.shape, variable.element, call.emitter.create<AssignOp>(call.range, variable.value, value));
}

Value cache_append(BuiltinCall &call) {
  const Tensor &cache = call.tensor(0), &x = call.tensor(1), &at = call.tensor(2);
  if (!isNumeric(call, 1))
    return Value();
  bool shaped = cache.shape.size() == 3 && x.shape.size() == 3 && fits(cache.shape[1], x.shape[1]) &&
                fits(cache.shape[2], x.shape[2]);
  if (!shaped)
    return call.failShapes({0, 1}, "`[length, heads, dim]` and `[s, heads, dim]`");
  if (!isPerRow(call, 2, 1))
    return Value();
  if (!isState(call, StateKind::Cache))
    return Value();
  mlir::Value result =
      call.emitter.create<CacheAppendOp>(call.range, cache.value, call.emitter.asF32(call.places[1], x), at.value);
  return call.give(cache.shape, cache.element, result);
}

/// Argument `i` of attention, the rows that a token sees at most; null where it is absent or no shorter than `rows`.
static FailureOr<mlir::IntegerAttr> readWindow(BuiltinCall &call, size_t i, const Extent &rows) {
  if (!call.has(i))
    return mlir::IntegerAttr();
  const Extent &window = *call.arguments[i].get<Extent>();
  auto size = window.constant();
  if (window.mentions(SymbolKind::Runtime) || size.value_or(1) < 1) {
    call.fail(call.places[i], "found a window of `" + window.str() + "` rows; expected a static integer of at least 1");
    return failure();
  }
  bool isWhole = !size || (rows.constant() && *size >= *rows.constant());
  return isWhole ? mlir::IntegerAttr() : call.emitter.types().getI64IntegerAttr(*size);
}

Value attend(BuiltinCall &call) {
  auto &cache = *call.arguments[1].get<Sequence>()->elements;
  const Tensor &query = call.tensor(0), &at = call.tensor(2);
  const Tensor &keys = *cache[0].get<Tensor>(), &values = *cache[1].get<Tensor>();
  if (!isNumeric(call, 0))
    return Value();
  bool shaped = query.shape.size() == 3 && keys.shape.size() == 3 && values.shape.size() == 3;
  shaped = shaped && fits(query.shape[2], keys.shape[2]) && fits(keys.shape[0], values.shape[0]) &&
           fits(keys.shape[1], values.shape[1]);
  if (!shaped) {
    call.diagnostics
        .error(call.range, call.name + " of `" + formatTensor(query) + "` with keys `" + formatTensor(keys) +
                               "` and values `" + formatTensor(values) +
                               "`; expected `[s, h, d]`, `[length, g, d]` and `[length, g, e]`")
        .note(call.arguments[0].origin, "`" + formatTensor(query) + "` comes from here")
        .note(call.arguments[1].origin, "the cache comes from here");
    return Value();
  }
  if (!isPerRow(call, 2, 0) || !hasStaticRows(call, query, call.places[0]) ||
      !hasStaticRows(call, keys, call.places[1]) || !hasStaticRows(call, values, call.places[1]))
    return Value();
  auto heads = query.shape[1].constant(), groups = keys.shape[1].constant();
  if (heads && groups && (*groups == 0 || *heads % *groups != 0))
    return call.fail(call.range, call.name + " with " + Twine(*heads) + " query heads on " + Twine(*groups) +
                                     " cache heads; expected a multiple");
  double scale = call.has(3) ? call.number(3) : 1.0 / std::sqrt(double(query.shape[2].constant().value_or(1)));
  FailureOr<mlir::IntegerAttr> window = readWindow(call, 4, keys.shape[0]);
  if (failed(window))
    return Value();
  Shape shape = query.shape;
  shape[2] = values.shape[2];
  mlir::Value result =
      call.emitter.create<AttendOp>(call.range, call.emitter.asF32(call.places[0], query), asCache(call, keys),
                                    asCache(call, values), at.value, APFloat(scale), *window, mlir::IntegerAttr());
  return call.give(shape, call.emitter.f32(), result);
}

} // namespace builtins

} // namespace quern::frontend
