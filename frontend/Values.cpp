//===- Values.cpp - what an expression of the language can be ---------------------------------===//

#include "frontend/Values.h"
#include "frontend/Instances.h"
#include "frontend/checkpoint/StoredTensor.h"

#include "dialect/Dialect.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace llvm;

namespace quern::frontend {

Sequence::Sequence(bool isList, std::shared_ptr<const std::vector<Value>> elements, bool isOpen)
    : isList(isList), isOpen(isOpen), elements(std::move(elements)), depth(1) {
  for (const Value &element : *this->elements)
    if (auto *inner = element.get<Sequence>())
      depth = std::max(depth, inner->depth + 1);
}

std::string formatElement(mlir::Type element) {
  return TypeSwitch<mlir::Type, std::string>(element)
      .Case([](BlockType block) { return getTraits(block.getFormat()).keyword.str(); })
      .Case([](PositionType) { return std::string("Positions"); })
      .Default([](mlir::Type type) {
        if (type.isInteger(1))
          return std::string("bool");
        std::string text;
        raw_string_ostream(text) << type;
        return text;
      });
}

std::string formatTensor(const Tensor &tensor) { return formatElement(tensor.element) + formatShape(tensor.shape); }

namespace {

/// Writes one kind of value for a message.
struct Describe {
  std::string operator()(Poison) const { return "a value with an error"; }
  std::string operator()(Nothing) const { return "nothing"; }
  std::string operator()(const Extent &value) const { return "integer " + value.str(); }
  std::string operator()(const FloatValue &value) const {
    if (!value.value)
      return "a float";
    SmallString<16> text;
    APFloat(*value.value).toString(text, /*FormatPrecision=*/0, /*FormatMaxPadding=*/3);
    return "float " + text.str().str();
  }
  std::string operator()(const BoolValue &value) const {
    return value.value ? (*value.value ? "bool true" : "bool false") : "a bool";
  }
  std::string operator()(const StringValue &value) const {
    return value.value ? "string \"" + printable(*value.value) + "\"" : "a string";
  }
  std::string operator()(const Sequence &value) const {
    if (value.isOpen)
      return "a list";
    return (value.isList ? "a list of " : "a tuple of ") + std::to_string(value.elements->size());
  }
  std::string operator()(const Tensor &value) const { return "tensor " + formatTensor(value); }
  std::string operator()(const ChosenTensor &value) const {
    return "tensor " + formatTensor(value.tensor) + " of the elements that rows choose";
  }
  std::string operator()(const ChosenModule &value) const {
    return "the elements of module `" + value.instance->decl->name.text.str() + "` that rows choose";
  }
  std::string operator()(const ModuleValue &value) const {
    return "module `" + value.instance->decl->name.text.str() + "`";
  }
  std::string operator()(const ArrayValue &value) const {
    return "an array of " + std::to_string(value.array->elements.size()) + " members";
  }
};

} // namespace

Value unknownLike(const Value &value, StringRef name) {
  if (value.get<Extent>())
    return Value(Extent::symbol(name, SymbolKind::Opaque), value.origin);
  if (value.get<FloatValue>())
    return Value(FloatValue{}, value.origin);
  if (value.get<BoolValue>())
    return Value(BoolValue{}, value.origin);
  if (value.get<StringValue>())
    return Value(StringValue{}, value.origin);
  auto *sequence = value.get<Sequence>();
  if (!sequence)
    return value;
  auto elements = std::make_shared<std::vector<Value>>();
  for (auto [i, element] : enumerate(*sequence->elements))
    elements->push_back(unknownLike(element, (name + "[" + Twine(i) + "]").str()));
  return Value(Sequence{sequence->isList, std::move(elements), sequence->isOpen}, value.origin);
}

std::string Value::describe() const { return std::visit(Describe{}, storage); }

} // namespace quern::frontend
