//===- TuneMerge.cpp - `quern tune merge` -----------------------------------------------------===//

#include "passes/tile/ScheduleFit.h"
#include "tools/driver/Commands.h"
#include "tools/driver/Compiler.h"

#include <CLI/CLI.hpp>

namespace quern::tool {

/// Joins the databases `inputs` to what stands at `output` afterwards. They are read while nobody else changes the
/// output, which may be one of them.
static ExitStatus merge(const std::vector<std::string> &inputs, const std::string &output) {
  llvm::Error error = ScheduleDatabase::update(output, [&](ScheduleDatabase &database) -> llvm::Error {
    database = {};
    for (const std::string &path : inputs) {
      llvm::Expected<ScheduleDatabase> input = ScheduleDatabase::read(path);
      if (!input)
        return input.takeError();
      database.merge(std::move(*input));
      if (llvm::Error error = database.checkSize())
        return llvm::createStringError("`" + path + "`, with the files before it: " + llvm::toString(std::move(error)));
    }
    fitModels(database);
    return llvm::Error::success();
  });
  if (!error)
    return ExitStatus::Success;
  (void)refuse(std::move(error));
  return ExitStatus::Refused;
}

void addTuneMergeCommand(CLI::App &tune, Command &command) {
  CLI::App *sub = tune.add_subcommand("merge", "Join files of measured schedules; of each kernel the best one stays");
  struct Options {
    std::vector<std::string> inputs;
    std::string output;
  };
  auto options = std::make_shared<Options>();
  sub->add_option("FILES", options->inputs, "Two files or more")->required()->expected(2, -1);
  sub->add_option("-o", options->output, "The file to write, which may be one of them")
      ->required()
      ->check([](const std::string &path) { return path.empty() ? "found an empty name, expected a file" : ""; });
  sub->callback([&command, options] { command = [options] { return merge(options->inputs, options->output); }; });
}

} // namespace quern::tool
