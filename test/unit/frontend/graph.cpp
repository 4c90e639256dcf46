/// The graph that the frontend makes of a model.
///
/// `graph print MODEL [WEIGHTS]` prints it, of a model without configuration or of one with a
/// checkpoint; `graph places` with the places of its ops. `graph logits MODEL WEIGHTS EXPECTED`
/// evaluates it by naive loops on the prompts of EXPECTED, at once and token by token, and compares
/// logits within 1e-4.

#include "../Check.h"
#include "dialect/Reference.h"
#include "dialect/Register.h"
#include "frontend/Diagnostics.h"
#include "frontend/Frontend.h"
#include "frontend/checkpoint/Checkpoint.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

#include <numeric>

using namespace llvm;
using namespace quern;

namespace {

/// Opens a checkpoint, or reports why it cannot.
std::optional<frontend::Checkpoint> open(StringRef path) {
  auto checkpoint = frontend::Checkpoint::open({frontend::Mount{"", path.str()}});
  if (checkpoint)
    return std::move(*checkpoint);
  errs() << toString(checkpoint.takeError()) << '\n';
  return std::nullopt;
}

/// The graph of the model in the file `path`; null after errors, which it prints.
mlir::OwningOpRef<mlir::ModuleOp> parse(StringRef path, const frontend::Checkpoint *checkpoint, bool exact,
                                        mlir::MLIRContext *context) {
  SourceMgr sources;
  auto file = MemoryBuffer::getFile(path);
  if (!file) {
    errs() << "cannot read " << path << '\n';
    return {};
  }
  unsigned main = sources.AddNewSourceBuffer(std::move(*file), SMLoc());
  frontend::DiagnosticEngine diagnostics(sources);
  frontend::ModelInputs inputs{checkpoint ? &checkpoint->config() : nullptr, checkpoint};
  frontend::ModelConfig empty;
  if (!checkpoint)
    inputs.config = &empty;
  frontend::FrontendOptions options;
  options.importPaths = {QUERN_LIBRARY, QUERN_LIBRARY "/models"};
  options.exact = exact;
  auto module = frontend::parseModel(sources, main, inputs, options, context, diagnostics);
  diagnostics.print(errs());
  return failed(module) ? mlir::OwningOpRef<mlir::ModuleOp>() : std::move(*module);
}

int print(StringRef model, StringRef weights, bool withPlaces) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  auto checkpoint = weights.empty() ? std::nullopt : open(weights);
  if (!weights.empty() && !checkpoint)
    return 1;
  auto module = parse(model, checkpoint ? &*checkpoint : nullptr, /*exact=*/false, &context);
  if (!module)
    return 1;
  mlir::OpPrintingFlags flags;
  flags.enableDebugInfo(withPlaces);
  module->print(outs(), flags);
  return 0;
}

/// All numbers of the tensor `name`.
template <typename T> std::vector<T> read(const frontend::Checkpoint &file, const frontend::TensorInfo &tensor) {
  ArrayRef<uint8_t> bytes = file.rawData(tensor);
  std::vector<T> values(bytes.size() / sizeof(T));
  memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

/// One step: `tokens` at the rows from `begin` on; the logits of all of them.
FailureOr<Tensor> step(Evaluator &evaluator, EntryOp entry, ArrayRef<int32_t> tokens, int32_t begin) {
  SmallVector<Tensor> inputs;
  for (mlir::Type type : entry.getArgumentTypes())
    inputs.push_back(*Tensor::zeros(
        mlir::RankedTensorType::get({int64_t(tokens.size())}, cast<mlir::RankedTensorType>(type).getElementType())));
  llvm::copy(tokens, inputs[0].getMutableAs<int32_t>().begin());
  for (auto [j, at] : enumerate(inputs[1].getMutableAs<Position>()))
    at.position = at.row = begin + int32_t(j);
  std::iota(inputs[2].getMutableAs<int32_t>().begin(), inputs[2].getMutableAs<int32_t>().end(), 0);
  auto results = evaluator.evaluateEntry(entry, inputs);
  if (failed(results))
    return failure();
  return (*results)[0];
}

/// Holds rows of logits against `expected` and returns the largest difference.
double difference(const Tensor &logits, ArrayRef<float> expected) {
  std::vector<float> found = logits.readFloats();
  double largest = found.size() == expected.size() ? 0.0 : INFINITY;
  for (auto [a, b] : zip(found, expected))
    largest = std::max(largest, std::isnan(a) ? INFINITY : std::abs(double(a) - b));
  return largest;
}

void comparePrompt(quern::test::Checks &checks, mlir::ModuleOp module, frontend::Checkpoint &weights,
                   ArrayRef<int32_t> tokens, ArrayRef<float> expected) {
  constexpr double bound = 1e-4;
  EntryOp entry = *module.getOps<EntryOp>().begin();
  Evaluator whole(module, weights);
  auto logits = step(whole, entry, tokens, 0);
  if (checks.that(succeeded(logits)))
    checks.that(difference(*logits, expected) <= bound);
  // Through the cache: a token sees what the steps before it wrote.
  Evaluator single(module, weights);
  size_t vocabulary = expected.size() / tokens.size();
  for (size_t i = 0; i < tokens.size(); ++i) {
    auto row = step(single, entry, tokens.slice(i, 1), i);
    if (!checks.that(succeeded(row)) ||
        !checks.that(difference(*row, expected.slice(i * vocabulary, vocabulary)) <= bound))
      return;
  }
}

int compare(StringRef model, StringRef weights, StringRef expectedPath) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  quern::test::Checks checks;
  auto checkpoint = open(weights), expected = open(expectedPath);
  if (!checkpoint || !expected)
    return 1;
  auto module = parse(model, &*checkpoint, /*exact=*/true, &context);
  if (!module)
    return 1;
  for (int i = 0;; ++i) {
    std::string prompt = "prompt." + std::to_string(i);
    auto *ids = expected->lookup(prompt + ".input_ids");
    auto *logits = expected->lookup(prompt + ".logits");
    if (!ids || !logits)
      break;
    comparePrompt(checks, *module, *checkpoint, read<int32_t>(*expected, *ids), read<float>(*expected, *logits));
  }
  return checks.status();
}

} // namespace

int main(int count, char **words) {
  std::vector<StringRef> arguments(words + 1, words + count);
  if (arguments.size() >= 2 && (arguments[0] == "print" || arguments[0] == "places"))
    return print(arguments[1], arguments.size() > 2 ? arguments[2] : "", arguments[0] == "places");
  if (arguments.size() == 4 && arguments[0] == "logits")
    return compare(arguments[1], arguments[2], arguments[3]);
  errs() << "usage: graph print|places MODEL [WEIGHTS] | graph logits MODEL WEIGHTS EXPECTED\n";
  return 2;
}
