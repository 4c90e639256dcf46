//===- Pipeline.cpp - the order of the passes -------------------------------------------------===//

#include "passes/Pipeline.h"

#include "passes/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace quern {

static void buildGraph(OpPassManager &manager) {
  // Before anything that asks whether two dimensions are equal.
  manager.addPass(createInferShapesPass());
  // Before fusion: which variant an op is in decides which shape its kernel has.
  manager.addPass(createSpecializeEntriesPass());
  // After variants: where there is one row, nothing is left to choose.
  manager.addPass(createHoistGathersPass());
  // What several products of chosen rows read is computed once.
  manager.addPass(createCSEPass());
  // After variants, where more sizes are static; before all that asks whether a product is one of rows.
  manager.addPass(createFlattenProductsPass());
  // Before layouts: the pattern is the model's own, factors of shape [c, 1, 1].
  manager.addPass(createFoldScalesPass());
  // After scales, which follow a convolution and not its pool.
  manager.addPass(createCommutePoolsPass());
  manager.addPass(createAssignLayoutsPass());
  // Before folding, which makes parameters of the tables, and whatever computes others of the weights.
  manager.addPass(createPlaceExpertsPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  // After folding, by which attention reads values that are a part of a cache's rows from the cache; before fusion: a
  // state is found through appends alone.
  manager.addPass(createAssignCacheLayoutsPass());
}

static void buildFused(OpPassManager &manager, const PipelineOptions &options) {
  // Before all that asks what weights are made of.
  if (options.source && !options.keepWeights)
    manager.addPass(createNarrowParametersPass(*options.source, options.processes));
  // Before folding, which computes the transformed weights.
  if (!options.exact)
    manager.addPass(createSelectWinogradPass({options.bf16Images}));
  // After Winograd's filters, which stay f32, and before folding, which rounds the weights.
  if (options.bf16)
    manager.addPass(createLowerPrecisionPass({options.bf16Images}));
  // Before fusion: what is constant must not end up inside a kernel.
  manager.addPass(createFoldParametersPass());
  // Before horizontal fusion, which joins matmuls on equal quantised tensors.
  if (!options.exact) {
    manager.addPass(createQuantizeActivationsPass());
    if (!options.keepF16Caches)
      manager.addPass(createLowerAttentionPass());
  }
  // After what makes caches bf16, and before horizontal fusion, which joins the products that they hold.
  if (options.source)
    manager.addPass(createWidenCachesPass(*options.source, /*keep=*/options.keepF16Caches));
  // Before epilogues, which would take parts of it.
  manager.addPass(createFuseRoutingPass());
  // Before the other fusions: only one consumer is left to each norm.
  manager.addPass(createFuseHorizontalPass());
  // Before prologues, which extend the groups.
  manager.addPass(createFuseEpiloguesPass());
  manager.addPass(createFuseProloguesPass());
  // Fusion asks which op an elementwise op is; kernels only hold maps.
  manager.addPass(createLowerElementwisePass());
  // Last: which values are a kernel's result is known once nothing more is fused.
  manager.addPass(createPlaceConcatsPass());
}

static void buildTiled(OpPassManager &manager, const PipelineOptions &options) {
  // After all that computes parameters, and before outlining, which says how each argument of a kernel lies.
  manager.addPass(createPackParametersPass());
  // After packing: what it compresses has panels.
  if (options.source && !options.keepWeights && !options.keepPairs)
    manager.addPass(createCompressParametersPass(*options.source, options.processes));
  manager.addPass(createOutlineKernelsPass());
  // Before schedules, which are then chosen once per distinct kernel.
  manager.addPass(createDeduplicateKernelsPass());
  manager.addPass(createSelectSchedulesPass({llvm::to_vector_of<std::string>(options.databases)}));
}

static void buildKernels(OpPassManager &manager, const PipelineOptions &options) {
  manager.addPass(createPlanMemoryPass({options.bound}));
  manager.addPass(createVerifyKernelFormPass());
}

void buildPipeline(OpPassManager &manager, const PipelineOptions &options) {
  buildGraph(manager);
  if (options.until == Phase::Graph)
    return;
  buildFused(manager, options);
  if (options.until == Phase::Fused)
    return;
  buildTiled(manager, options);
  if (options.until == Phase::Tiled)
    return;
  buildKernels(manager, options);
}

namespace {

/// The options of a pipeline as `quern-opt` reads them.
struct TextOptions : PassPipelineOptions<TextOptions> {
  Option<bool> exact{*this, "exact", llvm::cl::desc("keep activations in f32, convolve directly"),
                     llvm::cl::init(false)};
  Option<bool> bf16{*this, "bf16", llvm::cl::desc("multiply f32 weights in bf16"), llvm::cl::init(false)};
  Option<int64_t> bound{*this, "bound", llvm::cl::desc("bound of dimensions that have none"),
                        llvm::cl::init(PipelineOptions().bound)};
  ListOption<std::string> databases{*this, "database", llvm::cl::desc("JSON files of measured schedules")};
};

} // namespace

void registerPipelines() {
  auto add = [](StringRef name, StringRef description, Phase until) {
    auto build = [until](OpPassManager &manager, const TextOptions &text) {
      std::vector<std::string> databases(text.databases.begin(), text.databases.end());
      buildPipeline(manager, {text.exact, text.bf16, text.bf16, until, text.bound, databases, /*source=*/nullptr});
    };
    PassPipelineRegistration<TextOptions>(name, description, build);
  };
  add("quern-graph", "from the frontend's module to specialised entries", Phase::Graph);
  add("quern-fused", "from the frontend's module to fused groups", Phase::Fused);
  add("quern-tiled", "from the frontend's module to kernels with schedules", Phase::Tiled);
  add("quern-kernels", "from the frontend's module to programs and kernels", Phase::Kernels);
}

} // namespace quern
