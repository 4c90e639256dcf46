//===- Tune.cpp - `quern tune` ----------------------------------------------------------------===//

#include "tools/driver/Commands.h"
#include "tools/driver/TuneModel.h"

#include <CLI/CLI.hpp>

namespace quern::tool {

void addTuneCommand(CLI::App &app, Command &command) {
  CLI::App *sub = app.add_subcommand("tune", "Find faster schedules by measuring them on this machine");
  addTuneMergeCommand(*sub, command);
  addTuneShowCommand(*sub, command);
  auto options = std::make_shared<TuneOptions>();
  addTuneOptions(*sub, *options);
  // Where there is no other command below.
  llvm::SmallVector<CLI::Option *> needed = {sub->get_option("MODEL"), sub->get_option("--weights")};
  for (CLI::Option *option : needed)
    option->required(false);
  sub->callback([sub, needed, options, &command] {
    if (!sub->get_subcommands().empty()) {
      if (needed.front()->count())
        throw CLI::ExcludesError("MODEL", sub->get_subcommands().front()->get_name());
      return;
    }
    for (CLI::Option *option : needed)
      if (option->count() == 0)
        throw CLI::RequiredError(option->get_name());
    command = [options] { return tuneModel(*options); };
  });
}

} // namespace quern::tool
