//===- RoutingFiles.cpp - what was noted of the choice of experts, as files --------------------===//

#include "runtime/cli/RoutingFiles.h"

#include "runtime/File.h"
#include "runtime/OutputFile.h"

#include <nlohmann/json.hpp>

namespace quern::runtime {

static constexpr int formatVersion = 1;

std::vector<Option> RoutingOptions::getOptions() {
  return {
      Option("--routing-profile", profile, "FILE.json",
             "write how often each expert was chosen, for `quern compile --routing-profile`"),
      Option("--routing-trace", trace, "FILE.json", "write which experts each row chose"),
  };
}

const char *RoutingOptions::getAsked() const {
  return profile ? "--routing-profile" : trace ? "--routing-trace" : nullptr;
}

Result<void> RoutingOptions::begin(Session &session) {
  if (getAsked() && session.getDescription().experts.empty())
    return Error{inBackticks(getAsked()) + " records which experts rows choose, and the model " +
                 inBackticks(session.getDescription().model) + " has none; expected a mixture of experts"};
  for (const std::optional<std::string> *path : {&profile, &trace})
    if (*path)
      if (Result<void> valid = checkOutput(**path); !valid)
        return valid;
  if (trace)
    session.setRoutingRecord(RoutingRecord::Rows);
  else if (profile)
    session.setRoutingRecord(RoutingRecord::Counts);
  return {};
}

using Json = nlohmann::ordered_json;

/// One layer as text: a line each, which people can read.
static std::string formatLayer(const ExpertArray &array, const char *key, const Json &value, const Json &more) {
  Json layer = {{"name", array.name}, {"experts", array.experts}};
  layer.update(more);
  layer[key] = value;
  // What is not UTF-8 in a name is replaced.
  return "    " + layer.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <typename FormatLayer>
static Result<void> writeFile(const Session &session, const std::string &path, const char *format,
                              const FormatLayer &formatOne) {
  const Description &description = session.getDescription();
  Json model = description.model;
  Result<OutputFile> file = OutputFile::create(path);
  if (!file)
    return file.error();
  std::string text =
      std::string("{\n  \"format\": \"") + format + "\",\n  \"version\": " + std::to_string(formatVersion) +
      ",\n  \"model\": " + model.dump(-1, ' ', false, Json::error_handler_t::replace) + ",\n  \"layers\": [\n";
  // Layer by layer: what the rows of a long run chose is large.
  for (size_t i = 0; i < description.experts.size(); ++i) {
    text += formatOne(description.experts[i], session.getChoices()[i]);
    text += i + 1 < description.experts.size() ? ",\n" : "\n  ]\n}\n";
    if (Result<void> done = file->write(text.data(), text.size()); !done)
      return done;
    text.clear();
  }
  return file->finish();
}

Result<void> RoutingOptions::end(Session &session) {
  if (profile) {
    auto format = [](const ExpertArray &array, const ExpertChoices &choices) {
      return formatLayer(array, "counts", choices.counts, {{"numbers", array.numbers}, {"rows", choices.rows}});
    };
    if (Result<void> done = writeFile(session, *profile, "quern routing profile", format); !done)
      return done;
  }
  if (!trace)
    return {};
  auto format = [](const ExpertArray &array, const ExpertChoices &choices) {
    return formatLayer(array, "chosen", choices.chosen, Json::object());
  };
  return writeFile(session, *trace, "quern routing trace", format);
}

} // namespace quern::runtime
