//===- MedusaFiles.cpp - Trees of guesses, and how good guesses are -------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/MedusaFiles.h"

#include "frontend/checkpoint/Json.h"
#include "frontend/checkpoint/JsonFields.h"

#include "llvm/ADT/STLExtras.h"

#include <map>

using namespace llvm;
using nlohmann::json;

namespace quern::frontend {

static constexpr StringLiteral calibrationFormat = "quern-medusa-calibration-1";
static constexpr int64_t maxPositions = int64_t(1) << 50;
/// Sums of rounded parts may be above 1 by so much.
static constexpr double roundingSlack = 1e-6;

namespace {

/// Reads the paths of one file.
class TreeReader : JsonFields {
public:
  TreeReader(StringRef file, GuessShape shape) : JsonFields(file), shape(shape) {}

  Expected<std::vector<TreePath>> read(const json &tree);

private:
  Expected<TreePath> readPath(const json &value, const std::string &place);

  GuessShape shape;
};

/// Reads the fields of one calibration.
class CalibrationReader : JsonFields {
public:
  CalibrationReader(StringRef file, GuessShape shape) : JsonFields(file), shape(shape) {}

  Expected<MedusaCalibration> read(const json &tree);

private:
  Expected<std::vector<double>> readAccuracies(const json &value, const std::string &place);
  Error readSteps(const json &list, MedusaCalibration &calibration);

