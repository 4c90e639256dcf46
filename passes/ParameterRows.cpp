//===- ParameterRows.cpp - what a parameter's values show -------------------------------------===//

#include "passes/ParameterRows.h"

#include "dialect/ParameterStream.h"
#include "dialect/RandomValues.h"
#include "dialect/Tensor.h"
#include "runtime/Workers.h"

using namespace mlir;

namespace quern {

/// Gives the bytes of each row of `parameter`, of rank 2, to `check` until that fails: whether none did.
static FailureOr<bool> allRows(ParameterOp parameter, ParameterSource &source,
                               llvm::function_ref<bool(ArrayRef<uint8_t>)> check) {
  int64_t rows = parameter.getTensorType().getDimSize(0);
  if (!parameter.isExternal()) {
    ParameterStream stream(parameter, source);
    for (int64_t row = 0; row < rows; ++row) {
      FailureOr<ArrayRef<uint8_t>> bytes = stream.readRow(row);
      if (failed(bytes))
        return failure();
      if (!check(*bytes))
        return false;
    }
    return true;
  }
  for (int64_t row = 0; row < rows; ++row) {
    llvm::Expected<ArrayRef<uint8_t>> bytes = source.readRow(parameter.getSymName(), row);
    if (!bytes)
      return parameter.emitError("cannot read row ")
             << row << " of tensor `" << parameter.getSymName() << "`: " << toString(bytes.takeError());
    if (!check(*bytes))
      return false;
  }
  return true;
}

static bool readsRows(OpOperand &use) {
  if (auto matmul = dyn_cast<MatmulOp>(use.getOwner()))
    return use.get() == matmul.getWeight();
  auto gather = dyn_cast<GatherOp>(use.getOwner());
  return gather && use.get() == gather.getTable();
}

/// The parameters that entries read by rows alone, in their order.
static SmallVector<ParameterOp> findReadByRows(ModuleOp module) {
  llvm::DenseSet<StringAttr> read, otherwise;
  for (EntryOp entry : module.getOps<EntryOp>())
    entry.walk([&](ParamOp param) {
      StringAttr name = param.getParameterAttr().getAttr();
      read.insert(name);
      if (!llvm::all_of(param->getUses(), readsRows))
        otherwise.insert(name);
    });
  return llvm::to_vector(llvm::make_filter_range(module.getOps<ParameterOp>(), [&](ParameterOp parameter) {
    StringAttr name = parameter.getSymNameAttr();
    return read.contains(name) && !otherwise.contains(name);
  }));
}

FailureOr<SmallVector<ParameterOp>> findByRows(ModuleOp module, ParameterSource *source,
                                               llvm::function_ref<bool(RankedTensorType)> isCandidate,
                                               llvm::function_ref<bool(ArrayRef<uint8_t>)> check, unsigned processes) {
  RandomParameters random(module);
  ParameterSource &values = source ? *source : random;
  SmallVector<ParameterOp> candidates = llvm::filter_to_vector(
      findReadByRows(module), [&](ParameterOp parameter) { return isCandidate(parameter.getTensorType()); });
  uint64_t bytes = 0;
  for (ParameterOp parameter : candidates)
    bytes += *getStorageBytes(parameter.getTensorType());
  enum Outcome : int32_t { Other, Found, Refused };
  std::vector<int32_t> outcomes =
      runtime::shareOut(candidates.size(), runtime::countWorkers(bytes, processes), [&](size_t i) -> int32_t {
        ScopedDiagnosticHandler silent(module.getContext(), [](Diagnostic &) { return success(); });
        FailureOr<bool> allPass = allRows(candidates[i], values, check);
        return failed(allPass) ? Refused : *allPass ? Found : Other;
      });
  SmallVector<ParameterOp> found;
  for (auto [parameter, outcome] : llvm::zip_equal(candidates, outcomes)) {
    FailureOr<bool> allPass = outcome == Found;
    // What was refused, or ended the process, is so again, and says why here.
    if (outcome != Found && outcome != Other)
      allPass = allRows(parameter, values, check);
    if (failed(allPass))
      return failure();
    if (*allPass)
      found.push_back(parameter);
  }
  return found;
}

} // namespace quern
