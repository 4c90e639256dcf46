//===- CompressParameters.cpp - bf16 in 13 bits ------------------------------------------------===//

#include "passes/Passes.h"
#include "passes/TensorType.h"

#include "dialect/Ops.h"
#include "dialect/PackedLayout.h"
#include "dialect/ParameterSource.h"
#include "dialect/RandomValues.h"
#include "dialect/Reference.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_COMPRESSPARAMETERSPASS
#include "passes/Passes.h.inc"

/// Whether compressing a parameter of this type makes it smaller, and leaves bytes that kernels' i32 can count.
static bool isWorthIt(RankedTensorType type) {
  if (type.getRank() != 2 || !type.getElementType().isBF16())
    return false;
  int64_t bytes = *getParameterBytes(type, /*compressed=*/true);
  return bytes < *getParameterBytes(type) && bytes <= INT32_MAX;
}

/// Whether `use` reads rows of a compressed parameter: as the weight of a matmul or the table of a gather.
static bool readsRows(OpOperand &use) {
  if (auto matmul = dyn_cast<MatmulOp>(use.getOwner()))
    return use.get() == matmul.getWeight();
  auto gather = dyn_cast<GatherOp>(use.getOwner());
  return gather && use.get() == gather.getTable();
}

/// Gives each row of `parameter` to `check` until that fails; an error where its value cannot be had.
static FailureOr<bool> allRows(ParameterOp parameter, ParameterSource &source,
                               llvm::function_ref<bool(ArrayRef<uint8_t>)> check) {
  int64_t rows = parameter.getTensorType().getDimSize(0);
  if (!parameter.isExternal()) {
    FailureOr<Tensor> value = Evaluator(parameter->getParentOfType<ModuleOp>(), source).evaluateParameter(parameter);
    if (failed(value))
      return failure();
    return llvm::all_of(llvm::seq(rows), [&](int64_t row) { return check(value->getRowBytes(row)); });
  }
  for (int64_t row = 0; row < rows; ++row) {
    llvm::Expected<ArrayRef<uint8_t>> bytes = source.readRow(parameter.getSymName(), row);
    if (!bytes)
      return parameter.emitError("cannot read row ") << row << " of tensor `" << parameter.getSymName()
                                                     << "`: " << toString(bytes.takeError());
    if (!check(*bytes))
      return false;
  }
  return true;
}

namespace {

struct CompressParametersPass : impl::CompressParametersPassBase<CompressParametersPass> {
  CompressParametersPass() = default;
  explicit CompressParametersPass(ParameterSource &source) : source(&source) {}

  void runOnOperation() override {
    RandomParameters random(getOperation());
    auto fits = [](ArrayRef<uint8_t> row) { return findExponentBase(row).has_value(); };
    for (ParameterOp parameter : findCandidates()) {
      FailureOr<bool> allFit = allRows(parameter, source ? *source : random, fits);
      if (failed(allFit))
        return signalPassFailure();
      if (!*allFit)
        continue;
      parameter.setCompressed(true);
      ++numCompressed;
    }
  }

private:
  /// The parameters that entries read by rows alone, in their order.
  SmallVector<ParameterOp> findCandidates() {
    llvm::DenseSet<StringAttr> read, otherwise;
    for (EntryOp entry : getOperation().getOps<EntryOp>())
      entry.walk([&](ParamOp param) {
        StringAttr name = param.getParameterAttr().getAttr();
        read.insert(name);
        if (!llvm::all_of(param->getUses(), readsRows))
          otherwise.insert(name);
      });
    return llvm::to_vector(llvm::make_filter_range(getOperation().getOps<ParameterOp>(), [&](ParameterOp parameter) {
      StringAttr name = parameter.getSymNameAttr();
      return read.contains(name) && !otherwise.contains(name) && isWorthIt(parameter.getTensorType());
    }));
  }

  /// Where the values of external parameters come from; null: random ones, as tests have.
  ParameterSource *source = nullptr;
};

} // namespace

std::unique_ptr<Pass> createCompressParametersPass(ParameterSource &source) {
  return std::make_unique<CompressParametersPass>(source);
}

} // namespace quern
