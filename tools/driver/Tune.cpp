//===- Tune.cpp - `quern tune` ----------------------------------------------------------------===//

#include "tools/driver/Commands.h"

#include <CLI/CLI.hpp>

namespace quern::tool {

void addTuneCommand(CLI::App &app, Command &command) {
  CLI::App *sub = app.add_subcommand("tune", "Work with files of measured schedules");
  sub->require_subcommand(1);
  addTuneMergeCommand(*sub, command);
  addTuneShowCommand(*sub, command);
}

} // namespace quern::tool
