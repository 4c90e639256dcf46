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

/// `type` with size 1 for each of `ones`.
static RankedTensorType substituteOnes(RankedTensorType type, ArrayRef<StringAttr> ones) {
  SmallVector<Dim> dims = getDims(type);
  for (Dim &dim : dims)
    if (!dim.isStatic() && llvm::is_contained(ones, dim.name()))
      dim = Dim::fixed(1);
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

/// Adds the variant of `entry` where each of `ones` is 1, before it.
static void addVariant(EntryOp entry, ArrayRef<StringAttr> ones) {
  OpBuilder builder(entry);
  auto variant = cast<EntryOp>(builder.clone(*entry.getOperation()));
  std::string name = entry.getSymName().str() + ".";
  SmallVector<NamedAttribute> when;
  for (StringAttr symbol : ones) {
    name += symbol.getValue().str() + "1";
    if (symbol != ones.back())
      name += ".";
    when.emplace_back(symbol, builder.getI64IntegerAttr(1));
  }
  variant.setSymName(name);
  variant.setVariantOf(entry.getSymName());
  variant.setWhenAttr(builder.getDictionaryAttr(when));
  if (DictionaryAttr bounds = entry.getBoundsAttr()) {
    variant.removeBoundsAttr();
    if (DictionaryAttr rest = without(bounds, ones))
      variant.setBoundsAttr(rest);
  }

  AttrTypeReplacer replacer;
  replacer.addReplacement([&](RankedTensorType type) -> std::optional<std::pair<Type, WalkResult>> {
    return std::make_pair(Type(substituteOnes(type, ones)), WalkResult::skip());
  });
  replacer.recursivelyReplaceElementsIn(variant, /*replaceAttrs=*/true, /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
}

namespace {

struct SpecializeEntriesPass : impl::SpecializeEntriesPassBase<SpecializeEntriesPass> {
  void runOnOperation() override {
    for (EntryOp entry : llvm::to_vector(getOperation().getOps<EntryOp>())) {
      SmallVector<StringAttr> symbols = getSymbols(entry);
      if (symbols.empty() || entry.getVariantOf())
        continue;
      // The most special variant first: the order in which a caller tries them.
      addVariant(entry, symbols);
      if (symbols.size() >= 2)
        addVariant(entry, ArrayRef(symbols).drop_front());
    }
  }
};

} // namespace

} // namespace quern
