//===- RoutingProfile.cpp - How often experts were chosen -------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/weights/RoutingProfile.h"

#include "frontend/weights/Experts.h"
#include "frontend/weights/Json.h"

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
class ProfileReader {
public:
  explicit ProfileReader(StringRef file) : file(file) {}

  Expected<RoutingProfile> read(const json &tree);

private:
  Expected<const json *> find(const json &object, StringRef place, StringRef key);
  Expected<std::string> readString(const json &object, StringRef place, StringRef key);
  Expected<int64_t> readInteger(const json &value, const Twine &place, int64_t least, int64_t most);
  Expected<int64_t> readField(const json &object, StringRef place, StringRef key, int64_t least, int64_t most);
  Error readLayer(const json &value, const std::string &place, ProfiledLayer &layer);
  Error readCounts(const json &object, const std::string &place, int64_t experts, ProfiledLayer &layer);

  Error refuse(const Twine &text) { return createStringError("`" + file + "`: " + text); }
  Error refuseValue(const Twine &place, const json &value, const Twine &expected) {
    return refuse("`" + place + "` is " + describeJson(value) + ", expected " + expected);
  }

  StringRef file;
};

} // namespace

/// `place.key`; `key` of the file's own object.
static std::string locate(StringRef place, StringRef key) {
  return (place.empty() ? Twine(key) : Twine(place) + "." + key).str();
}

Expected<const json *> ProfileReader::find(const json &object, StringRef place, StringRef key) {
  auto found = object.find(key.str());
  if (found == object.end())
    return refuse("`" + locate(place, key) + "` is missing");
  return &*found;
}

Expected<std::string> ProfileReader::readString(const json &object, StringRef place, StringRef key) {
  Expected<const json *> value = find(object, place, key);
  if (!value)
    return value.takeError();
  if (!(*value)->is_string())
    return refuseValue(locate(place, key), **value, "a string");
  return (*value)->get<std::string>();
}

Expected<int64_t> ProfileReader::readInteger(const json &value, const Twine &place, int64_t least, int64_t most) {
  // What is above the largest signed integer is an unsigned one.
  bool fits = value.is_number_integer() && !(value.is_number_unsigned() && value.get<uint64_t>() > uint64_t(most));
  if (!fits || value.get<int64_t>() < least || value.get<int64_t>() > most)
    return refuseValue(place, value, "an integer from " + Twine(least) + " to " + Twine(most));
  return value.get<int64_t>();
}

Expected<int64_t> ProfileReader::readField(const json &object, StringRef place, StringRef key, int64_t least,
                                           int64_t most) {
  Expected<const json *> value = find(object, place, key);
  return value ? readInteger(**value, locate(place, key), least, most) : value.takeError();
}

Error ProfileReader::readCounts(const json &object, const std::string &place, int64_t experts, ProfiledLayer &layer) {
  Expected<const json *> counts = find(object, place, "counts");
  if (!counts)
    return counts.takeError();
  std::string list = locate(place, "counts");
  if (!(*counts)->is_array())
    return refuseValue(list, **counts, "a list of integers");
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
  if (!tree.is_object())
    return refuse("found " + describeJson(tree) + ", expected a routing profile, an object");
  auto format = tree.find("format");
  if (format == tree.end() || *format != formatName.str())
    return refuse("`format` is " + (format == tree.end() ? std::string("missing") : describeJson(*format)) +
                  ", expected \"" + formatName + "\", as a compiled model's `--routing-profile` writes it");
  Expected<int64_t> version = readField(tree, "", "version", formatVersion, formatVersion);
  if (!version)
    return version.takeError();
  RoutingProfile profile;
  Expected<std::string> model = readString(tree, "", "model");
  if (!model)
    return model.takeError();
  profile.model = std::move(*model);
  Expected<const json *> layers = find(tree, "", "layers");
  if (!layers)
    return layers.takeError();
  if (!(*layers)->is_array())
    return refuseValue("layers", **layers, "a list of layers");
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