  GuessShape shape;
};

} // namespace

void sortPaths(std::vector<TreePath> &paths) {
  llvm::sort(paths,
             [](const TreePath &a, const TreePath &b) { return a.size() != b.size() ? a.size() < b.size() : a < b; });
}

Expected<TreePath> TreeReader::readPath(const json &value, const std::string &place) {
  if (!value.is_array())
    return refuseValue(place, value, "a path, a list of ranks");
  if (value.empty())
    return refuse("`" + place + "` is an empty path, expected one rank at least: the root is there by itself");
  if (value.size() > size_t(shape.heads))
    return refuse("`" + place + "` is a path of " + Twine(value.size()) + " ranks, expected at most " +
                  Twine(shape.heads) + ", one for each head of the model");
  TreePath path;
  for (auto [i, rank] : enumerate(value)) {
    Expected<int64_t> read = readInteger(rank, place + "[" + Twine(i) + "]", 0, shape.guesses - 1);
    if (!read)
      return read.takeError();
    path.push_back(*read);
  }
  return path;
}

/// `[0, 1]`.
static std::string print(const TreePath &path) { return json(path).dump(-1); }

Expected<std::vector<TreePath>> TreeReader::read(const json &tree) {
  if (!tree.is_array())
    return refuse("found " + describeJson(tree) + ", expected a tree, a list of paths such as [[0], [1], [0, 0]]");
  if (tree.empty() || tree.size() > size_t(maxTreeNodes - 1))
    return refuse("found " + Twine(tree.size()) + " paths, expected 1 to " + Twine(maxTreeNodes - 1));
  auto locatePath = [](size_t i) { return "[" + std::to_string(i) + "]"; };
  std::map<TreePath, size_t> places;
  std::vector<TreePath> paths;
  for (auto [i, value] : enumerate(tree)) {
    Expected<TreePath> path = readPath(value, locatePath(i));
    if (!path)
      return path.takeError();
    auto [place, isNew] = places.try_emplace(*path, i);
    if (!isNew)
      return refuse("`" + locatePath(i) + "` is the path " + print(*path) + ", as `" + locatePath(place->second) +
                    "` is, expected each once");
    paths.push_back(std::move(*path));
  }
  for (auto [i, path] : enumerate(paths)) {
    TreePath parent(path.begin(), path.end() - 1);
    if (!parent.empty() && !places.count(parent))
      return refuse("`" + locatePath(i) + "` is the path " + print(path) + ", and no path is " + print(parent) +
                    ", expected one: a path begins where another ends");
  }
  sortPaths(paths);
  return paths;
}

Expected<std::vector<double>> CalibrationReader::readAccuracies(const json &value, const std::string &place) {
  if (!value.is_array())
    return refuseValue(place, value, "a list of numbers");
  if (value.size() != size_t(shape.guesses))
    return refuse("`" + place + "` has " + Twine(value.size()) + " numbers, expected one for each of the " +
                  Twine(shape.guesses) + " guesses of a head");
  std::vector<double> accuracies;
  double sum = 0;
  for (auto [i, number] : enumerate(value)) {
    // What is no number is neither.
    if (!number.is_number() || !(number.get<double>() >= 0 && number.get<double>() <= 1))
      return refuseValue(place + "[" + Twine(i) + "]", number, "a number from 0 to 1");
    accuracies.push_back(number.get<double>());
    sum += accuracies.back();
  }
  if (sum > 1 + roundingSlack)
    return refuse("`" + place + "` adds up to " + json(sum).dump() +
                  ", expected at most 1: one guess of a head can be right");
  return accuracies;
}

Error CalibrationReader::readSteps(const json &list, MedusaCalibration &calibration) {
  for (auto [i, value] : enumerate(list)) {
    std::string place = "step_seconds[" + std::to_string(i) + "]";
    if (!value.is_array() || value.size() != 2)
      return refuseValue(place, value, "a pair of rows and seconds");
    int64_t least = calibration.stepSeconds.empty() ? 1 : calibration.stepSeconds.back().first + 1;
    if (least > maxTreeNodes)
      return refuse("`" + place + "` is behind " + Twine(maxTreeNodes) + " rows, expected none beyond them");
    if (least == 1 && value[0] != 1)
      return refuseValue(place + "[0]", value[0], "1: the first step is of one row");
    Expected<int64_t> rows = readInteger(value[0], place + "[0]", least, maxTreeNodes);
    if (!rows)
      return rows.takeError();
    if (!value[1].is_number() || !(value[1].get<double>() > 0 && value[1].get<double>() < 1e6))
      return refuseValue(place + "[1]", value[1], "seconds, a number above 0 and below 1000000");
    calibration.stepSeconds.emplace_back(*rows, value[1].get<double>());
  }
  if (calibration.stepSeconds.empty())
    return refuse("`step_seconds` is empty, expected the time of a step of one row at least");
  return Error::success();
}

Expected<MedusaCalibration> CalibrationReader::read(const json &tree) {
  if (Error error = checkFormat(tree, "a calibration", calibrationFormat, "a compiled model's `--calibrate`"))
    return error;
  MedusaCalibration calibration;
  Expected<int64_t> positions = readField(tree, "", "positions", 1, maxPositions);
  if (!positions)
    return positions.takeError();
  calibration.positions = *positions;
  Expected<const json *> accuracies = readList(tree, "", "accuracies", "lists of numbers");
  if (!accuracies)
    return accuracies.takeError();
  if ((*accuracies)->size() != size_t(shape.heads))
    return refuse("`accuracies` has " + Twine((*accuracies)->size()) + " lists, expected one for each of the " +
                  Twine(shape.heads) + " heads of the model");
  for (auto [i, value] : enumerate(**accuracies)) {
    Expected<std::vector<double>> head = readAccuracies(value, "accuracies[" + std::to_string(i) + "]");
    if (!head)
      return head.takeError();
    calibration.accuracies.push_back(std::move(*head));
  }
  Expected<const json *> steps = readList(tree, "", "step_seconds", "pairs of rows and seconds");
  if (!steps)
    return steps.takeError();
  if (Error error = readSteps(**steps, calibration))
    return error;
  return calibration;
}

Expected<std::vector<TreePath>> parseMedusaTree(StringRef text, StringRef file, GuessShape shape) {
  Expected<json> tree = parseJson(text, file);
  return tree ? TreeReader(file, shape).read(*tree) : tree.takeError();
}

Expected<MedusaCalibration> parseMedusaCalibration(StringRef text, StringRef file, GuessShape shape) {
  Expected<json> tree = parseJson(text, file);
  return tree ? CalibrationReader(file, shape).read(*tree) : tree.takeError();
}

} // namespace quern::frontend
