//===- RunCommand.cpp - runs an entry on raw tensors ---------------------------------------------===//

#include "runtime/Npy.h"
#include "runtime/OutputFile.h"
#include "runtime/cli/Command.h"
#include "runtime/cli/Common.h"
#include "runtime/cli/Profile.h"
#include "runtime/cli/RoutingFiles.h"

namespace quern::runtime {

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

namespace {

class RunCommand : public Command {
public:
  std::vector<Option> getOptions() override {
    return {
        Option("--run", entryName, "ENTRY", "run an entry on tensors").chooses(),
        Option("--in", inputs, "NAME=X.npy", "an input").readsAssigned(),
        Option("--out", outputs, "NAME=Y.npy", "where to write a result"),
    };
  }
  std::vector<SharedOptions *> getShared() override { return {&profile, &routing}; }
  Result<void> run(Session &session) override;

private:
  std::optional<std::string> entryName;
  std::vector<std::string> inputs, outputs;
  ProfileOptions profile;
  RoutingOptions routing;
};

} // namespace

static Result<std::vector<Tensor>> readInputs(const Entry &entry, std::span<const std::string> given) {
  std::vector<Tensor> inputs(entry.inputs.size());
  std::vector<bool> isGiven(inputs.size());
  for (const std::string &text : given) {
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

Result<void> RunCommand::run(Session &session) {
  Result<uint32_t> index = findEntry(session, *entryName);
  if (!index)
    return index.error();
  const Entry &entry = session.getDescription().entries[*index];
  // All names before any work.
  std::vector<std::pair<size_t, std::string>> written;
  for (const std::string &text : outputs) {
    auto place = splitAssignment(text, "--out", entry.results);
    if (!place)
      return place.error();
    written.push_back(std::move(*place));
  }
  Result<std::vector<Tensor>> read = readInputs(entry, inputs);
  if (!read)
    return read.error();
  std::vector<TensorView> views;
  for (const Tensor &input : *read)
    views.push_back(input.view());
  for (const auto &[place, path] : written)
    if (Result<void> valid = checkOutput(path); !valid)
      return valid;
  Result<std::vector<Tensor>> results = session.run(*index, views);
  if (!results)
    return results.error();
  for (const auto &[place, path] : written)
    if (Result<void> done = writeNpy(path, (*results)[place].view()); !done)
      return done;
  return {};
}

std::unique_ptr<Command> makeRunCommand() { return std::make_unique<RunCommand>(); }

} // namespace quern::runtime
