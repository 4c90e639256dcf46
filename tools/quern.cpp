//===- quern.cpp - the compiler's command line
//-------------------------------------------------===//

#include "tools/quern/Commands.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/raw_ostream.h"
#include <CLI/CLI.hpp>
#include <csignal>
#include <string_view>
#include <unistd.h>

using namespace quern::tool;

namespace {

/// Ends the program after a crash; async-signal-safe.
void reportCrash(int) {
  constexpr std::string_view message = "quern: internal error: this is a bug in quern\n";
  (void)!write(STDERR_FILENO, message.data(), message.size());
  _exit(static_cast<int>(ExitStatus::Bug));
}

/// What bad usage is answered with.
std::string describeUsageError(const CLI::App *app, const CLI::Error &error) {
  std::string message = error.what();
  if (std::vector<std::string> rest = app->remaining(); app->get_subcommands().empty() && !rest.empty())
    message = "unknown command `" + rest.front() + "`";
  return "quern: error: " + message + "\nquern: note: `quern --help` lists the commands, `quern COMMAND --help` their options\n";
}

/// Parses the command line; the status of help and of bad usage where no command is to run.
std::optional<ExitStatus> parse(CLI::App &app, int count, char **arguments) {
  try {
    app.parse(count, arguments);
    return std::nullopt;
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? ExitStatus::Success : ExitStatus::Usage;
  }
}

} // namespace

int main(int count, char **arguments) {
  for (int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
    std::signal(signal, reportCrash);
  // A file that grows beyond its limit is an error of the write, as a full disk is.
  std::signal(SIGXFSZ, SIG_IGN);
  CLI::App app("Compiles neural networks to native programs", "quern");
  app.require_subcommand(1);
  app.failure_message(describeUsageError);
  Command command;
  addBenchCommand(app, command);
  addCheckCommand(app, command);
  addCompileCommand(app, command);
  addExplainCommand(app, command);
  addFmtCommand(app, command);
  if (auto status = parse(app, count, arguments))
    return static_cast<int>(*status);
  return static_cast<int>(command());
}
