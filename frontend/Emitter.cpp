//===- Emitter.cpp - writes the graph ---------------------------------------------------------===//

#include "frontend/Emitter.h"

#include "dialect/Origin.h"
#include "dialect/Shapes.h"
#include "llvm/Support/SourceMgr.h"

using namespace llvm;

namespace quern::frontend {

Emitter::Emitter(mlir::MLIRContext *context, const SourceMgr &sources, std::vector<std::string> roots, bool active)
    : sources(sources), roots(std::move(roots)), builder(context),
      module(mlir::ModuleOp::create(mlir::UnknownLoc::get(context))), active(active) {
  builder.setInsertionPointToEnd(module->getBody());
}

/// `path` without the longest of `roots` that it begins with: the same on every machine.
static StringRef relativePath(StringRef path, ArrayRef<std::string> roots) {
  StringRef shortest = path;
  for (StringRef root : roots) {
    StringRef rest = path;
    if (rest.consume_front(root) && rest.consume_front("/") && rest.size() < shortest.size())
      shortest = rest;
  }
  return shortest;
}

mlir::Location Emitter::location(SourceRange range) {
  mlir::Location loc = builder.getUnknownLoc();
  if (unsigned buffer = range.isValid() ? sources.FindBufferContainingLoc(range.Start) : 0) {
    auto [line, column] = sources.getLineAndColumn(range.Start, buffer);
    StringRef file = relativePath(sources.getMemoryBuffer(buffer)->getBufferIdentifier(), roots);
    loc = mlir::FileLineColLoc::get(builder.getStringAttr(file), line, column);
  }
  return inlineAt(loc, scope.instance, scope.caller);
}

Emitter::Scope Emitter::calledFrom(SourceRange call, std::optional<StringRef> instance) {
  return {instance ? instance->str() : scope.instance, location(call)};
}

bool Emitter::isRepresentable(ArrayRef<Extent> shape) const {
  return all_of(shape, [&](const Extent &dim) {
    bool isOpen = !active && (dim.mentions(SymbolKind::Setting) || dim.mentions(SymbolKind::Opaque));
    return isOpen || dim.constant() || dim.runtimeSymbol();
  });
}

mlir::RankedTensorType Emitter::type(ArrayRef<Extent> shape, mlir::Type element) {
  assert(isRepresentable(shape) && "checked where the shape arises");
  SmallVector<Dim> dims;
  for (const Extent &extent : shape)
    dims.push_back(extent.constant() ? Dim::fixed(*extent.constant())
                                     : Dim::symbol(builder.getStringAttr(*extent.runtimeSymbol())));
  return getTensorType(dims, element);
}

mlir::Value Emitter::scalar(SourceRange range, double value) {
  auto type = mlir::RankedTensorType::get({}, builder.getF32Type());
  return create<ConstantOp>(range, mlir::DenseElementsAttr::get(type, float(value)));
}

mlir::Value Emitter::asF32(SourceRange range, const Tensor &tensor) {
  if (tensor.element.isF32() || !active)
    return tensor.value;
  return create<CastOp>(range, type(tensor.shape, f32()), tensor.value);
}

mlir::OpBuilder Emitter::declarations(StringRef name) {
  declared[name] = true;
  mlir::OpBuilder result(context());
  if (lastDeclaration)
    result.setInsertionPointAfter(lastDeclaration);
  else
    result.setInsertionPointToStart(module->getBody());
  return result;
}

Tensor Emitter::readParameter(SourceRange range, StringRef name, const Shape &shape, mlir::Type element) {
  if (!active)
    return {shape, element, {}};
  mlir::RankedTensorType tensor = type(shape, element);
  if (!declared.contains(name)) {
    mlir::OpBuilder place = declarations(name);
    lastDeclaration = ParameterOp::create(place, location(range), name, tensor, mlir::StringAttr(), PackingAttr());
  }
  return {shape, element, create<ParamOp>(range, tensor, name)};
}

Tensor Emitter::readState(SourceRange range, StringRef name, const Shape &shape, mlir::Type element, StateKind kind,
                          StringRef init) {
  if (!active)
    return {shape, element, {}};
  mlir::RankedTensorType tensor = type(shape, element);
  if (!declared.contains(name)) {
    mlir::OpBuilder place = declarations(name);
    lastDeclaration =
        StateOp::create(place, location(range), kind, name, tensor,
                        init.empty() ? mlir::FlatSymbolRefAttr() : mlir::FlatSymbolRefAttr::get(context(), init));
  }
  return {shape, element, create<StateRefOp>(range, tensor, name)};
}

Tensor Emitter::readComputed(SourceRange range, StringRef name, const Tensor &computed) {
  if (!active)
    return computed;
  return {computed.shape, computed.element, create<ParamOp>(range, type(computed.shape, computed.element), name)};
}

std::pair<Value, std::string> Emitter::computeParameter(SourceRange range, StringRef name,
                                                        function_ref<Value()> build) {
  mlir::OpBuilder::InsertionGuard guard(builder);
  mlir::Region region;
  builder.createBlock(&region);
  Value value = build();
  const Tensor *tensor = value.get<Tensor>();
  if (!active || !tensor)
    return {value, ""};
  mlir::RankedTensorType result = type(tensor->shape, tensor->element);
  YieldOp::create(builder, location(range), tensor->value);
  std::string unique = name.str();
  for (int i = 1; declared.contains(unique); ++i)
    unique = (name + "." + Twine(i)).str();
  mlir::OpBuilder place = declarations(unique);
  auto parameter = ParameterOp::create(place, location(range), unique, result, mlir::StringAttr(), PackingAttr());
  parameter.getInit().takeBody(region);
  lastDeclaration = parameter;
  return {Value(Tensor{tensor->shape, tensor->element, {}}, value.origin), unique};
}

mlir::Block *Emitter::beginEntry(SourceRange range) {
  if (!active)
    return nullptr;
  builder.setInsertionPointToEnd(module->getBody());
  auto entry =
      EntryOp::create(builder, location(range), "", builder.getFunctionType({}, {}), {}, {}, {}, {}, {}, {}, {});
  return builder.createBlock(&entry.getBody());
}

void Emitter::endEntry(SourceRange range, StringRef name, mlir::Block *body, ArrayRef<mlir::Value> results,
                       mlir::ArrayAttr argNames, mlir::ArrayAttr resultNames, mlir::DictionaryAttr bounds) {
  if (!active)
    return;
  ReturnOp::create(builder, location(range), results);
  auto entry = cast<EntryOp>(body->getParentOp());
  entry.setSymName(name);
  entry.setFunctionType(builder.getFunctionType(body->getArgumentTypes(), mlir::ValueRange(results).getTypes()));
  entry.setArgNamesAttr(argNames);
  entry.setResultNamesAttr(resultNames);
  entry.setBoundsAttr(bounds);
}

} // namespace quern::frontend
