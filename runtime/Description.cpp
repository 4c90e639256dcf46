//===- Description.cpp - what a binary says of itself ------------------------------------------===//

#include "runtime/Description.h"

#include "runtime/JsonObject.h"
#include "runtime/Limits.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace quern::runtime {

using Json = JsonObject::Json;

namespace {

constexpr int64_t maxSize = std::numeric_limits<int32_t>::max();
/// More than any machine's memory, small enough that sums of a few do not overflow.
constexpr int64_t maxBytes = int64_t{1} << 56;

/// Turns the JSON into a description. Mistakes are kept in `mistake`; see JsonObject.
class Reader {
public:
  explicit Reader(uint64_t programCount) : programCount(programCount) {}
  Description read(const Json &json);
  std::string mistake;

private:
  Entry readEntry(const Json &json, const std::string &path);
  Operand readOperand(const Json &json, const std::string &path, const Entry &entry);
  Dim readDim(const Json &json, const std::string &path, const Entry &entry);
  void checkEntry(Entry &entry, const std::string &path);
  void checkBytes(const Operand &operand, const Entry &entry, const std::string &path);
  std::vector<std::vector<int32_t>> readGuessTree(const Json &json);
  RowLayout readLayout(const JsonObject &object, const State &state);
  State readState(const Json &json, const std::string &path, uint64_t weightsBytes);
  Parameter readParameter(const Json &json, const std::string &path, uint64_t weightsBytes);
  ExpertArray readExperts(const Json &json, const std::string &path);
  Routing readRouting(const Json &json, const std::string &path, const Program &program,
                      const Description &description);
  Target readTarget(const Json &json, const std::string &path, const Description &description);
  std::vector<WorkTerm> readWork(const JsonObject &kernel, const char *key, const Entry &entry);
  Program readProgram(const Json &json, const std::string &path, const Description &description);
  TextDescription readText(const Json &json);
  ImageDescription readImage(const Json &json);
  std::optional<ImageSize> readSize(const JsonObject &object, const char *key);
  void refuse(const std::string &text) {
    if (mistake.empty())
      mistake = text;
  }

