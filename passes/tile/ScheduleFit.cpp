//===- ScheduleFit.cpp - cost models from measured schedules ----------------------------------===//
//
// Ridge regression: what plans took by the time of the plan beside which they were measured, as a logarithm, is a sum
// of weighted differences of features. What is expected before anything was measured are the hand-set estimates of
// each <Form>Schedule.cpp: the feature `estimate` has the weight 1, all others 0. A measurement moves the weights from
// there.
//
//===------------------------------------------------------------------------------------------===//

#include "passes/tile/ScheduleFit.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <algorithm>
#include <cmath>
#include <limits>

using llvm::ArrayRef;
using llvm::StringRef;

namespace quern {

namespace {

/// A plan that was measured: the logarithm of its time by the default plan's, and how much that counts.
struct Point {
  ArrayRef<double> features;
  double value = 0, weight = 0;
};

/// What was measured of kernels of one shape, which differ in what else they compute at most.
struct Shape {
  std::vector<std::vector<Point>> kernels;
};

/// What models of one family and target are fitted to.
struct Sample {
  std::vector<std::string> features;
  std::map<std::string, Shape> shapes;
};

/// The sums that a regression needs, of some points: [features, features] and [features].
struct Sums {
  std::vector<std::vector<double>> squares;
  std::vector<double> products;
};

} // namespace

/// By how much plans differ from what any sum of features says, and how far weights are from what is expected of them:
/// standard deviations.
static constexpr double scatter = 0.05;
/// What features that were not seen to do anything are taken to do; the strongest that measurements support is chosen.
static constexpr double freedoms[] = {0, 0.01, 0.03, 0.1, 0.3};
/// What plans must promise; a choice that is never made has the last one.
static constexpr double margins[] = {0.01, 0.02, 0.03, 0.05, 0.08};
/// What a choice may cost a shape that was left out, as a part of its time.
static constexpr double mostLoss = 0.02;
static constexpr size_t fewestShapes = 4;

/// Logarithms of the C library may differ in their last bits between machines.
static double roundLogarithm(double value) { return std::round(value * 0x1p24) * 0x1p-24; }

static double getExpectedWeight(StringRef feature) { return feature == "estimate" ? 1 : 0; }

/// `quern_conv_f32_64x64_3` as `quern_conv_f32_64x64`: kernels of one shape are told apart by a number at the end.
static std::string getShapeName(const ScheduleRow &row) {
  StringRef name = row.kernel, stem = name.rsplit('_').first;
  StringRef number = name.rsplit('_').second;
  return (!stem.empty() && !number.empty() && llvm::all_of(number, llvm::isDigit) ? stem : name).str();
}

using SampleKey = std::pair<std::string, std::string>;

/// What there is to learn from. Rows of other features than most have were measured by another compiler.
static std::map<SampleKey, Sample> collect(const ScheduleDatabase &database) {
  std::map<SampleKey, std::map<std::vector<std::string>, size_t>> counts;
  for (const auto &[key, row] : database.rows)
    if (!row.trials.plans.empty() && !row.changesRounding)
      counts[{row.trials.family, key.target}][row.trials.features] += row.trials.plans.size();
  std::map<SampleKey, Sample> samples;
  for (const auto &[key, features] : counts)
    samples[key].features = std::max_element(features.begin(), features.end(), [](const auto &a, const auto &b) {
                              return a.second < b.second;
                            })->first;
  for (const auto &[key, row] : database.rows) {
    auto found = samples.find({row.trials.family, key.target});
    if (row.trials.plans.empty() || row.changesRounding || row.trials.features != found->second.features)
      continue;
    std::vector<Point> points;
    for (const Trial &trial : row.trials.plans) {
      double value = roundLogarithm(std::log(trial.time));
      points.push_back({trial.features, value, 1 / (trial.error * trial.error + scatter * scatter)});
    }
    found->second.shapes[getShapeName(row)].kernels.push_back(std::move(points));
  }
  return samples;
}

static void add(Sums &sums, const Point &point, ArrayRef<double> expected) {
  double residual = point.value;
  for (auto [feature, weight] : llvm::zip_equal(point.features, expected))
    residual -= feature * weight;
  for (size_t i = 0; i < expected.size(); ++i) {
    for (size_t j = 0; j <= i; ++j)
      sums.squares[i][j] += point.weight * point.features[i] * point.features[j];
    sums.products[i] += point.weight * point.features[i] * residual;
  }
}

/// Solves for the weights by Cholesky's method; `freedom` is the standard deviation of what is expected of them.
static std::vector<double> solve(Sums sums, ArrayRef<double> expected, double freedom) {
  size_t size = expected.size();
  std::vector<double> weights(expected.begin(), expected.end());
  if (freedom == 0)
    return weights;
  auto &factor = sums.squares;
  std::vector<double> &solution = sums.products;
  for (size_t i = 0; i < size; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      double sum = factor[i][j] + (i == j ? 1 / (freedom * freedom) : 0);
      for (size_t k = 0; k < j; ++k)
        sum -= factor[i][k] * factor[j][k];
      factor[i][j] = i == j ? std::sqrt(sum) : sum / factor[j][j];
    }
    for (size_t k = 0; k < i; ++k)
      solution[i] -= factor[i][k] * solution[k];
    solution[i] /= factor[i][i];
  }
  for (size_t i = size; i-- > 0;) {
    for (size_t k = i + 1; k < size; ++k)
      solution[i] -= factor[k][i] * solution[k];
    solution[i] /= factor[i][i];
    weights[i] += solution[i];
  }
  return weights;
}

