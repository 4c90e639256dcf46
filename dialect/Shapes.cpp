//===- Shapes.cpp - tensor types with named dimensions ----------------------------------------===//

#include "dialect/Shapes.h"
#include "dialect/Dialect.h"
#include "dialect/Work.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace quern {

llvm::SmallVector<Dim> getDims(RankedTensorType type) {
  ArrayRef<StringAttr> names;
  if (auto dims = dyn_cast_or_null<DimsAttr>(type.getEncoding()))
    names = dims.getNames();
  SmallVector<Dim> result;
  for (int64_t size : type.getShape()) {
    if (!ShapedType::isDynamic(size)) {
      result.push_back(Dim::fixed(size));
      continue;
    }
    if (names.empty()) {
      result.push_back(Dim::symbol(StringAttr::get(type.getContext(), "?")));
      continue;
    }
    result.push_back(Dim::symbol(names.front()));
    names = names.drop_front();
  }
  return result;
}

RankedTensorType getTensorType(ArrayRef<Dim> dims, Type elementType) {
  SmallVector<int64_t> shape;
  SmallVector<StringAttr> names;
  for (Dim dim : dims) {
    shape.push_back(dim.size());
    if (!dim.isStatic())
      names.push_back(dim.name());
  }
  Attribute encoding;
  if (!names.empty())
    encoding = DimsAttr::get(elementType.getContext(), names);
  return RankedTensorType::get(shape, elementType, encoding);
}

RankedTensorType withElementType(RankedTensorType type, Type elementType) {
  return RankedTensorType::get(type.getShape(), elementType, type.getEncoding());
}

FailureOr<SmallVector<Dim>> broadcastDims(ArrayRef<Dim> a, ArrayRef<Dim> b) {
  ArrayRef<Dim> longer = a.size() >= b.size() ? a : b;
  ArrayRef<Dim> shorter = a.size() >= b.size() ? b : a;
  SmallVector<Dim> result(longer);
  size_t lead = longer.size() - shorter.size();
  for (auto [i, dim] : llvm::enumerate(shorter)) {
    Dim &other = result[lead + i];
    if (dim == other || dim == Dim::fixed(1))
      continue;
    if (other != Dim::fixed(1))
      return failure();
    other = dim;
  }
  return result;
}

bool areFew(RankedTensorType type) {
  return type.getRank() > 0 && !type.isDynamicDim(0) && type.getDimSize(0) <= rowsPerTask;
}

std::string formatDims(ArrayRef<Dim> dims) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << '[';
  llvm::interleaveComma(dims, os, [&](Dim dim) {
    if (dim.isStatic())
      os << dim.size();
    else
      os << dim.name().getValue();
  });
  os << ']';
  return text;
}

WorkTerm multiply(int64_t count, ArrayRef<Dim> dims) {
  WorkTerm term = {count, {}};
  for (const Dim &dim : dims) {
    if (dim.isStatic())
      term.count *= dim.size();
    else
      term.sizes.push_back(dim.name().getValue());
  }
  return term;
}

} // namespace quern
