//===- InfoCommand.cpp - describes a compiled model in JSON -------------------------------------===//

#include "runtime/cli/Command.h"
#include "runtime/cli/Common.h"
#include "runtime/llm/Signature.h"
#include "runtime/vision/Signature.h"

#include <nlohmann/json.hpp>

namespace quern::runtime {

using Json = nlohmann::ordered_json;

static Json describeDim(const Entry &entry, const Dim &dim) {
  return dim.symbol < 0 ? Json(dim.size) : Json(entry.symbols[dim.symbol].name);
}

static Json describeOperand(const Entry &entry, const Operand &operand) {
  Json shape = Json::array();
  for (const Dim &dim : operand.shape)
    shape.push_back(describeDim(entry, dim));
  Json json = {{"name", operand.name}, {"dtype", toString(operand.dtype)}, {"shape", shape}};
  if (operand.isPosition)
    json["columns"] = {
#define QUERN_POSITION(Name, field, words) #field,
#include "quern/Positions.def"
    };
  for (const Dim &limit : operand.below)
    json["below"].push_back(describeDim(entry, limit));
  for (const Dim &limit : operand.rows)
    json["rows"].push_back(describeDim(entry, limit));
  return json;
}

static Json describeEntry(const Entry &entry) {
  Json inputs = Json::array(), results = Json::array(), bounds = Json::object();
  for (const Operand &input : entry.inputs)
    inputs.push_back(describeOperand(entry, input));
  for (const Operand &result : entry.results)
    results.push_back(describeOperand(entry, result));
  for (const Symbol &symbol : entry.symbols)
    bounds[symbol.name] = symbol.bound;
  return {{"name", entry.name},
          {"inputs", inputs},
          {"results", results},
          {"bounds", bounds},
          {"language_model", matchLanguageModel(entry).has_value()},
          {"image_classifier", matchClassifier(entry).has_value()}};
}

static Json describeTarget(const Description &description, const Target &target) {
  Json programs = Json::array();
  for (const Program &program : target.programs) {
    const Entry &entry = description.entries[program.entry];
    Json when = Json::object();
    for (const auto &[symbol, size] : program.when)
      when[entry.symbols[symbol].name] = size;
    programs.push_back({{"entry", entry.name},
                        {"when", when},
                        {"arena_bytes", program.arenaBytes},
                        {"launches", program.kernels.size()}});
  }
  return {{"name", target.name},          {"device", target.device},
          {"same_bits", target.sameBits}, {"rows_apart", target.rowsApart ? Json(*target.rowsApart) : Json()},
          {"features", target.features},  {"programs", programs}};
}

static Json describeText(const TextDescription &text) {
  return {{"vocab_size", text.vocabSize},
          {"tokenizer_bytes", text.tokenizerBytes},
          {"chat_template", text.chatTemplate.has_value()},
          {"bos_id", text.bosId ? Json(*text.bosId) : Json()},
          {"eos_ids", text.eosIds},
          {"add_bos", text.addBos}};
}

static Json describeSize(const std::optional<ImageSize> &size) {
  return size ? Json({{"height", size->height}, {"width", size->width}}) : Json();
}

static Json describeImage(const ImageDescription &image) {
  Json resize = image.shortestEdge ? Json({{"shortest_edge", *image.shortestEdge}}) : describeSize(image.resize);
  return {{"resize", resize},
          {"filter", image.filter == Filter::Bicubic ? "bicubic" : "bilinear"},
          {"align_corners", image.alignCorners},
          {"antialias", image.antialias},
          {"crop", describeSize(image.crop)},
          {"rescale_factor", image.rescaleFactor},
          {"mean", image.mean},
          {"std", image.std},
          {"labels", image.labels},
          {"probabilities", image.givesProbabilities}};
}

/// The element type of the caches; of several the first.
static Json getCacheType(const Description &description) {
  for (const State &state : description.states)
    if (state.rows)
      return state.dtype;
  return Json();
}

namespace {

class InfoCommand : public Command {
public:
  std::vector<Option> getOptions() override { return {Option("--info", "describe the model, in JSON").chooses()}; }
  Result<void> run(Session &session) override;
};

} // namespace

Result<void> InfoCommand::run(Session &session) {
  const Description &description = session.getDescription();
  Json json = {{"model", description.model}};
  json["entries"] = Json::array();
  for (const Entry &entry : description.entries)
    json["entries"].push_back(describeEntry(entry));
  json["target"] = session.getTarget().name;
  json["device"] = {{"kind", session.getTarget().device}, {"name", session.getDeviceName()}};
  if (!session.getPassedOver().empty())
    json["device"]["passed_over"] = session.getPassedOver();
  json["targets"] = Json::array();
  for (const Target &target : description.targets)
    json["targets"].push_back(describeTarget(description, target));
  uint64_t arenaBytes = 0, stateBytes = 0;
  for (const Program &program : session.getTarget().programs)
    arenaBytes = std::max(arenaBytes, program.arenaBytes);
  for (const State &state : description.states)
    stateBytes += state.bytes;
  uint64_t seldomBytes = 0;
  for (const Parameter &parameter : description.parameters)
    seldomBytes += parameter.bytes - parameter.oftenBytes;
  json["sizes"] = {{"weights_bytes", description.weightsBytes},
                   {"seldom_read_bytes", seldomBytes},
                   {"states_bytes", stateBytes},
                   {"arena_bytes", arenaBytes},
                   {"data_bytes", session.getData().size()}};
  json["context"] = session.getStateRows() ? Json(*session.getStateRows()) : Json();
  json["cache"] = getCacheType(description);
  json["parameters"] = description.parameters.size();
  json["experts"] = Json::array();
  for (const ExpertArray &array : description.experts)
    json["experts"].push_back({{"name", array.name}, {"experts", array.experts}});
  json["quantization"] = Json::object();
  for (const auto &[storage, bytes] : description.quantization)
    json["quantization"][storage] = bytes;
  json["exact"] = description.exact;
  json["text"] = description.text ? describeText(*description.text) : Json();
  json["image"] = description.image ? describeImage(*description.image) : Json();
  json["threads"] = session.getThreadCount();
  json["versions"] = Json::object();
  for (const auto &[name, version] : description.versions)
    json["versions"][name] = version;
  return print(json.dump(2) + "\n");
}

std::unique_ptr<Command> makeInfoCommand() { return std::make_unique<InfoCommand>(); }

} // namespace quern::runtime
