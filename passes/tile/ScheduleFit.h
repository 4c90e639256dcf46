//===- ScheduleFit.h - cost models from measured schedules ------------------------------------===//

#ifndef QUERN_PASSES_TILE_SCHEDULEFIT_H
#define QUERN_PASSES_TILE_SCHEDULEFIT_H

#include "passes/tile/ScheduleDatabase.h"

namespace quern {

/// What a model expects the logarithm of a plan's time by the default plan's to be, and a standard deviation of by how
/// much that may be wrong. What lies beyond all that the model has seen is not known.
struct Prediction {
  double value = 0, deviation = 0;
  bool isKnown = true;
};

/// Of a plan whose features are by `differences` more than the default plan's, in the model's order.
Prediction predict(const FittedModel &model, llvm::ArrayRef<double> differences);

/// The index of the plan that is the surest to be faster than the default plan; none where none is sure enough.
std::optional<size_t> choosePlan(const FittedModel &model, llvm::ArrayRef<Prediction> predictions);

/// How a model chooses for kernels of shapes that it was not fitted to: each shape's rows are left out in turn, and of
/// the plans that were measured there that one is taken which a model of the others would choose.
struct FitCheck {
  size_t shapes = 0, kernels = 0, plans = 0;
  /// What part of the speed of the best plan the choice has: of the kernels the median.
  double reached = 0;
  /// Its speed by that of the plan that the compiler would have chosen: of the kernels the least, and the mean.
  double least = 0, mean = 0;
  /// The mean of the best plans' speed by that.
  double best = 0;
};

/// Fits a model to the trials of each family and target of `database`, in place of those that it has; none where models
/// of the other shapes would choose no better than the compiler does for those that are left out. The same rows give
/// the same models, to the bit.
void fitModels(ScheduleDatabase &database);

/// For each model that `fitModels` would consider, its family and its target, how it chooses.
std::map<std::pair<std::string, std::string>, FitCheck> checkModels(const ScheduleDatabase &database);

} // namespace quern

#endif // QUERN_PASSES_TILE_SCHEDULEFIT_H
