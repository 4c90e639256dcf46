//===- Check.cpp - `quern check`
//---------------------------------------------------------------===//

#include "frontend/Diagnostics.h"
#include "frontend/Parser.h"
#include "tools/quern/Commands.h"
#include "tools/quern/Files.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"
#include <CLI/CLI.hpp>

using namespace quern::frontend;

namespace quern::tool {

static ExitStatus check(const std::vector<std::string> &paths) {
  llvm::SourceMgr sources;
  DiagnosticEngine diagnostics(sources);
  AstContext context;
  bool isComplete = true;
  for (const std::string &path : paths) {
    if (auto buffer = openSource(sources, path))
      parseFile(sources, *buffer, context, diagnostics);
    else
      isComplete = false;
  }
  diagnostics.print(llvm::errs(), llvm::errs().has_colors());
  return isComplete && !diagnostics.hasErrors() ? ExitStatus::Success : ExitStatus::Refused;
}

void addCheckCommand(CLI::App &app, Command &command) {
  CLI::App *sub = app.add_subcommand("check", "Report every error of model files");
  auto paths = std::make_shared<std::vector<std::string>>();
  sub->add_option("FILES", *paths, "Model files (.qn)")->required();
  sub->callback([&command, paths] { command = [paths] { return check(*paths); }; });
}

} // namespace quern::tool
