//===- quern-eval.cpp - runs IR in the reference evaluator, for tests -------------------------===//
//
// quern-eval FILE [--weights [MOUNT=]PATH ...] [--entry NAME] [--in ARG=1,2,3] [--size s=3] [--steps N] [--digits N]
// quern-eval FILE [--weights …] --prompt-tokens 1,2,3 -n N
//
// Evaluates an entry or program of the module and prints its results, one row per line. Without --weights, parameters
// have the random values of dialect/RandomValues.h, as have inputs that are not given; a named dimension that is not
// given has the size 2. The second form runs a language model, an entry (i32[s], position[s], i32[r]) ->
// f32[r, vocabulary], and prints the likeliest next tokens as one JSON array.
//
//===----------------------------------------------------------------------------------------------===//

#include "dialect/RandomValues.h"
#include "dialect/Reference.h"
#include "dialect/Register.h"
#include "dialect/Shapes.h"
#include "dialect/reference/Convert.h"
#include "frontend/checkpoint/Checkpoint.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace quern;

/// What stands on the command line: literal inputs by argument name, sizes of named dimensions, how to run and print.
struct Request {
  llvm::StringMap<std::string> inputs;
  SymbolSizes sizes;
  int64_t steps = 1;
  int digits = 5;
};

/// Splits `name=value` arguments.
static LogicalResult split(ArrayRef<std::string> pairs, function_ref<LogicalResult(StringRef, StringRef)> take) {
  for (StringRef pair : pairs) {
    auto [name, value] = pair.split('=');
    if (name.empty() || value.empty() || failed(take(name, value))) {
      llvm::errs() << "error: found `" << pair << "`, expected `name=value`\n";
      return failure();
    }
  }
  return success();
}

/// `1,2,3` as a tensor of `type`, which has as many numbers. Of positions the first fields, as many of each; the others
/// are 0.
static FailureOr<Tensor> parseLiteral(StringRef text, RankedTensorType type) {
  SmallVector<StringRef> words;
  text.split(words, ',');
  FailureOr<Tensor> result = Tensor::zeros(type);
  bool positions = isa<PositionType>(type.getElementType());
  size_t count = type.getNumElements(), fields = positions && count ? words.size() / count : 1;
  if (failed(result) || words.size() != count * fields || fields > size_t(positionFields))
    return failure();
  for (auto [i, word] : llvm::enumerate(words)) {
    double value;
    if (word.trim().getAsDouble(value))
      return failure();
    if (positions)
      result->getMutableAs<int32_t>()[i / fields * positionFields + i % fields] = truncateToInt(value);
    else if (type.getElementType().isInteger())
      storeInteger(*result, i, truncateToInt(value));
    else
      storeFloat(*result, i, value);
  }
  return result;
}

/// The inputs of an entry with these formal types and names.
static FailureOr<SmallVector<Tensor>> makeInputs(Operation *op, TypeRange types, ArrayAttr names, Request &request) {
  SmallVector<Tensor> inputs;
  for (auto [i, type] : llvm::enumerate(types)) {
    std::string name = names ? cast<StringAttr>(names[i]).str() : std::to_string(i);
    auto formal = dyn_cast<RankedTensorType>(type);
    if (!formal)
      return op->emitError("found an argument of type ") << type << ", expected a tensor";
    for (Dim dim : getDims(formal))
      if (!dim.isStatic())
        request.sizes.try_emplace(dim.name(), 2);
    RankedTensorType actual = *resolveType(formal, request.sizes);
    auto literal = request.inputs.find(name);
    FailureOr<Tensor> value =
        literal == request.inputs.end() ? makeRandomTensor(name, actual) : parseLiteral(literal->second, actual);
    if (failed(value))
      return op->emitError("no value for input `") << name << "` of type " << actual;
    inputs.push_back(*value);
  }
  return inputs;
}

static void print(StringRef name, const Tensor &tensor, int digits) {
  llvm::outs() << name << ": " << tensor.getType() << "\n";
  std::vector<float> row(tensor.getRowLength());
  for (int64_t i = 0, rows = row.empty() ? 0 : tensor.getNumRows(); i < rows; ++i) {
    tensor.readRow(i, row);
    llvm::interleave(row, llvm::outs(), [&](float value) { llvm::outs() << llvm::format("%.*g", digits, value); }, " ");
    llvm::outs() << "\n";
  }
}

/// Evaluates `op`, an entry or a program, on the request's inputs and prints the last results.
template <typename OpT>
static LogicalResult evaluate(OpT op, TypeRange inputTypes, ParameterSource &source, Request &request,
                              FailureOr<SmallVector<Tensor>> (Evaluator::*run)(OpT, ArrayRef<Tensor>)) {
  Evaluator evaluator(op->template getParentOfType<ModuleOp>(), source);
  FailureOr<SmallVector<Tensor>> inputs = makeInputs(op, inputTypes, op.getArgNamesAttr(), request), results;
  if (failed(inputs))
    return failure();
  for (int64_t step = 0; step < request.steps; ++step)
    if (results = (evaluator.*run)(op, *inputs); failed(results))
      return failure();
  for (auto [i, result] : llvm::enumerate(*results))
    print(op.getResultNames() ? cast<StringAttr>(op.getResultNamesAttr()[i]).getValue() : std::to_string(i), result,
          request.digits);
  return success();
}

/// A tensor of one axis with these elements.
template <typename T> static Tensor makeVector(Type element, ArrayRef<T> values) {
  return *Tensor::fromBytes(RankedTensorType::get(int64_t(values.size()), element),
                            ArrayRef(reinterpret_cast<const uint8_t *>(values.data()), values.size() * sizeof(T)));
}

