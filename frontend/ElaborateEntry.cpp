//===- ElaborateEntry.cpp - entries, and modules checked on their own -------------------------===//

#include "frontend/Config.h"
#include "frontend/Elaborator.h"
#include "frontend/ElementNames.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace quern::frontend {

/// The largest size that a symbolic dimension has where the entry does not say.
static constexpr int64_t defaultBound = 512;

Elaborator::Elaborator(const Program &program, const ModelInputs &inputs, const FrontendOptions &options,
                       Emitter &emitter, Budget &budget, DiagnosticEngine &diagnostics, bool isLoose)
    : program(program), inputs(inputs), options(options), emitter(emitter), budget(budget), diagnostics(diagnostics),
      table(inputs.checkpoint, emitter.context(), diagnostics), isLoose(isLoose) {}

Value Elaborator::fail(SourceRange place, const Twine &message) {
  diagnostics.error(place, message);
  return Value();
}

Value Elaborator::stop(SourceRange place, const Twine &message) {
  fail(place, message);
  budget.close();
  return Value();
}

/// How deep lists and tuples may nest.
static constexpr unsigned maxSequenceDepth = 64;

Value Elaborator::pay(Value value, SourceRange place) {
  uint64_t bytes = 0;
  if (auto *text = value.get<StringValue>())
    bytes = text->value ? text->value->size() : 0;
  auto *sequence = value.get<Sequence>();
  if (sequence)
    bytes = sequence->elements->size() * sizeof(Value);
  if (sequence && sequence->depth > maxSequenceDepth)
    return fail(place, "lists and tuples nest deeper than " + Twine(maxSequenceDepth));
  return budget.spend(Resource::Bytes, place, bytes) ? value : Value();
}

StringRef Elaborator::textOf(SourceRange range) const {
  return StringRef(range.Start.getPointer(), range.End.getPointer() - range.Start.getPointer());
}

//===--- Parameters of entries
//-----------------------------------------------------------------===//

std::optional<Tensor> Elaborator::entryTensor(const Parameter &parameter, Frame &frame, mlir::Block *body) {
  auto *type = dyn_cast<TensorType>(parameter.type);
  if (!type) {
    fail(parameter.type->range, "parameter `" + parameter.name.text + "` of an entry is " +
                                    describeType(*parameter.type) + "; expected a tensor");
    return std::nullopt;
  }
  mlir::Type element = type->element ? findElement(type->element.text, emitter.context()) : emitter.f32();
  if (!element) {
    fail(type->element.range, "unknown element type `" + type->element.text +
                                  "`; expected `f32`, `f16`, `bf16`, `i32`, `bool` or `Positions`");
    return std::nullopt;
  }
  if (!isInterfaceElement(element, type->range))
    return std::nullopt;
  Shape shape;
  for (const Expr *dim : type->dims) {
    if (isa<InferredDimExpr, RestExpr>(dim)) {
      fail(dim->range, "an entry's parameter names each dimension; found `" + textOf(dim->range) + "`");
      return std::nullopt;
    }
    auto *name = dyn_cast<NameExpr>(dim);
    if (name && !isBound(name->name, frame)) {
      if (!checkNewName(*name, frame))
        return std::nullopt;
      frame.locals[name->name] = Value(Extent::symbol(name->name, SymbolKind::Runtime), name->range);
    }
    auto extent = evaluateExtent(*dim, frame, "a dimension");
    if (!extent)
      return std::nullopt;
    if (extent->constant().value_or(1) < 1 || !emitter.isRepresentable(*extent)) {
      fail(dim->range, "found dimension " + extent->str() + "; expected a positive number or one symbol");
      return std::nullopt;
    }
    shape.push_back(*extent);
  }
  Tensor tensor{shape, element, {}};
  if (body)
    tensor.value = body->addArgument(emitter.type(shape, element), emitter.location(parameter.name.range));
  return tensor;
}

