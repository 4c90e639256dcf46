//===- CompressParameters.cpp - bf16 in 13 bits ------------------------------------------------===//

#include "passes/ParameterRows.h"
#include "passes/Passes.h"

#include "dialect/PackedLayout.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_COMPRESSPARAMETERSPASS
#include "passes/Passes.h.inc"

/// Whether compressing a parameter of this type makes it smaller, and leaves bytes that kernels' i32 can count.
static bool isWorthIt(RankedTensorType type) {
  if (!canPack(type, Packing::Panels13))
    return false;
  int64_t bytes = *getParameterBytes(type, Packing::Panels13);
  return bytes < *getParameterBytes(type, Packing::Panels) && bytes <= INT32_MAX;
}

namespace {

struct CompressParametersPass : impl::CompressParametersPassBase<CompressParametersPass> {
  CompressParametersPass() = default;
  CompressParametersPass(ParameterSource &source, unsigned processes) : source(&source), processes(processes) {}

  void runOnOperation() override {
    auto fits = [](ArrayRef<uint8_t> row) { return findExponentBase(row).has_value(); };
    FailureOr<SmallVector<ParameterOp>> found = findByRows(getOperation(), source, isWorthIt, fits, processes);
    if (failed(found))
      return signalPassFailure();
    for (ParameterOp parameter : *found)
      parameter.setPacking(Packing::Panels13);
    numCompressed += found->size();
  }

private:
  /// Where the values of external parameters come from; null: random ones, as tests have.
  ParameterSource *source = nullptr;
  unsigned processes = 1;
};

} // namespace

std::unique_ptr<Pass> createCompressParametersPass(ParameterSource &source, unsigned processes) {
  return std::make_unique<CompressParametersPass>(source, processes);
}

} // namespace quern
