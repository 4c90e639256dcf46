//===- RoutingProfile.cpp - How often experts were chosen -------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/RoutingProfile.h"

#include "frontend/checkpoint/Experts.h"
#include "frontend/checkpoint/Json.h"
#include "frontend/checkpoint/JsonFields.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

#include <numeric>

using namespace llvm;
using nlohmann::json;

namespace quern::frontend {

static constexpr StringLiteral formatName = "quern routing profile";
static constexpr int64_t formatVersion = 1;
/// Sums of as many counts as there may be are exact.
static constexpr int64_t maxCount = int64_t(1) << 50;

namespace {

/// Reads the fields of one file.
class ProfileReader : JsonFields {
public:
  explicit ProfileReader(StringRef file) : JsonFields(file) {}

  Expected<RoutingProfile> read(const json &tree);

private:
  Error readLayer(const json &value, const std::string &place, ProfiledLayer &layer);
  Error readCounts(const json &object, const std::string &place, int64_t experts, ProfiledLayer &layer);
};

} // namespace

Error ProfileReader::readCounts(const json &object, const std::string &place, int64_t experts, ProfiledLayer &layer) {
  Expected<const json *> counts = readList(object, place, "counts", "integers");
  if (!counts)
    return counts.takeError();
  std::string list = locate(place, "counts");
  if ((*counts)->size() != size_t(experts))
    return refuse("`" + list + "` has " + Twine((*counts)->size()) + " counts, expected one for each of the " +
                  Twine(experts) + " experts");
  for (auto [i, value] : enumerate(**counts)) {
    Expected<int64_t> count = readInteger(value, list + "[" + Twine(i) + "]", 0, layer.rows);
    if (!count)
      return count.takeError();
    layer.counts.push_back(*count);
  }
  int64_t choices = std::accumulate(layer.counts.begin(), layer.counts.end(), int64_t(0));
  if (choices < layer.rows)
    return refuse("`" + list + "` has " + Twine(choices) + " choices in all, expected one at least of each of the " +
                  Twine(layer.rows) + " rows");
  return Error::success();
}

Error ProfileReader::readLayer(const json &value, const std::string &place, ProfiledLayer &layer) {
  if (!value.is_object())
    return refuseValue(place, value, "an object");
  Expected<std::string> name = readString(value, place, "name");
  if (!name)
    return name.takeError();
  layer.name = std::move(*name);
  Expected<int64_t> experts = readField(value, place, "experts", 1, maxExperts);
  if (!experts)
    return experts.takeError();
  Expected<int64_t> numbers = readField(value, place, "numbers", 1, INT64_MAX);
  if (!numbers)
    return numbers.takeError();
  Expected<int64_t> rows = readField(value, place, "rows", 0, maxCount);
  if (!rows)
    return rows.takeError();
  layer.numbers = *numbers, layer.rows = *rows;
  return readCounts(value, place, *experts, layer);
}

Expected<RoutingProfile> ProfileReader::read(const json &tree) {
  if (Error error = checkFormat(tree, "a routing profile", formatName, "a compiled model's `--routing-profile`"))
    return error;
  Expected<int64_t> version = readField(tree, "", "version", formatVersion, formatVersion);
  if (!version)
    return version.takeError();
  RoutingProfile profile;
  Expected<std::string> model = readString(tree, "", "model");
  if (!model)
    return model.takeError();
  profile.model = std::move(*model);
  Expected<const json *> layers = readList(tree, "", "layers", "layers");
  if (!layers)
    return layers.takeError();
  for (auto [i, value] : enumerate(**layers))
    if (Error error = readLayer(value, "layers[" + std::to_string(i) + "]", profile.layers.emplace_back()))
      return error;
  if (!profile.layers.empty() && all_of(profile.layers, [](const ProfiledLayer &layer) { return layer.rows == 0; }))
    return refuse("`layers` has no rows: nothing was run; expected a profile of a run");
  return profile;
}

Expected<RoutingProfile> parseRoutingProfile(StringRef text, StringRef file) {
  Expected<json> tree = parseJson(text, file);
  if (!tree)
    return tree.takeError();
  return ProfileReader(file).read(*tree);
}

} // namespace quern::frontend