bool Elaborator::bindEntryParameters(const FunctionDecl &entry, Frame &frame, mlir::Block *body) {
  bool fits = true;
  for (const Parameter &parameter : entry.parameters) {
    if (parameter.defaultValue)
      fail(parameter.defaultValue->range, "a parameter of an entry has no default");
    auto tensor = entryTensor(parameter, frame, body);
    frame.locals[parameter.name.text] = tensor ? Value(*tensor, parameter.name.range) : Value();
    fits &= tensor && !parameter.defaultValue;
  }
  return fits;
}

mlir::DictionaryAttr Elaborator::entryBounds(const FunctionDecl &entry, Frame &frame) {
  mlir::Builder &builder = emitter.types();
  StringMap<int64_t> bounds;
  for (const auto &local : frame.locals)
    if (auto *extent = local.getValue().get<Extent>(); extent && extent->runtimeSymbol() == local.getKey())
      bounds[local.getKey()] = defaultBound;
  for (const Bound &bound : entry.bounds) {
    if (!bounds.contains(bound.symbol.text)) {
      fail(bound.symbol.range, "`" + bound.symbol.text + "` is not a symbolic dimension of the entry's parameters");
      continue;
    }
    auto limit = evaluateInteger(*bound.limit, frame, "a bound");
    if (limit && (*limit < 1 || *limit > INT32_MAX))
      fail(bound.limit->range, "found bound " + Twine(*limit) + "; expected 1 to " + Twine(INT32_MAX));
    bounds[bound.symbol.text] = limit.value_or(defaultBound);
  }
  mlir::NamedAttrList attributes;
  for (const auto &bound : bounds)
    attributes.append(bound.getKey(), builder.getI64IntegerAttr(bound.getValue()));
  return attributes.getDictionary(emitter.context());
}

void Elaborator::emitEntry(const FunctionDecl &entry, Instance &root) {
  Frame frame{.self = &root, .function = &entry};
  mlir::Block *body = emitter.beginEntry(entry.name.range);
  if (!bindEntryParameters(entry, frame, body))
    return;
  mlir::DictionaryAttr bounds = entryBounds(entry, frame);
  if (!entry.result)
    return void(fail(entry.name.range, "entry `" + entry.name.text + "` has no result; expected at least one"));
  runBlock(entry.body, frame);
  Value result = finishFunction(entry, frame, entry.range);
  if (result.isPoison())
    return;
  SmallVector<mlir::Value> results;
  auto *sequence = result.get<Sequence>();
  ArrayRef<Value> values = sequence ? ArrayRef(*sequence->elements) : ArrayRef(result);
  for (const Value &value : values) {
    auto *tensor = value.get<Tensor>();
    if (!tensor)
      return void(fail(entry.result->range, "a result of an entry is " + value.describe() + "; expected a tensor"));
    if (!isInterfaceElement(tensor->element, value.origin))
      return;
    results.push_back(tensor->value);
  }
  SmallVector<StringRef> argNames;
  for (const Parameter &parameter : entry.parameters)
    argNames.push_back(parameter.name.text);
  emitter.endEntry(entry.range, entry.name.text, body, results, emitter.types().getStrArrayAttr(argNames),
                   resultNames(frame, values.size()), bounds);
}

mlir::ArrayAttr Elaborator::resultNames(const Frame &frame, size_t count) {
  auto *tuple = dyn_cast_or_null<TupleExpr>(frame.returnedFrom);
  SmallVector<std::string> names;
  for (size_t i = 0; i < count; ++i) {
    const Expr *written = tuple && tuple->elements.size() == count ? tuple->elements[i] : frame.returnedFrom;
    auto *name = dyn_cast_or_null<NameExpr>(written);
    std::string text = name ? name->name.str() : count == 1 ? "result" : "result" + std::to_string(i);
    names.push_back(is_contained(names, text) || (count > 1 && !tuple) ? "result" + std::to_string(i) : text);
  }
  SmallVector<StringRef> views(names.begin(), names.end());
  return emitter.types().getStrArrayAttr(views);
}

