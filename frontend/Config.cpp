//===- Config.cpp - configuration values as values of the language ----------------------------===//

#include "frontend/Config.h"
#include "frontend/checkpoint/ModelConfig.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Casting.h"
#include <cmath>

using namespace llvm;

namespace quern::frontend {

namespace {

enum class Scalar { None, Int, Float, Bool, String };

/// The static type that the type is called by its name, None for another type.
Scalar scalarOf(const TypeExpr &type) {
  auto *named = dyn_cast<NamedType>(&type);
  if (!named || !named->arguments.empty())
    return Scalar::None;
  return StringSwitch<Scalar>(named->name.text)
      .Case("int", Scalar::Int)
      .Case("float", Scalar::Float)
      .Case("bool", Scalar::Bool)
      .Case("string", Scalar::String)
      .Default(Scalar::None);
}

std::optional<Value> makeList(ArrayRef<Value> elements, bool isList, SourceRange origin, bool isOpen = false) {
  return Value(Sequence{isList, std::make_shared<std::vector<Value>>(elements.begin(), elements.end()), isOpen},
               origin);
}

bool isChoice(const ChoiceType &type, StringRef text) {
  return any_of(type.choices, [&](const StringExpr *choice) { return choice->text() == text; });
}

} // namespace

std::optional<Value> convertConfig(const ConfigValue &value, const TypeExpr &type, SourceRange origin) {
  if (auto *choice = dyn_cast<ChoiceType>(&type)) {
    const std::string *text = value.asString();
    if (!text || !isChoice(*choice, *text))
      return std::nullopt;
    return Value(StringValue{*text}, origin);
  }
  if (auto *list = dyn_cast<ListType>(&type)) {
    if (!value.asList())
      return std::nullopt;
    SmallVector<Value> elements;
    for (const ConfigValue &element : *value.asList()) {
      auto converted = convertConfig(element, *list->element, origin);
      if (!converted)
        return std::nullopt;
      elements.push_back(*converted);
    }
    return makeList(elements, /*isList=*/true, origin);
  }
  switch (scalarOf(type)) {
  case Scalar::Int:
    return value.asInt() ? std::optional(Value(Extent(*value.asInt()), origin)) : std::nullopt;
  case Scalar::Float:
    if (value.asInt())
      return Value(FloatValue{double(*value.asInt())}, origin);
    if (!value.asDouble() || !std::isfinite(*value.asDouble()))
      return std::nullopt;
    return Value(FloatValue{*value.asDouble()}, origin);
  case Scalar::Bool:
    return value.asBool() ? std::optional(Value(BoolValue{*value.asBool()}, origin)) : std::nullopt;
  case Scalar::String:
    return value.asString() ? std::optional(Value(StringValue{*value.asString()}, origin)) : std::nullopt;
  case Scalar::None:
    return std::nullopt;
  }
  llvm_unreachable("every scalar is handled");
}

std::optional<Value> unknownValue(StringRef name, const TypeExpr &type, SourceRange origin) {
  if (isa<ChoiceType>(type))
    return Value(StringValue{}, origin);
  if (auto *list = dyn_cast<ListType>(&type)) {
    std::string any = (name + "[]").str();
    auto element = unknownValue(any, *list->element, origin);
    return element ? makeList(unknownLike(*element, any), /*isList=*/true, origin, /*isOpen=*/true) : std::nullopt;
  }
  if (auto *tuple = dyn_cast<TupleType>(&type)) {
    SmallVector<Value> elements;
    for (auto [i, element] : enumerate(tuple->elements)) {
      auto value = unknownValue((name + "." + Twine(i)).str(), *element, origin);
      if (!value)
        return std::nullopt;
      elements.push_back(*value);
    }
    return makeList(elements, /*isList=*/false, origin);
  }
  switch (scalarOf(type)) {
  case Scalar::Int:
    return Value(Extent::symbol(name, SymbolKind::Setting), origin);
  case Scalar::Float:
    return Value(FloatValue{}, origin);
  case Scalar::Bool:
    return Value(BoolValue{}, origin);
  case Scalar::String:
    return Value(StringValue{}, origin);
  case Scalar::None:
    return std::nullopt;
  }
  llvm_unreachable("every scalar is handled");
}

/// Converts the elements of a sequence, each with the type that `typeOf` gives.
static std::optional<Value> convertElements(const Sequence &sequence, SourceRange origin,
                                            function_ref<const TypeExpr &(size_t)> typeOf) {
  SmallVector<Value> elements;
  for (auto [i, element] : enumerate(*sequence.elements)) {
    auto converted = convertStatic(element, typeOf(i));
    if (!converted)
      return std::nullopt;
    elements.push_back(*converted);
  }
  return makeList(elements, sequence.isList, origin, sequence.isOpen);
}

std::optional<Value> convertStatic(const Value &value, const TypeExpr &type) {
  auto keepIf = [&](bool holds) { return holds ? std::optional(value) : std::nullopt; };
  if (value.isPoison())
    return value;
  if (auto *choice = dyn_cast<ChoiceType>(&type)) {
    auto *text = value.get<StringValue>();
    return keepIf(text && (!text->value || isChoice(*choice, *text->value)));
  }
  auto *sequence = value.get<Sequence>();
  if (auto *list = dyn_cast<ListType>(&type)) {
    if (!sequence || !sequence->isList)
      return std::nullopt;
    return convertElements(*sequence, value.origin, [&](size_t) -> const TypeExpr & { return *list->element; });
  }
  if (auto *tuple = dyn_cast<TupleType>(&type)) {
    if (!sequence || sequence->isList || sequence->elements->size() != tuple->elements.size())
      return std::nullopt;
    return convertElements(*sequence, value.origin, [&](size_t i) -> const TypeExpr & { return *tuple->elements[i]; });
  }
  switch (scalarOf(type)) {
  case Scalar::Int:
    return keepIf(value.get<Extent>());
  case Scalar::Float:
    if (auto *integer = value.get<Extent>()) {
      auto number = integer->constant();
      return Value(FloatValue{number ? std::optional(double(*number)) : std::nullopt}, value.origin);
    }
    return keepIf(value.get<FloatValue>());
  case Scalar::Bool:
    return keepIf(value.get<BoolValue>());
  case Scalar::String:
    return keepIf(value.get<StringValue>());
  case Scalar::None:
    return std::nullopt;
  }
  llvm_unreachable("every scalar is handled");
}

std::string describeType(const TypeExpr &type) {
  if (auto *choice = dyn_cast<ChoiceType>(&type)) {
    std::vector<std::string> texts;
    for (const StringExpr *text : choice->choices)
      texts.push_back("\"" + text->text().str() + "\"");
    return (texts.size() == 1 ? "" : "one of ") + join(texts, ", ");
  }
  if (auto *list = dyn_cast<ListType>(&type))
    return "a list, each element " + describeType(*list->element);
  if (isa<TupleType>(type))
    return "a tuple of " + std::to_string(cast<TupleType>(type).elements.size());
  switch (scalarOf(type)) {
  case Scalar::Int:
    return "an integer";
  case Scalar::Float:
    return "a number";
  case Scalar::Bool:
    return "true or false";
  case Scalar::String:
    return "a string";
  case Scalar::None:
    return isa<TensorType>(type) ? "a tensor" : "a module";
  }
  llvm_unreachable("every scalar is handled");
}

} // namespace quern::frontend
