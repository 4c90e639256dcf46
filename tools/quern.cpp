//===- quern.cpp - the compiler's command line ------------------------------------------------===//

#include "codegen/Targets.h"
#include "quern/Format.h"
#include "quern/Version.h"
#include "runtime/MappedFault.h"
#include "runtime/Process.h"
#include "runtime/TemporaryName.h"
#include "tools/driver/Commands.h"
#include "tools/driver/Limits.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/raw_ostream.h"
#include <CLI/CLI.hpp>
#include <csignal>
#include <sstream>
#include <string_view>
#include <unistd.h>

using namespace quern::tool;

namespace {

/// Ends the program after a crash; async-signal-safe.
void reportCrash(int) {
  quern::runtime::removeTemporaryNames();
  constexpr std::string_view message = "quern: internal error: this is a bug in quern\n";
  (void)!write(STDERR_FILENO, message.data(), message.size());
  _exit(static_cast<int>(ExitStatus::Bug));
}

/// What bad usage is answered with.
std::string describeUsageError(const CLI::App *app, const CLI::Error &error) {
  std::string message = error.what();
  if (std::vector<std::string> rest = app->remaining(); app->get_subcommands().empty() && !rest.empty())
    message = "unknown command `" + rest.front() + "`";
  return "quern: error: " + message +
         "\nquern: note: `quern --help` lists the commands, `quern COMMAND --help` their options\n";
}

/// What `quern --version` prints.
std::string describeVersion() {
  auto names = llvm::map_range(quern::codegen::getTargets(), [](const auto &target) { return target.name; });
  llvm::Expected<quern::codegen::TargetSpec> host = quern::codegen::findTarget("host");
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "quern " << quern::runtime::getVersion() << "\ncommit " << quern::runtime::getCommit() << "\nLLVM "
     << LLVM_VERSION_STRING << ", Halide " << HALIDE_VERSION_MAJOR << '.' << HALIDE_VERSION_MINOR << '.'
     << HALIDE_VERSION_PATCH << "\ntargets " << llvm::join(names, ", ") << "; `host` is "
     << (host ? host->name : "none of them") << "\nABI of programs " << QUERN_ABI_VERSION;
  llvm::consumeError(host.takeError());
  return text;
}

/// Parses the command line; the status of help and of bad usage where no command is to run.
std::optional<ExitStatus> parse(CLI::App &app, int count, char **arguments) {
  try {
    app.parse(count, arguments);
    return std::nullopt;
  } catch (const CLI::ParseError &error) {
    std::ostringstream output, errors;
    int status = app.exit(error, output, errors);
    llvm::outs() << output.str();
    llvm::errs() << errors.str();
    return status == 0 ? ExitStatus::Success : ExitStatus::Usage;
  }
}

/// Writes out what was printed: the status that the program ends with. A reader who went away has seen enough.
ExitStatus finishOutput(ExitStatus status) {
  llvm::outs().flush();
  std::error_code code = llvm::outs().error();
  // Streams that end with an error end the program.
  llvm::outs().clear_error();
  if (code && code != std::errc::broken_pipe)
    llvm::errs() << "quern: error: could not write to the standard output: " << code.message() << '\n';
  llvm::errs().clear_error();
  return code && status == ExitStatus::Success ? ExitStatus::Refused : status;
}

} // namespace

int main(int count, char **arguments) {
  quern::runtime::prepareProcess();
  for (int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
    std::signal(signal, reportCrash);
  quern::runtime::reportMappingFaults("quern");
  if (!prepareLimits())
    return static_cast<int>(ExitStatus::Refused);
  CLI::App app("Compiles neural networks to native programs", "quern");
  app.require_subcommand(1);
  app.failure_message(describeUsageError);
  app.set_version_flag("--version", describeVersion, "Print version, commit and targets");
  Command command;
  addBenchCommand(app, command);
  addCheckCommand(app, command);
  addCompileCommand(app, command);
  addExplainCommand(app, command);
  addFmtCommand(app, command);
  addTuneCommand(app, command);
  std::optional<ExitStatus> status = parse(app, count, arguments);
  return static_cast<int>(finishOutput(status ? *status : command()));
}
