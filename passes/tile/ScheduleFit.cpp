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
#include <iterator>

using llvm::ArrayRef;
using llvm::StringRef;

namespace quern {

namespace {

/// A plan that was measured: the logarithm of its time by the default plan's, the variance of that, and the part of a
/// plan that it counts as.
struct Point {
  ArrayRef<double> features;
  double value = 0, variance = 0, part = 1;
};

/// What was measured of kernels that are left out together: those of one shape, or of several where there are many.
using Fold = std::vector<std::vector<Point>>;

/// What models of one family and target are fitted to.
struct Sample {
  std::vector<std::string> features;
  std::vector<Fold> folds;
  size_t shapes = 0;
};

/// What a regression needs of some points: sums, [features, features] and [features], and the range of each feature.
struct Sums {
  explicit Sums(size_t size) : squares(size, std::vector<double>(size)), products(size), least(size), most(size) {}

  std::vector<std::vector<double>> squares;
  std::vector<double> products, least, most;
};

} // namespace

/// What is tried of each: by how much plans differ from what any sum of features says, and how far weights are from
/// what is expected of them, standard deviations; what plans must promise, and how sure that must be.
static constexpr double scatters[] = {0.15, 0.3}, freedoms[] = {0.03, 0.1, 0.3};
static constexpr double margins[] = {0.01, 0.03, 0.05}, cautions[] = {0, 2, 4};
/// What a choice may cost a kernel of a shape that was left out, as a part of its time.
static constexpr double mostLoss = 0.02;
static constexpr size_t fewestShapes = 4, mostFolds = 64;
/// A kernel's plans count as so many, however many there are: one kernel is not to speak for all.
static constexpr double plansOfKernel = 20;

/// Logarithms of the C library may differ in their last bits between machines.
static double roundLogarithm(double value) { return std::round(value * 0x1p24) * 0x1p-24; }

/// `quern_contract_q4_0_64x576_sx64_matmul__0a1b2c3d` as `quern_contract_q4_0_64x576`, up to the first word of sizes:
/// kernels of one shape read weights of one, whatever else they compute, and of however many rows.
static std::string getShapeName(StringRef kernel) {
  for (size_t begin = 0, end = 0; begin < kernel.size(); begin = end + 1) {
    end = std::min(kernel.find('_', begin), kernel.size());
    auto [size, rest] = kernel.slice(begin, end).split('x');
    if (!rest.empty() && llvm::isDigit(rest.front()))
      return kernel.take_front(end).str();
  }
  return kernel.str();
}

using SampleKey = std::pair<std::string, std::string>;

/// What there is to learn from. Rows of other features than most have were measured by another compiler.
static std::map<SampleKey, Sample> collect(const ScheduleDatabase &database) {
  std::map<SampleKey, std::map<std::vector<std::string>, size_t>> counts;
  for (const auto &[key, row] : database.rows)
    if (!row.trials.plans.empty() && !row.changesRounding)
      counts[{row.trials.family, key.target}][row.trials.features] += row.trials.plans.size();
  std::map<SampleKey, Sample> samples;
  std::map<SampleKey, std::map<std::string, Fold>> shapes;
  for (const auto &[key, features] : counts)
    samples[key].features = std::max_element(features.begin(), features.end(), [](const auto &a, const auto &b) {
                              return a.second < b.second;
                            })->first;
  for (const auto &[key, row] : database.rows) {
    SampleKey sample{row.trials.family, key.target};
    if (row.trials.plans.empty() || row.changesRounding || row.trials.features != samples[sample].features)
      continue;
    std::vector<Point> points;
    double part = plansOfKernel / static_cast<double>(row.trials.plans.size());
    for (const Trial &trial : row.trials.plans)
      points.push_back({trial.features, roundLogarithm(std::log(trial.time)), trial.error * trial.error, part});
    shapes[sample][getShapeName(row.kernel)].push_back(std::move(points));
  }
  for (auto &[key, folds] : shapes) {
    Sample &sample = samples[key];
    sample.shapes = folds.size();
    sample.folds.resize(std::min(folds.size(), mostFolds));
    size_t next = 0;
    for (auto &[name, fold] : folds)
      std::move(fold.begin(), fold.end(), std::back_inserter(sample.folds[next++ % mostFolds]));
  }
  return samples;
}

static std::vector<double> getExpectedWeights(const Sample &sample) {
  std::vector<double> weights;
  for (const std::string &name : sample.features)
    weights.push_back(name == "estimate" ? 1 : 0);
  return weights;
}

static void add(Sums &sums, const Point &point, ArrayRef<double> expected, double scatter) {
  double residual = point.value, weight = point.part / (point.variance + scatter * scatter);
  for (auto [feature, expectation] : llvm::zip_equal(point.features, expected))
    residual -= feature * expectation;
  for (size_t i = 0; i < expected.size(); ++i) {
    for (size_t j = 0; j <= i; ++j)
      sums.squares[i][j] += weight * point.features[i] * point.features[j];
    sums.products[i] += weight * point.features[i] * residual;
    sums.least[i] = std::min(sums.least[i], point.features[i]);
    sums.most[i] = std::max(sums.most[i], point.features[i]);
  }
}

static void add(Sums &sums, const Sums &others) {
  for (size_t i = 0; i < sums.products.size(); ++i) {
    for (size_t j = 0; j <= i; ++j)
      sums.squares[i][j] += others.squares[i][j];
    sums.products[i] += others.products[i];
    sums.least[i] = std::min(sums.least[i], others.least[i]);
    sums.most[i] = std::max(sums.most[i], others.most[i]);
  }
}

/// The sums of each fold.
static std::vector<Sums> addUp(const Sample &sample, double scatter) {
  std::vector<double> expected = getExpectedWeights(sample);
  std::vector<Sums> all;
  for (const Fold &fold : sample.folds) {
    Sums &sums = all.emplace_back(expected.size());
    for (const std::vector<Point> &kernel : fold)
      for (const Point &point : kernel)
        add(sums, point, expected, scatter);
  }
  return all;
}

/// Solves L y = `values` in place, L the lower triangle of `factor`.
static void solveLower(const std::vector<std::vector<double>> &factor, std::vector<double> &values) {
  for (size_t i = 0; i < values.size(); ++i) {
    for (size_t k = 0; k < i; ++k)
      values[i] -= factor[i][k] * values[k];
    values[i] /= factor[i][i];
  }
}

/// Sets the weights of `model` and their deviations, by Cholesky's method; `freedom` is the standard deviation of what
/// is expected of them.
static void solve(Sums sums, ArrayRef<double> expected, double freedom, FittedModel &model) {
  size_t size = expected.size();
  auto &factor = sums.squares;
  for (size_t i = 0; i < size; ++i)
    for (size_t j = 0; j <= i; ++j) {
      double sum = factor[i][j] + (i == j ? 1 / (freedom * freedom) : 0);
      for (size_t k = 0; k < j; ++k)
        sum -= factor[i][k] * factor[j][k];
      factor[i][j] = i == j ? std::sqrt(sum) : sum / factor[j][j];
    }
  std::vector<double> &solution = sums.products;
  solveLower(factor, solution);
  for (size_t i = size; i-- > 0;) {
    for (size_t k = i + 1; k < size; ++k)
      solution[i] -= factor[k][i] * solution[k];
    solution[i] /= factor[i][i];
    model.features[i].weight = expected[i] + solution[i];
    // The variances are the diagonal of the inverse: the square of each column of the inverse of L.
    std::vector<double> column(size);
    column[i] = 1;
    solveLower(factor, column);
    double variance = 0;
    for (double element : column)
      variance += element * element;
    model.features[i].deviation = std::sqrt(variance);
  }
}

namespace {
/// How models of a family are fitted, and how they choose.
struct Settings {
  double scatter = 0, freedom = 0, margin = 0, caution = 0;
};
} // namespace

/// A model of all folds but `left`.
static FittedModel fit(const Sample &sample, ArrayRef<Sums> folds, std::optional<size_t> left,
                       const Settings &settings) {
  FittedModel model{{}, settings.margin, settings.caution};
  Sums sums(sample.features.size());
  for (auto [i, fold] : llvm::enumerate(folds))
    if (i != left)
      add(sums, fold);
  for (auto [name, least, most] : llvm::zip_equal(sample.features, sums.least, sums.most))
    model.features.push_back({name, 0, 0, least, most});
  solve(std::move(sums), getExpectedWeights(sample), settings.freedom, model);
  return model;
}

Prediction predict(const FittedModel &model, ArrayRef<double> differences) {
  Prediction prediction;
  double variance = 0;
  for (auto [feature, difference] : llvm::zip_equal(model.features, differences)) {
    prediction.isKnown &= difference >= feature.least && difference <= feature.most;
    prediction.value += feature.weight * difference;
    double deviation = feature.deviation * difference;
    variance += deviation * deviation;
  }
  prediction.deviation = std::sqrt(variance);
  return prediction;
}

/// Of plans, the one that is the surest to be faster than the default plan; none where none is sure enough.
std::optional<size_t> choosePlan(const FittedModel &model, ArrayRef<Prediction> predictions) {
  std::optional<size_t> best;
  double least = -model.margin;
  for (auto [i, prediction] : llvm::enumerate(predictions)) {
    double value = prediction.value + model.caution * prediction.deviation;
    // What is no number is not less either: hostile features give such.
    if (!prediction.isKnown || !(value < least))
      continue;
    best = i;
    least = value;
  }
  return best;
}

namespace {
/// A kernel that was left out: what its plans were predicted to take, and what they took, logarithms by the default
/// plan's time.
struct Left {
  std::vector<Prediction> predictions;
  std::vector<double> values;
};
} // namespace

/// What models say of each fold that is left out.
static std::vector<Left> leaveOut(const Sample &sample, ArrayRef<Sums> sums, const Settings &settings) {
  std::vector<Left> kernels;
  for (auto [i, fold] : llvm::enumerate(sample.folds)) {
    FittedModel model = fit(sample, sums, i, settings);
    for (const std::vector<Point> &points : fold) {
      Left &left = kernels.emplace_back();
      for (const Point &point : points) {
        left.predictions.push_back(predict(model, point.features));
        left.values.push_back(point.value);
      }
    }
  }
  return kernels;
}

static FitCheck check(const Sample &sample, ArrayRef<Left> kernels, const Settings &settings) {
  FitCheck check{sample.shapes, kernels.size(), 0, 0, 0, 0, 0};
  FittedModel model{{}, settings.margin, settings.caution};
  std::vector<double> reached, gains;
  for (const Left &left : kernels) {
    std::optional<size_t> chosen = choosePlan(model, left.predictions);
    double gain = chosen ? -left.values[*chosen] : 0, best = std::max(-*llvm::min_element(left.values), 0.0);
    check.plans += left.values.size();
    gains.push_back(gain);
    reached.push_back(gain - best);
    check.mean += gain / static_cast<double>(kernels.size());
    check.best += best / static_cast<double>(kernels.size());
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
/// By what settings left-out shapes gain most; none, where they gain nothing by any.
struct Choice {
  std::optional<Settings> settings;
  FitCheck check;
};
} // namespace

/// Considers settings by which no kernel of a left-out shape loses more than it may.
static std::optional<Choice> choose(const Sample &sample) {
  constexpr double leastGain = 1.005, better = 1.0005;
  if (sample.shapes < fewestShapes)
    return std::nullopt;
  Choice best;
  for (double scatter : scatters) {
    std::vector<Sums> sums = addUp(sample, scatter);
    for (double freedom : freedoms) {
      std::vector<Left> kernels = leaveOut(sample, sums, {scatter, freedom});
      for (double margin : margins)
        for (double caution : cautions) {
          Settings settings{scatter, freedom, margin, caution};
          FitCheck seen = check(sample, kernels, settings);
          if (seen.least >= 1 - mostLoss && seen.mean > (best.settings ? best.check.mean * better : leastGain))
            best = {settings, seen};
        }
    }
  }
  if (!best.settings) {
    // The default plans stay.
    constexpr double never = 1e9;
    Settings none{scatters[0], freedoms[0], never, 0};
    best.check = check(sample, leaveOut(sample, addUp(sample, none.scatter), none), none);
  }
  return best;
}

void fitModels(ScheduleDatabase &database) {
  database.models.clear();
  for (const auto &[key, sample] : collect(database)) {
    std::optional<Choice> choice = choose(sample);
    if (choice && choice->settings)
      database.models[key.first][key.second] =
          fit(sample, addUp(sample, choice->settings->scatter), std::nullopt, *choice->settings);
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
