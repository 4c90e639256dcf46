//===- SpecializeEntries.cpp - variants of entries for the sizes that matter ------------------===//

#include "passes/Passes.h"

#include "dialect/Ops.h"
#include "dialect/Shapes.h"

#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_SPECIALIZEENTRIESPASS
#include "passes/Passes.h.inc"

/// The symbols of `entry`'s arguments, in order of their first occurrence.
static SmallVector<StringAttr> getSymbols(EntryOp entry) {
  llvm::SmallSetVector<StringAttr, 4> symbols;
  for (Type type : entry.getArgumentTypes())
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      for (Dim dim : getDims(tensor))
        if (!dim.isStatic())
          symbols.insert(dim.name());
  return symbols.takeVector();
}

/// `type` with `size` for each of `symbols`.
static RankedTensorType substitute(RankedTensorType type, ArrayRef<StringAttr> symbols, int64_t size) {
  SmallVector<Dim> dims = getDims(type);
  for (Dim &dim : dims)
    if (!dim.isStatic() && llvm::is_contained(symbols, dim.name()))
      dim = Dim::fixed(size);
  return getTensorType(dims, type.getElementType());
}

/// `dictionary` without `names`, or null where nothing is left.
static DictionaryAttr without(DictionaryAttr dictionary, ArrayRef<StringAttr> names) {
  SmallVector<NamedAttribute> kept;
  for (NamedAttribute entry : dictionary)
    if (!llvm::is_contained(names, entry.getName()))
      kept.push_back(entry);
  return kept.empty() ? DictionaryAttr() : DictionaryAttr::get(dictionary.getContext(), kept);
}

/// Adds the variant of `entry` where each of `symbols` is `size`, before it.
static void addVariant(EntryOp entry, ArrayRef<StringAttr> symbols, int64_t size) {
  OpBuilder builder(entry);
  auto variant = cast<EntryOp>(builder.clone(*entry.getOperation()));
  std::string name = entry.getSymName().str() + ".";
  SmallVector<NamedAttribute> when;
  for (StringAttr symbol : symbols) {
    name += symbol.getValue().str() + std::to_string(size);
    if (symbol != symbols.back())
      name += ".";
    when.emplace_back(symbol, builder.getI64IntegerAttr(size));
  }
  variant.setSymName(name);
  variant.setVariantOf(entry.getSymName());
  variant.setWhenAttr(builder.getDictionaryAttr(when));
  if (DictionaryAttr bounds = entry.getBoundsAttr()) {
    variant.removeBoundsAttr();
    if (DictionaryAttr rest = without(bounds, symbols))
      variant.setBoundsAttr(rest);
  }

  AttrTypeReplacer replacer;
  replacer.addReplacement([&](RankedTensorType type) -> std::optional<std::pair<Type, WalkResult>> {
    return std::make_pair(Type(substitute(type, symbols, size)), WalkResult::skip());
  });
  replacer.recursivelyReplaceElementsIn(variant, /*replaceAttrs=*/true, /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
}

/// Whether `batch` sequences can each have a row of a step of `entry`: its rows have positions,
/// and all sizes may be that.
static bool canBatch(EntryOp entry, ArrayRef<StringAttr> symbols, int64_t batch) {
  DictionaryAttr bounds = entry.getBoundsAttr();
  auto mayBe = [&](StringAttr symbol) {
    auto bound = bounds ? bounds.getAs<IntegerAttr>(symbol) : IntegerAttr();
    return !bound || bound.getInt() >= batch;
  };
  return llvm::all_of(symbols, mayBe) && llvm::any_of(entry.getArgumentTypes(), [](Type type) {
           auto tensor = dyn_cast<RankedTensorType>(type);
           return tensor && isa<PositionType>(tensor.getElementType());
         });
}

namespace {

struct SpecializeEntriesPass : impl::SpecializeEntriesPassBase<SpecializeEntriesPass> {
  using SpecializeEntriesPassBase::SpecializeEntriesPassBase;

  void runOnOperation() override {
    for (EntryOp entry : llvm::to_vector(getOperation().getOps<EntryOp>())) {
      SmallVector<StringAttr> symbols = getSymbols(entry);
      if (symbols.empty() || entry.getVariantOf())
        continue;
      // The most special variant first: the order in which a caller tries them.
      addVariant(entry, symbols, 1);
      if (batch > 1 && canBatch(entry, symbols, batch))
        addVariant(entry, symbols, batch);
      if (symbols.size() >= 2)
        addVariant(entry, ArrayRef(symbols).drop_front(), 1);
    }
  }
};

} // namespace

} // namespace quern
