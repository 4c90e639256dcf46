//===- LogitsCommand.cpp - writes the logits of tokens -------------------------------------------===//

#include "runtime/Npy.h"
#include "runtime/OutputFile.h"
#include "runtime/cli/Command.h"
#include "runtime/cli/Profile.h"
#include "runtime/cli/RoutingFiles.h"
#include "runtime/cli/TextOptions.h"
#include "runtime/llm/Engine.h"

#include <algorithm>

namespace quern::runtime {

static Error refuse(const std::string &path, const std::string &text) { return Error{"`" + path + "`: " + text}; }

/// The token ids of a file: one axis, or a first axis of 1 before it.
static Result<Tensor> readTokens(const std::string &path) {
  Result<Tensor> tokens = readNpy(path);
  if (!tokens)
    return tokens;
  std::span<const int64_t> shape = tokens->getShape();
  bool isSequence = shape.size() == 1 || (shape.size() == 2 && shape[0] == 1);
  if (tokens->getDType() != DType::I32 || !isSequence)
    return refuse(path, std::string("the array is ") + toString(tokens->getDType()) + formatShape(shape) +
                            ", expected i32[n], one sequence of token ids");
  if (tokens->getElementCount() == 0)
    return refuse(path, "the array is empty, expected one token at least");
  return tokens;
}

namespace {

class LogitsCommand : public Command {
public:
  std::vector<Option> getOptions() override {
    return {
        Option("--logits", path, "IDS.npy", "write the logits after each of these tokens").chooses().reads(),
        Option("--output, -o", output, "FILE", "where to"),
    };
  }
  std::vector<SharedOptions *> getShared() override { return {&context, &steps, &profile, &routing}; }
  Result<void> check() const override {
    return output ? Result<void>() : misuse("`--logits` needs `-o`, the file to write");
  }
  Result<void> run(Session &session) override;

private:
  std::optional<std::string> path, output;
  ContextOptions context;
  BatchOptions steps;
  ProfileOptions profile;
  RoutingOptions routing;
};

} // namespace

Result<void> LogitsCommand::run(Session &session) {
  Result<Engine> engine = Engine::create(session, {steps.batch});
  if (!engine)
    return engine.error();
  Result<Tensor> tokens = readTokens(*path);
  if (!tokens)
    return tokens.error();
  Result<int64_t> contextSize = context.getSize(engine->getContextSize());
  if (!contextSize)
    return contextSize.error();
  if (tokens->getElementCount() > *contextSize)
    return refuse(*path, "has " + std::to_string(tokens->getElementCount()) + " tokens, the context holds " +
                             std::to_string(*contextSize));
  std::span<const int32_t> rest = std::as_const(*tokens).get<int32_t>();
  for (int32_t token : rest)
    if (token < 0 || token >= engine->getVocabSize())
      return refuse(*path, "has the token " + std::to_string(token) + ", the model's vocabulary is 0 to " +
                               std::to_string(engine->getVocabSize() - 1));
  Result<OutputFile> file = OutputFile::create(*output);
  if (!file)
    return file.error();
  const int64_t shape[] = {tokens->getElementCount(), engine->getVocabSize()};
  std::string header = formatNpyHeader(DType::F32, shape);
  if (Result<void> done = file->write(header.data(), header.size()); !done)
    return done;
  // Step by step: the logits of a long sequence are larger than the model.
  while (!rest.empty()) {
    auto part = std::min<int64_t>(std::ssize(rest), engine->getMaxWanted());
    const StepPiece piece[] = {{0, rest.first(static_cast<size_t>(part)), part}};
    if (Result<void> done = engine->run(piece); !done)
      return done;
    for (int64_t row = 0; row < part; ++row)
      if (Result<void> done = file->write(engine->getLogits(row).data(), engine->getLogits(row).size_bytes()); !done)
        return done;
    rest = rest.subspan(static_cast<size_t>(part));
  }
  return file->finish();
}

std::unique_ptr<Command> makeLogitsCommand() { return std::make_unique<LogitsCommand>(); }

} // namespace quern::runtime
