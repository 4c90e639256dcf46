//===- PackParameters.cpp - how weights lie in a binary ----------------------------------------===//

#include "passes/Passes.h"

#include "dialect/PackedLayout.h"

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_PACKPARAMETERSPASS
#include "passes/Passes.h.inc"

namespace {

struct PackParametersPass : impl::PackParametersPassBase<PackParametersPass> {
  void runOnOperation() override {
    llvm::DenseSet<StringAttr> starts; // copied into states, which are dense
    for (auto state : getOperation().getOps<StateOp>())
      if (FlatSymbolRefAttr start = state.getStartAttr())
        starts.insert(start.getAttr());
    for (auto parameter : getOperation().getOps<ParameterOp>())
      if (canPack(parameter.getTensorType(), Packing::Panels) && !starts.contains(parameter.getSymNameAttr())) {
        parameter.setPacking(Packing::Panels);
        ++numPacked;
      }
  }
};

} // namespace

} // namespace quern
