//===- Builtins.cpp - the table of primitives and what their calls share ----------------------===//

#include "frontend/Builtins.h"
#include "frontend/Diagnostics.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace quern::frontend {

static constexpr Builtin table[] = {
#define QUERN_BUILTIN(Name, Signature) {StringLiteral(#Name), StringLiteral(Signature), &builtins::Name},
#include "frontend/Builtins.def"
};

const Builtin *findBuiltin(StringRef name) {
  const Builtin *row = find_if(table, [&](const Builtin &builtin) { return builtin.name == name; });
  return row == std::end(table) ? nullptr : row;
}

std::vector<StringRef> builtinNames() {
  std::vector<StringRef> names;
  for (const Builtin &builtin : table)
    names.push_back(builtin.name);
  return names;
}

Value BuiltinCall::fail(SourceRange place, const Twine &message) {
  diagnostics.error(place, message);
  return Value();
}

Value BuiltinCall::failShapes(ArrayRef<size_t> of, const Twine &expected) {
  std::vector<std::string> found;
  for (size_t i : of)
    found.push_back("`" + formatTensor(tensor(i)) + "`");
  Diagnostic &error = diagnostics.error(range, name + " of " + join(found, " and ") + "; expected " + expected);
  for (size_t i : of)
    if (arguments[i].origin.isValid())
      error.note(arguments[i].origin, "`" + formatTensor(tensor(i)) + "` comes from here");
  return Value();
}

std::optional<int64_t> BuiltinCall::integer(size_t i) {
  const Extent &value = *arguments[i].get<Extent>();
  if (auto constant = value.constant())
    return constant;
  if (emitter.isActive() || value.mentions(SymbolKind::Runtime))
    fail(places[i], "`" + value.str() + "` is known at run time only; expected a static integer");
  return std::nullopt;
}

std::optional<int64_t> BuiltinCall::axis(size_t i, int64_t rank) {
  auto axis = integer(i);
  if (!axis)
    return std::nullopt;
  if (*axis < -rank || *axis >= rank) {
    fail(places[i], "found axis " + Twine(*axis) + "; expected one of " + Twine(-rank) + " to " + Twine(rank - 1));
    return std::nullopt;
  }
  return *axis < 0 ? *axis + rank : *axis;
}

Value BuiltinCall::give(Shape shape, mlir::Type element, mlir::Value value) {
  std::optional<Extent> size = volume(shape);
  if (!size || size->constant().value_or(0) > maxElements)
    return fail(range, name + " gives a tensor of shape " + formatShape(shape) + "; expected at most " +
                           Twine(maxElements) + " elements");
  return Value(Tensor{std::move(shape), element, value}, range);
}

double BuiltinCall::number(size_t i) const {
  if (auto *number = arguments[i].get<FloatValue>())
    return number->value.value_or(1.0);
  return double(arguments[i].get<Extent>()->constant().value_or(1));
}

std::optional<Shape> broadcastShapes(ArrayRef<Extent> a, ArrayRef<Extent> b) {
  ArrayRef<Extent> longer = a.size() >= b.size() ? a : b, shorter = a.size() >= b.size() ? b : a;
  Shape result(longer);
  size_t lead = longer.size() - shorter.size();
  for (auto [i, dim] : enumerate(shorter)) {
    Extent &other = result[lead + i];
    if (dim.constant() == 1)
      continue;
    Equality same = Extent::compare(dim, other);
    if (other.constant() == 1 || (same == Equality::Undecided && dim.constant()))
      other = dim;
    else if (same == Equality::Different)
      return std::nullopt;
  }
  return result;
}

} // namespace quern::frontend
