//===- TensorCommands.cpp - logits of tokens, and entries on raw tensors ------------------------===//

#include "runtime/Npy.h"
#include "runtime/cli/Commands.h"
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

Result<void> runLogits(Session &session, const CommandLine &line) {
  Result<Engine> engine = Engine::create(session, {line.batch});
  if (!engine)
    return engine.error();
  Result<Tensor> tokens = readTokens(*line.logits);
  if (!tokens)
    return tokens.error();
  Result<int64_t> contextSize = getContextSize(line, engine->getContextSize());
  if (!contextSize)
    return contextSize.error();
  if (tokens->getElementCount() > *contextSize)
    return refuse(*line.logits, "has " + std::to_string(tokens->getElementCount()) + " tokens, the context holds " +
                                    std::to_string(*contextSize));
  std::span<const int32_t> rest = std::as_const(*tokens).get<int32_t>();
  for (int32_t token : rest)
    if (token < 0 || token >= engine->getVocabSize())
      return refuse(*line.logits, "has the token " + std::to_string(token) + ", the model's vocabulary is 0 to " +
                                      std::to_string(engine->getVocabSize() - 1));
  Result<OutputFile> file = OutputFile::create(*line.output);
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

/// `NAME=FILE`, whose name is one of `operands`: its index and the file.
static Result<std::pair<size_t, std::string>> splitAssignment(const std::string &text, const char *flag,
                                                              std::span<const Operand> operands) {
  size_t equals = text.find('=');
  if (equals == std::string::npos || equals + 1 == text.size())
    return Error{std::string("`") + flag + "` is " + inBackticks(text) + ", expected NAME=FILE", ErrorKind::Usage};
  std::string names;
  for (size_t i = 0; i < operands.size(); ++i) {
    if (text.compare(0, equals, operands[i].name) == 0)
      return std::pair(i, text.substr(equals + 1));
    names += (i ? ", `" : "`") + operands[i].name + "`";
  }
  return Error{std::string("`") + flag + "` names " + inBackticks(text.substr(0, equals)) + ", expected one of " +
               (names.empty() ? "none" : names)};
}

static Result<std::vector<Tensor>> readInputs(const Entry &entry, const CommandLine &line) {
  std::vector<Tensor> inputs(entry.inputs.size());
  std::vector<bool> isGiven(inputs.size());
  for (const std::string &text : line.inputs) {
    auto place = splitAssignment(text, "--in", entry.inputs);
    if (!place)
      return place.error();
    if (isGiven[place->first])
      return Error{"`--in` gives the input `" + entry.inputs[place->first].name + "` twice"};
    Result<Tensor> input = readNpy(place->second);
    if (!input)
      return input.error();
    isGiven[place->first] = true;
    inputs[place->first] = std::move(*input);
  }
  for (size_t i = 0; i < inputs.size(); ++i)
    if (!isGiven[i])
      return Error{"the input `" + entry.inputs[i].name + "` of `" + entry.name + "` is missing; give it with `--in " +
                   entry.inputs[i].name + "=FILE.npy`"};
  return inputs;
}

Result<void> runEntry(Session &session, const CommandLine &line) {
  Result<uint32_t> index = findEntry(session, *line.run);
  if (!index)
    return index.error();
  const Entry &entry = session.getDescription().entries[*index];
  // All names before any work.
  std::vector<std::pair<size_t, std::string>> outputs;
  for (const std::string &text : line.outputs) {
    auto place = splitAssignment(text, "--out", entry.results);
    if (!place)
      return place.error();
    outputs.push_back(std::move(*place));
  }
  Result<std::vector<Tensor>> inputs = readInputs(entry, line);
  if (!inputs)
    return inputs.error();
  std::vector<TensorView> views;
  for (const Tensor &input : *inputs)
    views.push_back(input.view());
  for (const auto &[place, path] : outputs)
    if (Result<void> valid = checkOutput(path); !valid)
      return valid;
  Result<std::vector<Tensor>> results = session.run(*index, views);
  if (!results)
    return results.error();
  for (const auto &[place, path] : outputs)
    if (Result<void> done = writeNpy(path, (*results)[place].view()); !done)
      return done;
  return {};
}

} // namespace quern::runtime
