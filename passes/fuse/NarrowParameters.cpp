//===- NarrowParameters.cpp - f16 that holds bf16 -----------------------------------------------===//

#include "passes/ParameterRows.h"
#include "passes/Passes.h"
#include "passes/fuse/Narrow.h"

#include "dialect/BlockFormats.h"

#include "llvm/Support/Endian.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_NARROWPARAMETERSPASS
#include "passes/Passes.h.inc"

/// Whether all numbers of a row of f16 are numbers of bf16.
static bool holdsBf16(ArrayRef<uint8_t> row) {
  constexpr uint32_t lowBits = 0xffff;
  for (size_t at = 0; at < row.size(); at += 2)
    if (llvm::bit_cast<uint32_t>(halfToFloat(llvm::support::endian::read16le(&row[at]))) & lowBits)
      return false;
  return true;
}

namespace {

struct NarrowParametersPass : impl::NarrowParametersPassBase<NarrowParametersPass> {
  NarrowParametersPass() = default;
  NarrowParametersPass(ParameterSource &source, unsigned processes) : source(&source), processes(processes) {}

  void runOnOperation() override {
    auto isF16 = [](RankedTensorType type) { return type.getElementType().isF16(); };
    FailureOr<SmallVector<ParameterOp>> found = findByRows(getOperation(), source, isF16, holdsBf16, processes);
    if (failed(found))
      return signalPassFailure();
    numNarrowed += found->size();
    llvm::DenseSet<StringAttr> narrow;
    for (ParameterOp parameter : *found)
      narrow.insert(parameter.getSymNameAttr());
    NarrowedValues values;
    for (EntryOp entry : getOperation().getOps<EntryOp>())
      entry.walk([&](ParamOp param) {
        if (!narrow.contains(param.getParameterAttr().getAttr()))
          return;
        for (OpOperand &use : llvm::make_early_inc_range(param->getUses()))
          values.narrow(use, BFloat16Type::get(&getContext()));
      });
  }

private:
  /// Where the values of external parameters come from; null: random ones, as tests have.
  ParameterSource *source = nullptr;
  unsigned processes = 1;
};

} // namespace

std::unique_ptr<Pass> createNarrowParametersPass(ParameterSource &source, unsigned processes) {
  return std::make_unique<NarrowParametersPass>(source, processes);
}

} // namespace quern
