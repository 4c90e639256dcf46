//===- DeduplicateKernels.cpp - equal kernels are one -----------------------------------------===//

#include "passes/Passes.h"
#include "passes/Signature.h"

#include "dialect/Ops.h"
#include "dialect/Shapes.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_DEDUPLICATEKERNELSPASS
#include "passes/Passes.h.inc"

/// `f32`, `q4_1`: an element type in a symbol.
static std::string formatElement(Type type) {
  if (auto block = dyn_cast<BlockType>(type))
    return getTraits(block.getFormat()).keyword.str();
  if (isa<PositionType>(type))
    return "at";
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

/// `sx576`: a shape in a symbol.
static std::string formatShape(RankedTensorType type) {
  SmallVector<std::string> sizes;
  for (Dim dim : getDims(type))
    sizes.push_back(dim.isStatic() ? std::to_string(dim.size()) : dim.name().str());
  return sizes.empty() ? "scalar" : llvm::join(sizes, "x");
}

/// `text` with `_` for what a C identifier cannot hold.
static std::string toIdentifier(StringRef text) {
  std::string result;
  for (char c : text)
    result += llvm::isAlnum(c) ? c : '_';
  return result;
}

/// The tensor that says most of a kernel's type: that of the anchor, or the result.
static RankedTensorType getMainType(KernelOp kernel) {
  auto anchor = dyn_cast_or_null<KernelAnchorOpInterface>(kernel.getAnchor());
  Value main = anchor ? anchor.getMainTensor() : Value();
  bool isOperand = main && main.getDefiningOp() != anchor.getOperation();
  return cast<RankedTensorType>(isOperand ? main.getType() : kernel.getResultTypes().front());
}

/// The ops around the anchor: `rms_norm_quantize_matmul_map`.
static std::string formatOps(KernelOp kernel) {
  SmallVector<StringRef> names;
  for (Operation &op : kernel.getBody().front().without_terminator())
    if (!isa<ConstantOp, ReshapeOp>(op))
      names.push_back(op.getName().stripDialect());
  return llvm::join(names, "_");
}

/// `quern_<form>_<element>_<shape>_<ops>__<hash>`
static std::string formatName(KernelOp kernel, StringRef signature) {
  RankedTensorType main = getMainType(kernel);
  auto result = cast<RankedTensorType>(kernel.getResultTypes().front());
  std::string name = ("quern_" + stringifyKernelForm(kernel.getForm()) + "_" + formatElement(main.getElementType()) +
                      "_" + formatShape(main == result ? result : main))
                         .str();
  if (main != result)
    name += "_" + formatShape(result);
  return toIdentifier(name + "_" + formatOps(kernel)) + "__" + getDigest(signature);
}

namespace {

struct DeduplicateKernelsPass : impl::DeduplicateKernelsPassBase<DeduplicateKernelsPass> {
  using DeduplicateKernelsPassBase::DeduplicateKernelsPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    llvm::StringMap<KernelOp> known;
    // Old name -> the kernel that stands for it.
    llvm::DenseMap<StringAttr, KernelOp> stands;
    for (KernelOp kernel : llvm::make_early_inc_range(module.getOps<KernelOp>())) {
      auto [place, isNew] = known.try_emplace(getSignature(kernel), kernel);
      stands[kernel.getSymNameAttr()] = place->second;
      if (isNew)
        continue;
      symbols.erase(kernel);
      ++numRemoved;
    }
    for (auto &[signature, kernel] : known) {
      symbols.remove(kernel);
      kernel->remove();
    }
    rename(module, symbols, known, stands);
  }

private:
  /// Names the kernels after what they compute, in the order of their first calls, and lets the calls follow.
  static void rename(ModuleOp module, SymbolTable &symbols, const llvm::StringMap<KernelOp> &known,
                     const llvm::DenseMap<StringAttr, KernelOp> &stands) {
    llvm::DenseMap<Operation *, StringRef> signatures;
    for (auto &entry : known)
      signatures[entry.second] = entry.first();
    llvm::DenseSet<Operation *> placed;
    module.walk([&](CallOp call) {
      KernelOp kernel = stands.lookup(call.getKernelAttr().getAttr());
      if (placed.insert(kernel).second) {
        kernel.setSymName(formatName(kernel, signatures[kernel]));
        symbols.insert(kernel, call->getParentOfType<EntryOp>()->getIterator());
      }
      call.setKernel(kernel.getSymName());
    });
    for (auto &entry : known)
      if (KernelOp kernel = entry.second; !placed.contains(kernel))
        kernel.erase();
  }
};

} // namespace

} // namespace quern
