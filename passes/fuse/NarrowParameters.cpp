//===- NarrowParameters.cpp - f32 and f16 that hold bf16 ---------------------------------------===//

#include "passes/ParameterRows.h"
#include "passes/Passes.h"
#include "passes/fuse/Narrow.h"

#include "dialect/BlockFormats.h"
#include "dialect/RandomValues.h"

#include "llvm/Support/Endian.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_NARROWPARAMETERSPASS
#include "passes/Passes.h.inc"

static bool isWider(Type element) { return element.isF32() || element.isF16(); }

/// Whether the number of f32 with these bits is one of bf16.
static bool isBf16(uint32_t bits) { return (bits & 0xffff) == 0; }

/// Whether all numbers of a row of f32 or f16 are numbers of bf16.
static bool holdsBf16(ArrayRef<uint8_t> row, Type element) {
  using namespace llvm::support::endian;
  size_t bytes = element.getIntOrFloatBitWidth() / 8;
  for (const uint8_t *at = row.begin(); at != row.end(); at += bytes)
    if (!isBf16(element.isF32() ? read32le(at) : llvm::bit_cast<uint32_t>(halfToFloat(read16le(at)))))
      return false;
  return true;
}

namespace {

struct NarrowParametersPass : impl::NarrowParametersPassBase<NarrowParametersPass> {
  NarrowParametersPass() = default;
  explicit NarrowParametersPass(ParameterSource &source) : source(&source) {}

  void runOnOperation() override {
    RandomParameters random(getOperation());
    llvm::DenseSet<StringAttr> narrow;
    for (ParameterOp parameter : findReadByRows(getOperation())) {
      Type element = parameter.getTensorType().getElementType();
      if (!isWider(element))
        continue;
      auto fits = [&](ArrayRef<uint8_t> row) { return holdsBf16(row, element); };
      FailureOr<bool> allFit = allRows(parameter, source ? *source : random, fits);
      if (failed(allFit))
        return signalPassFailure();
      if (*allFit)
        narrow.insert(parameter.getSymNameAttr());
    }
    numNarrowed += narrow.size();
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
};

} // namespace

std::unique_ptr<Pass> createNarrowParametersPass(ParameterSource &source) {
  return std::make_unique<NarrowParametersPass>(source);
}

} // namespace quern