  uint64_t programCount;
  uint32_t nextProgram = 0;
};

std::string at(const std::string &list, size_t index) { return list + "[" + std::to_string(index) + "]"; }

Dim Reader::readDim(const Json &json, const std::string &path, const Entry &entry) {
  Dim dim;
  if (json.is_string()) {
    std::string name = json.get<std::string>();
    for (size_t i = 0; i < entry.symbols.size(); ++i)
      if (entry.symbols[i].name == name)
        dim.symbol = static_cast<int32_t>(i);
    if (dim.symbol < 0)
      refuse("`" + path + "` is `" + name + "`, which is not one of the entry's symbols");
    return dim;
  }
  if (json.is_number_unsigned() && json.get<uint64_t>() >= 1 && json.get<uint64_t>() <= maxSize)
    dim.size = json.get<int64_t>();
  else
    refuse("`" + path + "` is " + json.dump().substr(0, 40) + ", expected the name of a symbol or a size from 1 to " +
           std::to_string(maxSize));
  return dim;
}

Operand Reader::readOperand(const Json &json, const std::string &path, const Entry &entry) {
  JsonObject object(json, path, mistake);
  Operand operand;
  operand.name = object.getString("name");
  std::string dtype = object.getString("dtype");
  if (dtype != "f32" && dtype != "i32" && dtype != "position")
    object.refuse("dtype", "is `" + dtype + "`, expected `f32`, `i32` or `position`");
  operand.isPosition = dtype == "position";
  operand.dtype = dtype == "f32" ? DType::F32 : DType::I32;
  size_t axis = 0;
  for (const Json &size : object.getArray("shape"))
    operand.shape.push_back(readDim(size, at(object.locate("shape"), axis++), entry));
  if (operand.isPosition)
    operand.shape.push_back({QUERN_POSITION_FIELDS, -1});
  if (object.has("below"))
    for (const Json &limit : object.getArray("below"))
      operand.below.push_back(readDim(limit, at(object.locate("below"), operand.below.size()), entry));
  if (object.has("rows"))
    for (const Json &limit : object.getArray("rows"))
      operand.rows.push_back(readDim(limit, at(object.locate("rows"), operand.rows.size()), entry));
  checkBytes(operand, entry, path);
  return operand;
}

void Reader::checkBytes(const Operand &operand, const Entry &entry, const std::string &path) {
  int64_t elements = 1;
  for (const Dim &dim : operand.shape) {
    int64_t size = dim.symbol < 0 ? dim.size : entry.symbols[dim.symbol].bound;
    if (size > 0 && elements > maxBytes / 4 / size)
      return refuse("`" + path + "` has more elements than fit into memory");
    elements *= size;
  }
}

Entry Reader::readEntry(const Json &json, const std::string &path) {
  JsonObject object(json, path, mistake);
  Entry entry;
  entry.name = object.getString("name");
  if (object.has("role"))
    entry.role = object.getString("role");
  JsonObject bounds(object.getObject("bounds"), object.locate("bounds"), mistake);
  for (const std::string &symbol : object.getStrings("symbols"))
    entry.symbols.push_back({symbol, static_cast<int32_t>(bounds.getInteger(symbol.c_str(), 1, maxSize))});
  size_t index = 0;
  for (const Json &input : object.getArray("inputs"))
    entry.inputs.push_back(readOperand(input, at(object.locate("inputs"), index++), entry));
  index = 0;
  for (const Json &result : object.getArray("results"))
    entry.results.push_back(readOperand(result, at(object.locate("results"), index++), entry));
  checkEntry(entry, path);
  return entry;
}

void Reader::checkEntry(Entry &entry, const std::string &path) {
  for (size_t i = 0; i < entry.symbols.size(); ++i) {
    auto names = [&](const Dim &dim) { return dim.symbol == static_cast<int32_t>(i); };
    bool occurs = std::any_of(entry.inputs.begin(), entry.inputs.end(), [&](const Operand &input) {
      return std::any_of(input.shape.begin(), input.shape.end(), names);
    });
    if (!occurs)
      refuse("`" + path + "` has a symbol `" + entry.symbols[i].name + "` that no input's shape has");
  }
  for (const Operand &result : entry.results)
    if (result.isPosition)
      refuse("`" + path + "` has a result of type `position`, expected `f32` or `i32`");
}

RowLayout Reader::readLayout(const JsonObject &object, const State &state) {
  JsonObject fields(object.getObject("layout"), object.locate("layout"), mistake);
  auto getStrided = [&](const char *key) {
    std::vector<int64_t> numbers = fields.getIntegers(key, 0, maxBytes);
    if (numbers.size() == 2 && numbers[0] > 0)
      return Strided{numbers[0], numbers[1]};
    fields.refuse(key, "is no count of 1 or more and a stride");
    return Strided{};
  };
  RowLayout layout;
  layout.bytes = fields.getInteger("bytes", 2, 4);
  layout.lanes = getStrided("lanes"), layout.elements = getStrided("elements"), layout.heads = getStrided("heads");
  layout.groups = fields.getInteger("groups", 0, maxBytes);
  if (fields.has("pages"))
    layout.pages = fields.getInteger("pages", 1, maxBytes);
  if (layout.bytes == 3)
    fields.refuse("bytes", "is 3, expected 2 or 4");
  // As a float, which no numbers are too large for.
  int64_t rows = layout.pages ? QUERN_PAGE_ROWS : *state.rows;
  double last = 0;
  for (const Strided &axis :
       {layout.lanes, layout.elements, layout.heads, Strided{(rows - 1) / layout.lanes.count + 1, layout.groups}})
    last += static_cast<double>(axis.count - 1) * static_cast<double>(axis.stride);
  int64_t pages = layout.pages ? countPages(*state.rows) : 1;
  double bytes = static_cast<double>(state.bytes) / static_cast<double>(layout.bytes);
  if (layout.pages ? last >= static_cast<double>(*layout.pages) ||
                         static_cast<double>(*layout.pages) * static_cast<double>(pages) != bytes
                   : last >= bytes)
    object.refuse("layout", "has rows beyond the bytes of the state");
  return layout;
}

std::vector<std::vector<int32_t>> Reader::readGuessTree(const Json &json) {
  constexpr int64_t maxRank = 1 << 10;
  constexpr size_t maxPaths = 63;
  JsonObject object(json, "medusa", mistake);
  std::vector<std::vector<int32_t>> paths;
  for (const Json &list : object.getArray("tree")) {
    Json wrapped = {{"path", list}};
    std::vector<int64_t> ranks =
        JsonObject(wrapped, at("medusa.tree", paths.size()), mistake).getIntegers("path", 0, maxRank);
    std::vector<int32_t> path(ranks.begin(), ranks.end());
    std::vector<int32_t> parent(path.begin(), path.begin() + std::max<std::ptrdiff_t>(std::ssize(path) - 1, 0));
    bool hasParent = parent.empty() || std::find(paths.begin(), paths.end(), parent) != paths.end();
    if (path.empty() || !hasParent || paths.size() == maxPaths) {
      object.refuse("tree", "is no tree of at most 63 paths, each behind its beginning");
      return {};
    }
    paths.push_back(std::move(path));
  }
  return paths;
}

State Reader::readState(const Json &json, const std::string &path, uint64_t weightsBytes) {
  JsonObject object(json, path, mistake);
  State state;
  state.name = object.getString("name");
  state.dtype = object.getString("dtype");
  state.bytes = static_cast<uint64_t>(object.getInteger("bytes", 0, maxBytes));
  state.shape = object.getIntegers("shape", 0, maxSize);
  std::string kind = object.getString("kind");
  if (kind == "cache" && state.shape.empty())
    refuse("`" + path + "` is a cache without an axis of rows");
  else if (kind == "cache")
    state.rows = std::max<int64_t>(state.shape.front(), 1);
  else if (kind != "variable")
    refuse("`" + path + "` has the kind `" + kind + "`, expected `cache` or `variable`");
  if (state.rows)
    state.layout = readLayout(object, state);
  if (object.has("start"))
    state.start = static_cast<uint64_t>(object.getInteger("start", 0, static_cast<int64_t>(weightsBytes)));
  if (state.start && state.bytes > weightsBytes - *state.start)
    refuse("`" + path + "` starts as weights that end behind the " + std::to_string(weightsBytes) + " bytes of all");
  return state;
}

Parameter Reader::readParameter(const Json &json, const std::string &path, uint64_t weightsBytes) {
  JsonObject object(json, path, mistake);
  Parameter parameter;
  parameter.name = object.getString("name");
  parameter.dtype = object.getString("dtype");
  parameter.shape = object.getIntegers("shape", 0, maxSize);
  parameter.offset = static_cast<uint64_t>(object.getInteger("offset", 0, maxBytes));
  parameter.bytes = static_cast<uint64_t>(object.getInteger("bytes", 0, maxBytes));
  parameter.oftenBytes =
      object.has("often") ? static_cast<uint64_t>(object.getInteger("often", 0, static_cast<int64_t>(parameter.bytes)))
                          : parameter.bytes;
  if (parameter.offset + parameter.bytes > weightsBytes)
    refuse("`" + path + "` ends at byte " + std::to_string(parameter.offset + parameter.bytes) + ", the weights at " +
           std::to_string(weightsBytes));
  return parameter;
}

ExpertArray Reader::readExperts(const Json &json, const std::string &path) {
  constexpr int64_t maxExperts = 1 << 20;
  JsonObject object(json, path, mistake);
  ExpertArray array;
  array.name = object.getString("name");
  array.experts = static_cast<int32_t>(object.getInteger("experts", 1, maxExperts));
  array.numbers = object.getInteger("numbers", 1, maxBytes);
  array.order.resize(static_cast<size_t>(array.experts));
  std::iota(array.order.begin(), array.order.end(), 0);
  if (!object.has("order"))
    return array;
  std::vector<int64_t> given = object.getIntegers("order", 0, array.experts - 1);
  std::vector<int64_t> sorted = given;
  std::sort(sorted.begin(), sorted.end());
  if (!std::equal(sorted.begin(), sorted.end(), array.order.begin(), array.order.end()))
    object.refuse("order", "does not hold each of the " + std::to_string(array.experts) + " experts once");
  else
    std::copy(given.begin(), given.end(), array.order.begin());
  return array;
}

Routing Reader::readRouting(const Json &json, const std::string &path, const Program &program,
                            const Description &description) {
  JsonObject object(json, path, mistake);
  Routing routing;
  int64_t lastArray = static_cast<int64_t>(description.experts.size()) - 1;
  routing.array = static_cast<uint32_t>(object.getInteger("array", 0, std::max<int64_t>(lastArray, 0)));
  if (lastArray < 0)
    refuse("`" + path + "` is a choice among experts, and there are none");
  routing.slots = static_cast<int32_t>(object.getInteger("slots", 1, maxSize));
  routing.launch = static_cast<uint32_t>(object.getInteger("launch", 0, maxSize));
  routing.order = static_cast<uint64_t>(object.getInteger("order", 0, maxBytes));
  routing.begins = static_cast<uint64_t>(object.getInteger("begins", 0, maxBytes));
  for (int64_t launch : object.getIntegers("readers", 0, maxSize))
    routing.readers.push_back(static_cast<uint32_t>(launch));
  if (!object.has("rows"))
    refuse("`" + path + "` has no `rows`");
  if (!mistake.empty())
    return routing;
  const Entry &entry = description.entries[program.entry];
  routing.rows = readDim(*json.find("rows"), object.locate("rows"), entry);
  if (!mistake.empty())
    return routing;
  auto rows =
      static_cast<uint64_t>(routing.rows.symbol < 0 ? routing.rows.size : entry.symbols[routing.rows.symbol].bound);
  // Both are below 2^31.
  uint64_t orderBytes = rows * static_cast<uint64_t>(routing.slots) * sizeof(int32_t);
  uint64_t beginsBytes = (static_cast<uint64_t>(description.experts[routing.array].experts) + 1) * sizeof(int32_t);
  if (routing.order % sizeof(int32_t) || routing.begins % sizeof(int32_t) || orderBytes > program.arenaBytes ||
      routing.order > program.arenaBytes - orderBytes || beginsBytes > program.arenaBytes ||
      routing.begins > program.arenaBytes - beginsBytes)
    refuse("`" + path + "` lies outside of the arena of " + std::to_string(program.arenaBytes) + " bytes");
  return routing;
}

static Arithmetic readArithmetic(const JsonObject &kernel) {
  if (!kernel.has("arithmetic"))
    return Arithmetic::F32;
  std::string name = kernel.getString("arithmetic");
  if (std::optional<Arithmetic> arithmetic = findArithmetic(name))
    return *arithmetic;
  kernel.refuse("arithmetic", "is `" + name + "`, expected `f32`, `i8` or `bf16`");
  return Arithmetic::F32;
}

/// Lists `[number, sizes…]`; none where the field is absent.
std::vector<WorkTerm> Reader::readWork(const JsonObject &kernel, const char *key, const Entry &entry) {
  std::vector<WorkTerm> work;
  if (!kernel.has(key))
    return work;
  for (const Json &list : kernel.getArray(key)) {
    WorkTerm term;
    bool valid = list.is_array() && !list.empty() && list[0].is_number();
    if (valid)
      term.count = list[0].get<double>();
    for (size_t i = 1; valid && i < list.size(); ++i) {
      auto symbol = std::find_if(entry.symbols.begin(), entry.symbols.end(),
                                 [&](const Symbol &other) { return list[i] == other.name; });
      bool isVisible = list[i] == "@visible", isChosen = list[i] == "@chosen";
      valid = isVisible || isChosen || symbol != entry.symbols.end();
      term.sizes.push_back(isVisible  ? WorkTerm::visible
                           : isChosen ? WorkTerm::chosen
                                      : static_cast<int32_t>(symbol - entry.symbols.begin()));
    }
    if (!valid) {
      kernel.refuse(key, "has " + list.dump().substr(0, 40) +
                             ", expected a number and symbols of the entry, `@visible` or `@chosen`");
      return work;
    }
    work.push_back(std::move(term));
  }
  return work;
}

Program Reader::readProgram(const Json &json, const std::string &path, const Description &description) {
  JsonObject object(json, path, mistake);
  Program program;
  program.index = nextProgram++;
  program.arenaBytes = static_cast<uint64_t>(object.getInteger("arena_bytes", 0, maxBytes));
  int64_t lastEntry = static_cast<int64_t>(description.entries.size()) - 1;
  program.entry = static_cast<uint32_t>(object.getInteger("entry", 0, std::max<int64_t>(lastEntry, 0)));
  if (lastEntry < 0)
    refuse("`" + path + "` is the program of an entry, and there are no entries");
  if (!mistake.empty())
    return program;
  const Entry &entry = description.entries[program.entry];
  const Json &when = object.getObject("when");
  JsonObject sizes(when, object.locate("when"), mistake);
  for (const auto &item : when.items()) {
    auto symbol = std::find_if(entry.symbols.begin(), entry.symbols.end(),
                               [&](const Symbol &other) { return other.name == item.key(); });
    if (symbol == entry.symbols.end()) {
      sizes.refuse(item.key().c_str(), "is not one of the entry's symbols");
      return program;
    }
    int64_t size = sizes.getInteger(item.key().c_str(), 1, symbol->bound);
    program.when.push_back({static_cast<uint32_t>(symbol - entry.symbols.begin()), static_cast<int32_t>(size)});
  }
  size_t index = 0;
  for (const Json &kernel : object.getArray("kernels")) {
    JsonObject fields(kernel, at(object.locate("kernels"), index++), mistake);
    program.kernels.push_back({fields.getString("symbol"), fields.getString("form"), readArithmetic(fields),
                               fields.getOptionalString("location").value_or(""), readWork(fields, "bytes", entry),
                               readWork(fields, "operations", entry)});
  }
  index = 0;
  if (object.has("routing"))
    for (const Json &routing : object.getArray("routing"))
      program.routing.push_back(readRouting(routing, at(object.locate("routing"), index++), program, description));
  return program;
}

Target Reader::readTarget(const Json &json, const std::string &path, const Description &description) {
  JsonObject object(json, path, mistake);
  Target target;
  target.name = object.getString("name");
  if (object.has("device"))
    target.device = object.getString("device");
  if (object.has("same_bits"))
    target.sameBits = object.getString("same_bits");
  if (target.sameBits != "target" && target.sameBits != "device")
    object.refuse("same_bits", "is `" + target.sameBits + "`, expected `target` or `device`");
  if (object.has("rows_apart"))
    target.rowsApart = object.getInteger("rows_apart", 1, std::numeric_limits<int64_t>::max());
  target.features = object.getStrings("features");
  size_t index = 0;
  for (const Json &program : object.getArray("programs"))
    target.programs.push_back(readProgram(program, at(object.locate("programs"), index++), description));
  for (size_t entry = 0; entry < description.entries.size(); ++entry) {
    bool general = std::any_of(target.programs.begin(), target.programs.end(),
                               [&](const Program &p) { return p.entry == entry && p.when.empty(); });
    if (!general)
      refuse("`" + path + "` has no program for all sizes of the entry `" + description.entries[entry].name + "`");
  }
  return target;
}

TextDescription Reader::readText(const Json &json) {
  JsonObject object(json, "text", mistake);
  TextDescription text;
  JsonObject tokenizer(object.getObject("tokenizer"), object.locate("tokenizer"), mistake);
  text.tokenizerOffset = static_cast<uint64_t>(tokenizer.getInteger("offset", 0, maxBytes));
  text.tokenizerBytes = static_cast<uint64_t>(tokenizer.getInteger("bytes", 0, maxBytes));
  text.chatTemplate = object.getOptionalString("chat_template");
  text.bos = object.getOptionalString("bos");
  text.eos = object.getOptionalString("eos");
  if (std::optional<int64_t> id = object.getOptionalInteger("bos_id", 0, maxSize))
    text.bosId = static_cast<int32_t>(*id);
  for (int64_t id : object.getIntegers("eos_ids", 0, maxSize))
    text.eosIds.push_back(static_cast<int32_t>(id));
  text.addBos = object.getBool("add_bos");
  text.vocabSize = static_cast<uint32_t>(object.getInteger("vocab_size", 0, maxSize));
  return text;
}

/// The object `key` of a height and a width; no value when it is null or says something else.
std::optional<ImageSize> Reader::readSize(const JsonObject &object, const char *key) {
  if (object.isNull(key))
    return std::nullopt;
  JsonObject size(object.getObject(key), object.locate(key), mistake);
  return ImageSize{size.getInteger("height", 1, maxSize), size.getInteger("width", 1, maxSize)};
}

static Filter readFilter(const JsonObject &image) {
  std::string name = image.getString("filter");
  if (name != "bilinear" && name != "bicubic")
    image.refuse("filter", "is `" + name + "`, expected `bilinear` or `bicubic`");
  return name == "bicubic" ? Filter::Bicubic : Filter::Bilinear;
}

ImageDescription Reader::readImage(const Json &json) {
  JsonObject object(json, "image", mistake);
  ImageDescription image;
  bool keepsShape = !object.isNull("resize") && object.getObject("resize").contains("shortest_edge");
  if (keepsShape) {
    JsonObject resize(object.getObject("resize"), object.locate("resize"), mistake);
    image.shortestEdge = resize.getInteger("shortest_edge", 1, maxSize);
  } else {
    image.resize = readSize(object, "resize");
  }
  image.filter = readFilter(object);
  image.alignCorners = object.getBool("align_corners");
  image.antialias = object.getBool("antialias");
  image.crop = readSize(object, "crop");
  image.rescaleFactor = object.getNumber("rescale_factor");
  image.mean = object.getNumbers("mean");
  image.std = object.getNumbers("std");
  if (std::find(image.std.begin(), image.std.end(), 0.0) != image.std.end())
    object.refuse("std", "holds a 0, expected numbers to divide by");
  image.labels = object.getStrings("labels");
  image.givesProbabilities = object.getBool("probabilities");
  return image;
}

Description Reader::read(const Json &json) {
  JsonObject object(json, "", mistake);
  Description description;
  object.getInteger("version", QUERN_ABI_VERSION, QUERN_ABI_VERSION);
  description.model = object.getString("model");
  size_t index = 0;
  for (const Json &entry : object.getArray("entries"))
    description.entries.push_back(readEntry(entry, at("entries", index++)));
  index = 0;
  description.weightsBytes = static_cast<uint64_t>(object.getInteger("weights_bytes", 0, maxBytes));
  for (const Json &state : object.getArray("states"))
    description.states.push_back(readState(state, at("states", index++), description.weightsBytes));
  index = 0;
  for (const Json &parameter : object.getArray("parameters"))
    description.parameters.push_back(readParameter(parameter, at("parameters", index++), description.weightsBytes));
  index = 0;
  if (object.has("experts"))
    for (const Json &array : object.getArray("experts"))
      description.experts.push_back(readExperts(array, at("experts", index++)));
  index = 0;
  for (const Json &target : object.getArray("targets"))
    description.targets.push_back(readTarget(target, at("targets", index++), description));
  if (description.targets.empty())
    refuse("`targets` is empty");
  if (nextProgram != programCount)
    refuse("`targets` has " + std::to_string(nextProgram) + " programs, the binary " + std::to_string(programCount));
  const Json &quantization = object.getObject("quantization");
  JsonObject storage(quantization, "quantization", mistake);
  for (const auto &item : quantization.items())
    description.quantization.push_back(
        {item.key(), static_cast<uint64_t>(storage.getInteger(item.key().c_str(), 0, maxBytes))});
  description.exact = object.getBool("exact");
  if (object.has("text") && !json.find("text")->is_null())
    description.text = readText(*json.find("text"));
  if (!object.isNull("image"))
    description.image = readImage(*json.find("image"));
  if (!object.isNull("medusa"))
    description.guessTree = readGuessTree(object.getObject("medusa"));
  const Json &versions = object.getObject("versions");
  JsonObject names(versions, "versions", mistake);
  for (const auto &item : versions.items())
    description.versions.push_back({item.key(), names.getString(item.key().c_str())});
  return description;
}

} // namespace

Result<Description> parseDescription(std::string_view text, uint64_t programCount) {
  // Not the throwing reader: this library is built without exceptions.
  Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded())
    return Error{"the binary's description is not JSON", ErrorKind::Internal};
  Reader reader(programCount);
  Description description = reader.read(json);
  if (!reader.mistake.empty())
    return Error{"the binary's description is not valid: " + reader.mistake, ErrorKind::Internal};
  return description;
}

} // namespace quern::runtime