bool Elaborator::isInterfaceElement(mlir::Type element, SourceRange place) {
  if (element.isF32() || element.isInteger(32) || isa<PositionType>(element))
    return true;
  fail(place, "found `" + formatElement(element) + "` in an entry's signature; expected `f32`, `i32` or `Positions`");
  return false;
}

void Elaborator::runRoot(const ModuleDecl &root) {
  if (!root.parameters.empty())
    return void(fail(root.parameters.front().name.range,
                     "the root module `" + root.name.text + "` has parameters; expected none"));
  Instance *instance = instantiate(root, "", nullptr, root.name.range, {});
  if (!instance)
    return;
  requireTensors();
  for (const Decl *decl : root.body) {
    auto *function = dyn_cast<FunctionDecl>(decl);
    if (function && function->functionKind == FunctionKind::Entry)
      emitEntry(*function, *instance);
  }
  // What the checkpoint has beside them says nothing while members were lost to errors.
  table.report(root.name.range, /*knowsAll=*/!diagnostics.hasErrors());
}

//===--- Modules and functions on their own
//----------------------------------------------------===//

std::optional<Value> Elaborator::unknownArgument(const TypeExpr &type, StringRef name, Frame &frame) {
  auto *tensorType = dyn_cast<TensorType>(&type);
  if (!tensorType)
    return unknownValue(name, type, type.range);
  Shape shape;
  for (const Expr *dim : tensorType->dims) {
    if (isa<RestExpr>(dim)) {
      frame.rest = Shape();
      continue;
    }
    auto *symbol = dyn_cast<NameExpr>(dim);
    bool isNew = symbol && !isBound(symbol->name, frame);
    if (isNew && !checkNewName(*symbol, frame))
      return std::nullopt;
    if (isNew)
      frame.locals[symbol->name] = Value(Extent::symbol(symbol->name, SymbolKind::Setting), dim->range);
    if (isa<InferredDimExpr>(dim)) {
      shape.push_back(Extent::symbol((name + "." + Twine(shape.size())).str(), SymbolKind::Opaque));
      continue;
    }
    auto extent = evaluateExtent(*dim, frame, "a dimension");
    if (!extent)
      return std::nullopt;
    shape.push_back(*extent);
  }
  mlir::Type element = tensorType->element ? findElement(tensorType->element.text, emitter.context()) : emitter.f32();
  if (!element) {
    fail(tensorType->element.range, "unknown element type `" + tensorType->element.text +
                                        "`; expected `f32`, `f16`, `bf16`, `i32`, `bool` or `Positions`");
    return std::nullopt;
  }
  return Value(Tensor{shape, element, {}}, type.range);
}

void Elaborator::checkFunction(const FunctionDecl &function, Instance *self) {
  Frame frame{.self = self, .function = &function};
  for (bool tensors : {false, true})
    for (const Parameter &parameter : function.parameters) {
      if (isa<TensorType>(parameter.type) != tensors)
        continue;
      auto value = unknownArgument(*parameter.type, parameter.name.text, frame);
      frame.locals[parameter.name.text] = value.value_or(Value());
    }
  runBlock(function.body, frame);
  finishFunction(function, frame, function.range);
}

void Elaborator::checkModule(const ModuleDecl &module) {
  StringMap<Value> arguments;
  for (const Parameter &parameter : module.parameters)
    arguments[parameter.name.text] =
        unknownValue(parameter.name.text, *parameter.type, parameter.name.range).value_or(Value());
  Instance *instance = instantiate(module, "", nullptr, module.name.range, std::move(arguments));
  if (!instance)
    return;
  for (const Decl *decl : module.body)
    if (auto *function = dyn_cast<FunctionDecl>(decl))
      checkFunction(*function, instance);
}

} // namespace quern::frontend
