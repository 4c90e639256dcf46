//===- ProfiledExperts.cpp - what a routing profile says of a model ----------------------------===//

#include "frontend/ProfiledExperts.h"

#include "frontend/checkpoint/MappedFile.h"
#include "frontend/checkpoint/RoutingProfile.h"

#include "dialect/ExpertUse.h"

using namespace llvm;

namespace quern::frontend {

/// A profile of 100 layers with 4096 experts each has 4 MB.
static constexpr uint64_t maxProfileBytes = uint64_t(16) << 20;

/// Why `layer` is none of `array`; empty where it is.
static std::string findDifference(const ProfiledLayer &layer, const ExpertArray &array) {
  if (int64_t(layer.counts.size()) != array.experts)
    return (Twine(layer.counts.size()) + " experts, expected " + Twine(array.experts)).str();
  if (layer.numbers != array.numbers)
    return ("experts of " + Twine(layer.numbers) + " numbers, expected " + Twine(array.numbers)).str();
  return "";
}

Error noteExpertUse(StringRef path, mlir::ModuleOp graph) {
  Expected<std::string> text = readSmallFile(path, maxProfileBytes);
  if (!text)
    return text.takeError();
  Expected<RoutingProfile> profile = parseRoutingProfile(*text, path);
  if (!profile)
    return profile.takeError();
  auto refuse = [&](const Twine &message) {
    return createStringError("`" + path + "`, a profile of `" + profile->model + "`: " + message);
  };
  SmallVector<ExpertArray> arrays = findExpertArrays(graph);
  if (arrays.empty())
    return refuse("the model has no experts that rows choose; expected one that has");
  StringMap<const ProfiledLayer *> layers;
  for (auto [i, layer] : enumerate(profile->layers)) {
    std::string place = "`layers[" + std::to_string(i) + "]`";
    if (!layers.try_emplace(layer.name, &layer).second)
      return refuse(place + " is a second `" + layer.name + "`, expected each layer once");
    auto array = find_if(arrays, [&](const ExpertArray &other) { return other.name == layer.name; });
    if (array == arrays.end())
      return refuse(place + " is `" + layer.name + "`, expected one of the model's, as `" + arrays.front().name + "`");
    if (std::string difference = findDifference(layer, *array); !difference.empty())
      return refuse(place + ", `" + layer.name + "`, has " + difference);
  }
  for (const ExpertArray &array : arrays) {
    const ProfiledLayer *layer = layers.lookup(array.name);
    if (!layer)
      return refuse("`layers` has no `" + array.name + "`, which the model has");
    if (layer->rows)
      setExpertUse(graph, array.name, ExpertUse(layer->rows, layer->counts));
  }
  return Error::success();
}

} // namespace quern::frontend