/// Feeds `prompt` at once, then each likeliest token (of equal ones the lowest) until `count` are found; prints them.
template <typename OpT>
static LogicalResult generate(OpT op, ParameterSource &source, ArrayRef<int32_t> prompt, int64_t count,
                              FailureOr<SmallVector<Tensor>> (Evaluator::*run)(OpT, ArrayRef<Tensor>)) {
  Evaluator evaluator(op->template getParentOfType<ModuleOp>(), source);
  Type integer = IntegerType::get(op.getContext(), 32), position = PositionType::get(op.getContext());
  SmallVector<int32_t> tokens(prompt), found;
  for (int32_t row = 0; int64_t(found.size()) < count;) {
    SmallVector<Position> at;
    for (size_t i = 0; i < tokens.size(); ++i, ++row)
      at.push_back({.position = row, .row = row});
    Tensor inputs[] = {makeVector<int32_t>(integer, tokens), makeVector<Position>(position, at),
                       makeVector<int32_t>(integer, int32_t(tokens.size()) - 1)};
    FailureOr<SmallVector<Tensor>> results = (evaluator.*run)(op, inputs);
    if (failed(results))
      return failure();
    std::vector<float> logits = results->front().readFloats();
    tokens = {int32_t(std::max_element(logits.begin(), logits.end()) - logits.begin())};
    found.push_back(tokens.front());
  }
  llvm::outs() << "[";
  llvm::interleaveComma(found, llvm::outs());
  llvm::outs() << "]\n";
  return success();
}

/// The entry or program called `name`, or the module's first.
static Operation *findEntry(ModuleOp module, StringRef name) {
  for (Operation &op : module.getOps())
    if (isa<EntryOp, ProgramOp>(op) && (name.empty() || cast<SymbolOpInterface>(op).getName() == name))
      return &op;
  return nullptr;
}

/// The checkpoint at `paths`, each `[MOUNT=]PATH`; random values where there is none. Null, with a message, where it
/// cannot be opened.
static std::unique_ptr<ParameterSource> openParameters(ModuleOp module, ArrayRef<std::string> paths) {
  if (paths.empty())
    return std::make_unique<RandomParameters>(module);
  SmallVector<frontend::Mount> mounts;
  for (StringRef path : paths)
    mounts.push_back(frontend::parseMount(path));
  llvm::Expected<frontend::Checkpoint> checkpoint = frontend::Checkpoint::open(mounts);
  if (checkpoint)
    return std::make_unique<frontend::Checkpoint>(std::move(*checkpoint));
  llvm::errs() << "error: " << toString(checkpoint.takeError()) << "\n";
  return nullptr;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  namespace cl = llvm::cl;
  cl::opt<std::string> file(cl::Positional, cl::Required, cl::desc("FILE"));
  cl::opt<std::string> name("entry", cl::desc("the entry or program to run; the module's first where absent"));
  cl::list<std::string> in("in", cl::desc("ARG=NUMBERS, a literal input"));
  cl::list<std::string> size("size", cl::desc("NAME=N, the size of a named dimension"));
  cl::list<std::string> weights("weights", cl::desc("[MOUNT=]PATH, a checkpoint"));
  cl::opt<int64_t> steps("steps", cl::init(1), cl::desc("how often to run; states live on"));
  cl::opt<int> digits("digits", cl::init(5), cl::desc("significant digits to print"));
  cl::list<int32_t> prompt("prompt-tokens", cl::CommaSeparated,
                           cl::desc("feed these tokens and print the likeliest next"));
  cl::opt<int64_t> count("n", cl::init(1), cl::desc("how many"));
  cl::ParseCommandLineOptions(argc, argv, "Quern's reference evaluator\n");

  DialectRegistry registry;
  registerDialects(registry);
  MLIRContext context(registry);
  llvm::SourceMgr sources;
  SourceMgrDiagnosticHandler diagnostics(sources, &context);
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(file, sources, &context);
  if (!module)
    return 1;
  Request request;
  auto takeInput = [&](StringRef arg, StringRef value) {
    request.inputs[arg] = value.str();
    return success();
  };
  auto takeSize = [&](StringRef dim, StringRef value) {
    int64_t extent;
    if (value.getAsInteger(10, extent) || extent < 0)
      return failure();
    request.sizes[StringAttr::get(&context, dim)] = extent;
    return success();
  };
  if (failed(split(in, takeInput)) || failed(split(size, takeSize)))
    return 2;
  Operation *op = findEntry(*module, name);
  if (!op) {
    llvm::errs() << "error: the module has no entry or program `" << name << "`\n";
    return 1;
  }
  std::unique_ptr<ParameterSource> source = openParameters(*module, weights);
  if (!source)
    return 1;
  request.steps = steps;
  request.digits = digits;
  SmallVector<int32_t> tokens(prompt.begin(), prompt.end());
  auto run = [&](auto op, TypeRange inputTypes, auto evaluateOp) {
    return tokens.empty() ? evaluate(op, inputTypes, *source, request, evaluateOp)
                          : generate(op, *source, tokens, count, evaluateOp);
  };
  if (auto entry = dyn_cast<EntryOp>(op))
    return failed(run(entry, entry.getArgumentTypes(), &Evaluator::evaluateEntry));
  auto program = cast<ProgramOp>(op);
  return failed(run(program, program.getInputTypes(), &Evaluator::evaluateProgram));
}
