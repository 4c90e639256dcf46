//===- Commands.h - the subcommands of `quern`
//-------------------------------------------------===//

#ifndef QUERN_TOOLS_DRIVER_COMMANDS_H
#define QUERN_TOOLS_DRIVER_COMMANDS_H

#include <functional>

namespace CLI {
class App;
} // namespace CLI

namespace quern::tool {

/// What a command ends with.
enum class ExitStatus {
  Success = 0,
  /// The input is refused: a model file with errors, a file that cannot be read or written.
  Refused = 1,
  /// The command line makes no sense.
  Usage = 2,
  /// Our own fault.
  Bug = 3,
};

/// Set by the subcommand that the command line names.
using Command = std::function<ExitStatus()>;

/// `quern bench --limits`: what this machine can do at most.
void addBenchCommand(CLI::App &app, Command &command);
/// `quern check FILES…`: reports every error of model files.
void addCheckCommand(CLI::App &app, Command &command);
/// `quern compile MODEL --weights …`: turns a model file and a checkpoint into native code.
void addCompileCommand(CLI::App &app, Command &command);
/// `quern explain MODEL --weights …`: says which kernels the lines of a model became, and why.
void addExplainCommand(CLI::App &app, Command &command);
/// `quern fmt [--check] FILES…`: gives model files the one layout.
void addFmtCommand(CLI::App &app, Command &command);
/// `quern tune MODEL --weights …`: finds faster schedules by measuring them. `merge` and `show` are below it.
void addTuneCommand(CLI::App &app, Command &command);
/// `quern tune merge FILES… -o FILE`: joins files of measured schedules.
void addTuneMergeCommand(CLI::App &tune, Command &command);
/// `quern tune show FILE`: prints measured schedules.
void addTuneShowCommand(CLI::App &tune, Command &command);

} // namespace quern::tool

#endif // QUERN_TOOLS_DRIVER_COMMANDS_H
