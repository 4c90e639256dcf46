//===- Pipeline.h - the order of the passes ---------------------------------------------------===//

#ifndef QUERN_PASSES_PIPELINE_H
#define QUERN_PASSES_PIPELINE_H

#include <cstdint>
#include <string>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace quern {

class ParameterSource;

/// How far a module has come. Each phase is reached from the one before it.
enum class Phase {
  Graph,   ///< entries of model ops, one variant per set of sizes that matters
  Fused,   ///< ops grouped into what will be one kernel each
  Tiled,   ///< kernels with schedules, entries of calls
  Kernels, ///< kernels and programs over planned memory: what code generation takes
};

/// What the pipeline may be told.
struct PipelineOptions {
  /// Keep activations in f32, read quantised weights exactly, and convolve directly.
  bool exact = false;
  /// Round weights of f32 and f16 to bf16.
  bool bf16 = false;
  /// And those of convolutions, with their images.
  bool bf16Images = false;
  /// The last phase to run.
  Phase until = Phase::Kernels;
  /// The bound of symbolic dimensions that the model does not bound; 0 refuses them.
  int64_t bound = 512;
  /// Files of measured schedules; the first that has a kernel counts.
  std::vector<std::string> databases;
  /// The values of parameters, by which weights are narrowed and compressed, and caches of f16 widened; null: none is.
  ParameterSource *source = nullptr;
  /// How many processes may look at them at once.
  unsigned processes = 1;
  /// Store every weight in the bits that the source has.
  bool keepWeights = false;
  /// Whether weights of bf16 stay in 16 bits, which tensor cores read as they are.
  bool keepPairs = false;
  /// Leave caches of f16 so, whatever is written to them.
  bool keepF16Caches = false;
};

/// Adds the passes that take a frontend's module to the end of phase `options.until`. Selecting schedules reads the
/// attribute `quern.target` of the module.
void buildPipeline(mlir::OpPassManager &manager, const PipelineOptions &options);

/// Registers the pipelines `quern-graph`, `quern-fused`, `quern-tiled` and `quern-kernels`, each from the start to the
/// end of its phase.
void registerPipelines();

} // namespace quern

#endif // QUERN_PASSES_PIPELINE_H
