//===- Fmt.cpp - `quern fmt`
//-------------------------------------------------------------------===//

#include "frontend/Diagnostics.h"
#include "frontend/Format.h"
#include "tools/driver/Commands.h"
#include "tools/driver/Files.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"
#include <CLI/CLI.hpp>

using namespace quern::frontend;

namespace quern::tool {

/// Formats one file, or with `checkOnly` says whether that would change it.
static bool format(llvm::StringRef path, bool checkOnly) {
  llvm::SourceMgr sources;
  auto buffer = openSource(sources, path);
  if (!buffer)
    return false;
  DiagnosticEngine diagnostics(sources);
  std::optional<std::string> text = formatSource(sources, *buffer, diagnostics);
  diagnostics.print(llvm::errs(), llvm::errs().has_colors());
  if (!text)
    return false;
  if (*text == sources.getMemoryBuffer(*buffer)->getBuffer())
    return true;
  if (!checkOnly)
    return replaceFile(path, *text);
  llvm::errs() << path << ": error: the file is not formatted; run `quern fmt`\n";
  return false;
}

void addFmtCommand(CLI::App &app, Command &command) {
  CLI::App *sub = app.add_subcommand("fmt", "Give model files the one layout");
  struct Options {
    bool checkOnly = false;
    std::vector<std::string> paths;
  };
  auto options = std::make_shared<Options>();
  sub->add_flag("--check", options->checkOnly, "Change nothing; fail if a file is not formatted");
  sub->add_option("FILES", options->paths, "Model files (.qn)")->required();
  sub->callback([&command, options] {
    command = [options] {
      bool isDone = true;
      for (const std::string &path : options->paths)
        isDone &= format(path, options->checkOnly);
      return isDone ? ExitStatus::Success : ExitStatus::Refused;
    };
  });
}

} // namespace quern::tool