/// A model of all shapes but `left`.
static FittedModel fit(const Sample &sample, const Shape *left, double freedom) {
  FittedModel model;
  std::vector<double> expected;
  for (const std::string &name : sample.features) {
    model.features.push_back({name, 0, 0, 0});
    expected.push_back(getExpectedWeight(name));
  }
  size_t size = expected.size();
  Sums sums{std::vector<std::vector<double>>(size, std::vector<double>(size)), std::vector<double>(size)};
  for (const auto &[name, shape] : sample.shapes) {
    if (&shape == left)
      continue;
    for (const std::vector<Point> &kernel : shape.kernels)
      for (const Point &point : kernel) {
        add(sums, point, expected);
        for (auto [feature, difference] : llvm::zip_equal(model.features, point.features)) {
          feature.least = std::min(feature.least, difference);
          feature.most = std::max(feature.most, difference);
        }
      }
  }
  for (auto [feature, weight] : llvm::zip_equal(model.features, solve(std::move(sums), expected, freedom)))
    feature.weight = weight;
  return model;
}

std::optional<double> predict(const FittedModel &model, ArrayRef<double> differences) {
  double sum = 0;
  for (auto [feature, difference] : llvm::zip_equal(model.features, differences)) {
    if (difference < feature.least || difference > feature.most)
      return std::nullopt;
    sum += feature.weight * difference;
  }
  return sum;
}

namespace {
/// What a left-out kernel's plans were predicted and measured to take, logarithms by the default plan's time, 0 of it.
struct Left {
  std::vector<std::pair<double, double>> plans;
};
} // namespace

/// What models of `freedom` say of each shape that is left out.
static std::vector<std::vector<Left>> leaveOut(const Sample &sample, double freedom) {
  std::vector<std::vector<Left>> shapes;
  for (const auto &[name, shape] : sample.shapes) {
    FittedModel model = fit(sample, &shape, freedom);
    std::vector<Left> kernels;
    for (const std::vector<Point> &points : shape.kernels) {
      Left left;
      for (const Point &point : points)
        // What it says nothing of, it does not choose.
        left.plans.emplace_back(predict(model, point.features).value_or(0), point.value);
      kernels.push_back(std::move(left));
    }
    shapes.push_back(std::move(kernels));
  }
  return shapes;
}

/// How `margin` chooses; of a shape's kernels the mean.
static FitCheck check(ArrayRef<std::vector<Left>> shapes, double margin) {
  FitCheck check{shapes.size(), 0, 0, 0, 0, 0};
  std::vector<double> reached, gains;
  for (const std::vector<Left> &kernels : shapes) {
    double gain = 0, best = 0;
    for (const Left &left : kernels) {
      double predicted = -margin, chosen = 0, least = 0;
      for (auto [expected, value] : left.plans) {
        if (expected < predicted)
          predicted = expected, chosen = value;
        least = std::min(least, value);
      }
      gain -= chosen / static_cast<double>(kernels.size());
      best -= least / static_cast<double>(kernels.size());
      check.plans += left.plans.size();
    }
    gains.push_back(gain);
    reached.push_back(gain - best);
    check.mean += gain / static_cast<double>(shapes.size());
    check.best += best / static_cast<double>(shapes.size());
  }
  llvm::sort(reached);
  size_t middle = reached.size() / 2;
  check.reached = reached.size() % 2 ? reached[middle] : (reached[middle - 1] + reached[middle]) / 2;
  check.least = *llvm::min_element(gains);
  for (double *value : {&check.reached, &check.least, &check.mean, &check.best})
    *value = std::exp(*value);
  return check;
}

namespace {
/// How a family's models are fitted, and how those of its left-out shapes choose.
struct Choice {
  double freedom = 0, margin = 0;
  FitCheck check;
  bool isBetter = false;
};
} // namespace

/// The freedom and the margin by which left-out shapes gain most, of those by which none loses more than it may.
static std::optional<Choice> choose(const Sample &sample) {
  if (sample.shapes.size() < fewestShapes)
    return std::nullopt;
  Choice best;
  for (double freedom : freedoms) {
    std::vector<std::vector<Left>> shapes = leaveOut(sample, freedom);
    for (double margin : margins) {
      FitCheck seen = check(shapes, margin);
      if (seen.least < 1 - mostLoss || (best.isBetter && seen.mean <= best.check.mean * 1.0005))
        continue;
      if (seen.mean > 1.001)
        best = {freedom, margin, seen, true};
    }
  }
  if (!best.isBetter)
    best.check = check(leaveOut(sample, 0), std::numeric_limits<double>::infinity());
  return best;
}

void fitModels(ScheduleDatabase &database) {
  database.models.clear();
  for (const auto &[key, sample] : collect(database)) {
    std::optional<Choice> choice = choose(sample);
    if (!choice || !choice->isBetter)
      continue;
    FittedModel model = fit(sample, nullptr, choice->freedom);
    model.margin = choice->margin;
    database.models[key.first][key.second] = std::move(model);
  }
}

std::map<SampleKey, FitCheck> checkModels(const ScheduleDatabase &database) {
  std::map<SampleKey, FitCheck> checks;
  for (const auto &[key, sample] : collect(database))
    if (std::optional<Choice> choice = choose(sample))
      checks[key] = choice->check;
  return checks;
}

} // namespace quern
