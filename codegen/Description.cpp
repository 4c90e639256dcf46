//===- Description.cpp - what a binary says of itself -----------------------------------------===//

#include "codegen/Description.h"
#include "codegen/IndexLimits.h"
#include "codegen/Program.h"
#include "codegen/RoutedLaunches.h"
#include "codegen/StateLayout.h"
#include "codegen/tensorcores/TensorCores.h"
#include "dialect/CacheLayout.h"
#include "dialect/KernelWork.h"
#include "dialect/Origin.h"
#include "dialect/Shapes.h"
#include "runtime/include/quern/Format.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/JSON.h"

#include <map>

using namespace mlir;
namespace json = llvm::json;

namespace quern::codegen {

static std::string halideVersion() {
  return (Twine(HALIDE_VERSION_MAJOR) + "." + Twine(HALIDE_VERSION_MINOR) + "." + Twine(HALIDE_VERSION_PATCH)).str();
}

/// The name of an element type: `f32`, `position`, `q4_1`.
static std::string dtypeName(Type element) {
  if (isa<PositionType>(element))
    return "position";
  if (auto block = dyn_cast<BlockType>(element))
    return getTraits(block.getFormat()).keyword.str();
  std::string text;
  llvm::raw_string_ostream(text) << element;
  return text;
}

static json::Array describeDims(ArrayRef<Dim> dims) {
  json::Array shape;
  for (Dim dim : dims) {
    if (dim.isStatic())
      shape.push_back(dim.size());
    else
      shape.push_back(dim.name().getValue());
  }
  return shape;
}

static json::Array describeShape(RankedTensorType type) { return describeDims(getDims(type)); }

static json::Object describeOperand(StringRef name, RankedTensorType type) {
  return json::Object{{"name", name}, {"dtype", dtypeName(type.getElementType())}, {"shape", describeShape(type)}};
}

/// The rows of each plain tensor that attention reads at the positions `at`.
static json::Array describeRows(BlockArgument at) {
  json::Array rows;
  for (Operation *user : at.getUsers()) {
    auto launch = dyn_cast<LaunchOp>(user);
    auto kernel = launch ? SymbolTable::lookupNearestSymbolFrom<KernelOp>(launch, launch.getKernelAttr()) : KernelOp();
    auto attend = kernel ? dyn_cast_or_null<AttendOp>(kernel.getAnchor()) : AttendOp();
    if (!attend || !isPlain(attend))
      continue;
    if (launch.getInputs()[cast<BlockArgument>(attend.getAt()).getArgNumber()] != at)
      continue;
    json::Value first = describeShape(cast<RankedTensorType>(attend.getKeys().getType())).front();
    if (!llvm::is_contained(rows, first))
      rows.push_back(std::move(first));
  }
  return rows;
}

/// The symbol that is the size of a vector of `element`, or null where `type` is none.
static StringAttr getVectorSymbol(RankedTensorType type, llvm::function_ref<bool(Type)> isElement) {
  SmallVector<Dim> dims = getDims(type);
  return dims.size() == 1 && !dims[0].isStatic() && isElement(type.getElementType()) ? dims[0].name() : StringAttr();
}

static constexpr llvm::StringLiteral languageModel = "language_model", imageClassifier = "image_classifier",
                                     guesser = "guesser";

/// Whether `type` is f32[n, size]: rows of a static size.
static bool isRows(RankedTensorType type) {
  return type.getRank() == 2 && type.getElementType().isF32() && getDims(type)[1].isStatic();
}

/// Whether `result` is i32[r, heads, guesses]: tokens for each of the rows `input`, f32[r, hidden].
static bool isGuess(RankedTensorType input, RankedTensorType result) {
  if (!isRows(input) || result.getRank() != 3 || !result.getElementType().isInteger(32))
    return false;
  SmallVector<Dim> rows = getDims(input), tokens = getDims(result);
  return !rows[0].isStatic() && rows[0] == tokens[0] && tokens[1].isStatic() && tokens[2].isStatic();
}

/// What an entry is, by the form of its inputs and results: a language model is (i32[s], position[s], i32[r]) ->
/// f32[r, vocabulary], behind which f32[r, hidden] may follow, what a guesser reads; a guesser f32[r, hidden] ->
/// i32[r, heads, guesses]; an image classifier f32[n, c, h, w] -> f32[n, classes] with one or three channels. Empty
/// where it is none of them.
static StringRef getRole(ArrayRef<RankedTensorType> inputs, ArrayRef<RankedTensorType> results) {
  if (inputs.size() == 1 && results.size() == 1 && isGuess(inputs[0], results[0]))
    return guesser;
  if (results.empty() || !isRows(results[0]))
    return "";
  SmallVector<Dim> result = getDims(results[0]);
  if (results.size() == 2 && (inputs.size() != 3 || !isRows(results[1]) || getDims(results[1])[0] != result[0]))
    return "";
  if (results.size() > 2)
    return "";
  if (inputs.size() == 1 && inputs[0].getRank() == 4 && inputs[0].getElementType().isF32()) {
    SmallVector<Dim> image = getDims(inputs[0]);
    bool isFixed = image[1].isStatic() && image[2].isStatic() && image[3].isStatic();
    return isFixed && (image[1].size() == 1 || image[1].size() == 3) && image[0] == result[0] ? imageClassifier : "";
  }
  if (inputs.size() != 3)
    return "";
  auto isInteger = [](Type element) { return element.isInteger(32); };
  StringAttr tokens = getVectorSymbol(inputs[0], isInteger), wanted = getVectorSymbol(inputs[2], isInteger);
  StringAttr positions = getVectorSymbol(inputs[1], [](Type element) { return isa<PositionType>(element); });
  bool isModel = tokens && positions == tokens && wanted && wanted != tokens && result[0] == Dim::symbol(wanted);
  return isModel ? languageModel : "";
}

/// The tensor types of an entry's inputs or results.
static SmallVector<RankedTensorType> getTensors(ArrayRef<Type> types) {
  return llvm::map_to_vector(types, [](Type type) { return cast<RankedTensorType>(type); });
}

std::optional<Guesses> findGuesses(ModuleOp graph) {
  llvm::SmallDenseSet<int64_t> rowSizes;
  std::optional<Guesses> guesses;
  auto each = [&](StringRef role,
                  llvm::function_ref<void(ArrayRef<RankedTensorType>, ArrayRef<RankedTensorType>)> do_) {
    for (auto entry : graph.getOps<EntryOp>()) {
      SmallVector<RankedTensorType> inputs = getTensors(entry.getArgumentTypes());
      SmallVector<RankedTensorType> results = getTensors(entry.getResultTypes());
      if (getRole(inputs, results) == role)
        do_(inputs, results);
    }
  };
  each(languageModel, [&](ArrayRef<RankedTensorType>, ArrayRef<RankedTensorType> results) {
    if (results.size() == 2)
      rowSizes.insert(results[1].getDimSize(1));
  });
  each(guesser, [&](ArrayRef<RankedTensorType> inputs, ArrayRef<RankedTensorType> results) {
    if (!guesses && rowSizes.contains(inputs[0].getDimSize(1)))
      guesses = Guesses{results[0].getDimSize(1), results[0].getDimSize(2)};
  });
  return guesses;
}

/// Inputs come first among a program's arguments, then its results.
static json::Object describeEntry(ProgramOp program) {
  json::Array inputs, results, symbols;
  SmallVector<RankedTensorType> inputTypes, resultTypes;
  size_t inputCount = program.getArgNames() ? program.getArgNames()->size() : 0;
  for (auto [i, argument] : llvm::enumerate(program.getBody().getArguments()))
    (i < inputCount ? inputTypes : resultTypes).push_back(cast<BufferType>(argument.getType()).getTensor());
  StringRef role = getRole(inputTypes, resultTypes);
  for (auto [i, argument] : llvm::enumerate(program.getBody().getArguments())) {
    ArrayAttr names = i < inputCount ? program.getArgNamesAttr() : program.getResultNamesAttr();
    StringRef name = cast<StringAttr>(names[i < inputCount ? i : i - inputCount]).getValue();
    json::Object operand = describeOperand(name, cast<BufferType>(argument.getType()).getTensor());
    if (json::Array rows = describeRows(argument); !rows.empty())
      operand["rows"] = std::move(rows);
    SmallVector<Dim> limits = getIndexLimits(program, argument);
    // A language model's tokens and wanted rows are indices, whether it looks them up or not.
    if (role == languageModel && limits.empty() && i == 0)
      limits = {getDims(resultTypes[0])[1]};
    if (role == languageModel && limits.empty() && i == 2)
      limits = {getDims(inputTypes[0])[0]};
    if (i < inputCount && !limits.empty())
      operand["below"] = describeDims(limits);
    (i < inputCount ? inputs : results).push_back(std::move(operand));
  }
  for (StringAttr symbol : getSymbols(program))
    symbols.push_back(symbol.getValue());
  json::Object bounds;
  if (DictionaryAttr given = program.getBoundsAttr())
    for (NamedAttribute bound : given)
      bounds[bound.getName().getValue()] = cast<IntegerAttr>(bound.getValue()).getInt();
  json::Object entry{{"name", program.getSymName()},
                     {"inputs", std::move(inputs)},
                     {"results", std::move(results)},
                     {"symbols", std::move(symbols)},
                     {"bounds", std::move(bounds)}};
  if (!role.empty())
    entry["role"] = role;
  return entry;
}

/// How the rows of a cache lie: see Format.h.
static json::Object describeRowLayout(RankedTensorType type, std::optional<CacheLayout> layout) {
  int64_t bytes = type.getElementTypeBitWidth() / 8, row = type.getNumElements() / type.getDimSize(0);
  if (!layout)
    return json::Object{{"bytes", bytes},
                        {"lanes", json::Array{1, 0}},
                        {"groups", row},
                        {"elements", json::Array{row, 1}},
                        {"heads", json::Array{1, 0}}};
  SmallVector<BufferDim> dims = getStateDims(type, *layout);
  auto describe = [](const BufferDim &dim) { return json::Array{dim.extent.size(), dim.stride}; };
  return json::Object{{"bytes", bytes},
                      {"lanes", describe(dims[0])},
                      {"groups", dims[2].stride},
                      {"elements", describe(dims[1])},
                      {"heads", describe(dims[3])},
                      {"pages", dims[4].stride}};
}

static json::Array describeStates(ModuleOp module, ArrayRef<ParameterPlacement> parameters) {
  json::Array states;
  llvm::StringMap<CacheLayout> layouts = getStateLayouts(module);
  for (auto state : module.getOps<StateOp>()) {
    RankedTensorType type = state.getTensorType();
    json::Object description{{"name", state.getSymName()},
                             {"kind", stringifyStateKind(state.getKind())},
                             {"bytes", getStateBytes(state)},
                             {"dtype", dtypeName(type.getElementType())},
                             {"shape", describeShape(type)}};
    auto layout = layouts.find(state.getSymName());
    if (state.isCache())
      description["layout"] =
          describeRowLayout(type, layout == layouts.end() ? std::nullopt : std::optional(layout->second));
    auto start = llvm::find_if(parameters, [&](const auto &parameter) { return parameter.name == state.getStart(); });
    if (start != parameters.end())
      description["start"] = start->offset;
    states.push_back(std::move(description));
  }
  return states;
}

/// `model.qn:12:5`, or nothing where the op has no place in a file.
static std::string describeLocation(Location location) {
  SmallVector<Origin> origins = getOrigins(location);
  if (origins.empty())
    return "";
  FileLineColLoc place = getModelPlace(origins.front().stack);
  return (place.getFilename().getValue() + ":" + Twine(place.getLine()) + ":" + Twine(place.getColumn())).str();
}

/// `[[4096], [128, "s"]]`: a number, and the sizes that it is multiplied by.
static json::Array describeTerms(ArrayRef<WorkTerm> terms) {
  json::Array list;
  for (const WorkTerm &term : terms) {
    json::Array factors{term.count};
    for (StringRef size : term.sizes)
      factors.push_back(size);
    list.push_back(std::move(factors));
  }
  return list;
}

/// Every kernel of the module, because launches count all; the work of those that `program` launches,
/// whose sizes it has.
static json::Array describeKernels(ProgramOp program) {
  llvm::StringSet<> launched;
  for (auto launch : program.getBody().getOps<LaunchOp>())
    launched.insert(launch.getKernel());
  json::Array kernels;
  for (auto kernel : program->getParentOfType<ModuleOp>().getOps<KernelOp>()) {
    json::Object description{{"symbol", kernel.getSymName()},
                             {"form", stringifyKernelForm(kernel.getForm())},
                             {"arithmetic", getArithmetic(kernel)},
                             {"location", describeLocation(kernel.getLoc())}};
    if (launched.contains(kernel.getSymName())) {
      KernelWork work = getWork(kernel);
      description["bytes"] = describeTerms(work.bytes);
      description["operations"] = describeTerms(work.operations);
    }
    kernels.push_back(std::move(description));
  }
  return kernels;
}

/// The arrays of experts, with the numbers of those that do not lie in the order of their numbers.
static json::Array describeExperts(ModuleOp module) {
  json::Array list;
  for (const ExpertArray &array : findExpertArrays(module)) {
    json::Object description{{"name", array.name}, {"experts", array.experts}, {"numbers", array.numbers}};
    if (std::optional<ExpertUse> use = getExpertUse(module, array.name))
      if (SmallVector<int64_t> order = use->getOrder(); !llvm::is_sorted(order))
        description["order"] = json::Array(order);
    list.push_back(std::move(description));
  }
  return list;
}

/// The launches of `program` after which it is known which experts rows chose, and those that read these.
static json::Array describeRouting(ProgramOp program) {
  json::Array list;
  SmallVector<ExpertArray> arrays = findExpertArrays(program->getParentOfType<ModuleOp>());
  for (const RoutedLaunches &routed : getRoutedLaunches(program)) {
    auto array = llvm::find_if(arrays, [&](const ExpertArray &other) { return other.name == routed.array; });
    assert(array != arrays.end() && "rows choose among arrays of the model");
    list.push_back(json::Object{{"array", array - arrays.begin()},
                                {"rows", describeDims(routed.rows).front()},
                                {"slots", routed.slots},
                                {"launch", routed.launch},
                                {"order", routed.order},
                                {"begins", routed.begins},
                                {"readers", json::Array(routed.readers)}});
  }
  return list;
}

/// How many rows of a step at most have bits of their own; none where all have the same.
static std::optional<int64_t> findRowsApart(const TargetModule &target) {
  auto isOnTensorCores = [&](KernelOp kernel) { return findTensorContraction(kernel, *target.target).has_value(); };
  ModuleOp module = target.module;
  if (llvm::any_of(module.getOps<KernelOp>(), isOnTensorCores))
    return rowsPerTask;
  return std::nullopt;
}

static json::Object describeTarget(const TargetModule &target, const llvm::StringMap<int64_t> &entryIndices) {
  json::Array programs, features;
  for (ProgramOp program : orderPrograms(target.module)) {
    json::Object when;
    if (DictionaryAttr sizes = program.getWhenAttr())
      for (NamedAttribute size : sizes)
        when[size.getName().getValue()] = cast<IntegerAttr>(size.getValue()).getInt();
    programs.push_back(json::Object{{"entry", entryIndices.lookup(getGeneralForm(program).getSymName())},
                                    {"when", std::move(when)},
                                    {"arena_bytes", int64_t(program.getArenaBytes())},
                                    {"kernels", describeKernels(program)},
                                    {"routing", describeRouting(program)}});
  }
  for (StringRef feature : target.target->getFeatures())
    features.push_back(feature);
  json::Object object{{"name", target.target->name},
                      {"device", target.target->getDeviceName()},
                      {"same_bits", target.target->sameBits == TargetSpec::SameBits::Target ? "target" : "device"},
                      {"features", std::move(features)},
                      {"programs", std::move(programs)}};
  if (std::optional<int64_t> rows = findRowsApart(target))
    object["rows_apart"] = *rows;
  return object;
}

static json::Value describeText(const DescriptionInputs &inputs) {
  if (!inputs.text)
    return nullptr;
  auto optional = [](const auto &value) -> json::Value {
    if (value)
      return *value;
    return nullptr;
  };
  const TextAssets &text = *inputs.text;
  return json::Object{
      {"tokenizer", json::Object{{"offset", inputs.tokenizerOffset}, {"bytes", uint64_t(text.tokenizerJson.size())}}},
      {"chat_template", optional(text.chatTemplate)},
      {"bos", optional(text.bosToken)},
      {"eos", optional(text.eosToken)},
      {"bos_id", optional(text.bosId)},
      {"eos_ids", json::Array(text.stopIds)},
      {"add_bos", text.addBos},
      {"vocab_size", text.vocabSize}};
}

static json::Value describeImage(const ImageAssets *image) {
  if (!image)
    return nullptr;
  auto size = [](const std::optional<std::pair<int64_t, int64_t>> &size) -> json::Value {
    if (!size)
      return nullptr;
    return json::Object{{"height", size->first}, {"width", size->second}};
  };
  json::Value resize = size(image->resize);
  if (image->shortestEdge)
    resize = json::Object{{"shortest_edge", *image->shortestEdge}};
  return json::Object{{"resize", std::move(resize)},
                      {"filter", image->filter},
                      {"align_corners", image->alignCorners},
                      {"antialias", image->antialias},
                      {"crop", size(image->crop)},
                      {"rescale_factor", image->rescaleFactor},
                      {"mean", json::Array(image->mean)},
                      {"std", json::Array(image->std)},
                      {"labels", json::Array(image->labels)},
                      {"probabilities", image->givesProbabilities}};
}

static json::Value describeGuesses(const GuessTree *tree) {
  if (!tree)
    return nullptr;
  json::Array paths;
  for (const std::vector<int64_t> &path : tree->paths)
    paths.push_back(json::Array(path));
  json::Object description{{"tree", std::move(paths)}, {"source", tree->source}};
  if (tree->expectedTokens)
    description["expected_tokens"] = *tree->expectedTokens;
  return description;
}

SmallVector<ProgramOp> orderPrograms(ModuleOp module) {
  SmallVector<ProgramOp> programs(module.getOps<ProgramOp>());
  llvm::DenseMap<Operation *, int64_t> entryOrder;
  for (auto [i, program] : llvm::enumerate(programs))
    entryOrder.try_emplace(getGeneralForm(program), int64_t(i));
  auto fixedSizes = [](ProgramOp program) { return program.getWhenAttr() ? program.getWhenAttr().size() : 0; };
  llvm::stable_sort(programs, [&](ProgramOp a, ProgramOp b) {
    int64_t entryA = entryOrder.lookup(getGeneralForm(a)), entryB = entryOrder.lookup(getGeneralForm(b));
    return entryA != entryB ? entryA < entryB : fixedSizes(a) > fixedSizes(b);
  });
  return programs;
}

std::string describe(const DescriptionInputs &inputs) {
  ModuleOp first = inputs.targets.front().module;
  json::Array entries, parameters, targets;
  llvm::StringMap<int64_t> entryIndices;
  for (ProgramOp program : orderPrograms(first)) {
    if (program.getVariantOfAttr())
      continue;
    entryIndices[program.getSymName()] = entries.size();
    entries.push_back(describeEntry(program));
  }
  std::map<std::string, uint64_t> bytesByStorage;
  for (const ParameterPlacement &parameter : inputs.parameters) {
    std::string dtype = dtypeName(parameter.type.getElementType());
    bytesByStorage[parameter.packing == Packing::Panels13 ? "bf13" : dtype] += parameter.bytes;
    json::Object description{{"name", parameter.name},
                             {"dtype", dtype},
                             {"shape", describeShape(parameter.type)},
                             {"offset", parameter.offset},
                             {"bytes", parameter.bytes}};
    if (parameter.oftenBytes != parameter.bytes)
      description["often"] = parameter.oftenBytes;
    parameters.push_back(std::move(description));
  }
  for (const TargetModule &target : inputs.targets)
    targets.push_back(describeTarget(target, entryIndices));
  json::Object quantization;
  for (const auto &[storage, bytes] : bytesByStorage)
    quantization[storage] = bytes;
  json::Object description{
      {"version", QUERN_ABI_VERSION},
      {"model", inputs.model},
      {"entries", std::move(entries)},
      {"states", describeStates(first, inputs.parameters)},
      {"weights_bytes", inputs.weightsBytes},
      {"parameters", std::move(parameters)},
      {"experts", describeExperts(first)},
      {"targets", std::move(targets)},
      {"quantization", std::move(quantization)},
      {"exact", inputs.exact},
      {"text", describeText(inputs)},
      {"image", describeImage(inputs.image)},
      {"medusa", describeGuesses(inputs.guesses)},
      {"versions", json::Object{{"quern", QUERN_VERSION}, {"llvm", LLVM_VERSION_STRING}, {"halide", halideVersion()}}}};
  std::string text;
  llvm::raw_string_ostream(text) << json::Value(std::move(description));
  return text;
}

} // namespace quern::codegen
