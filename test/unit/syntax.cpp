/// The frontend's parser and formatter on files.
///
/// `syntax ast FILE` prints the syntax tree. `syntax format FILE…` checks that formatting keeps the
/// syntax tree and that formatting again changes nothing.

#include "Check.h"
#include "frontend/AstDump.h"
#include "frontend/Diagnostics.h"
#include "frontend/Format.h"
#include "frontend/Parser.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace quern::frontend;

namespace {

/// Prints the syntax tree of a file, or its errors.
int printAst(StringRef path) {
  SourceMgr sources;
  auto file = MemoryBuffer::getFile(path);
  if (!file) {
    errs() << "cannot read " << path << '\n';
    return 1;
  }
  unsigned buffer = sources.AddNewSourceBuffer(std::move(*file), SMLoc());
  AstContext context;
  DiagnosticEngine diagnostics(sources);
  SourceFile *tree = parseFile(sources, buffer, context, diagnostics);
  dumpAst(*tree, outs());
  diagnostics.print(errs());
  return diagnostics.hasErrors();
}

/// A text, its syntax tree and its errors.
struct Parsed {
  std::string tree;
  /// Empty after a syntax error.
  std::optional<std::string> formatted;
};

Parsed parseAndFormat(StringRef text, StringRef name) {
  SourceMgr sources;
  unsigned buffer = sources.AddNewSourceBuffer(MemoryBuffer::getMemBuffer(text, name), SMLoc());
  AstContext context;
  DiagnosticEngine diagnostics(sources);
  Parsed parsed;
  raw_string_ostream out(parsed.tree);
  dumpAst(*parseFile(sources, buffer, context, diagnostics), out);
  parsed.formatted = formatSource(sources, buffer, diagnostics);
  diagnostics.print(errs());
  return parsed;
}

void checkFormat(quern::test::Checks &checks, StringRef path) {
  auto file = MemoryBuffer::getFile(path);
  if (!checks.that(bool(file)))
    return;
  Parsed before = parseAndFormat((*file)->getBuffer(), path);
  if (!checks.that(before.formatted.has_value()))
    return;
  Parsed after = parseAndFormat(*before.formatted, path);
  checks.equal(after.tree, before.tree);
  checks.equal(after.formatted.value_or("an error"), *before.formatted);
}

} // namespace

int main(int count, char **arguments) {
  quern::test::Checks checks;
  if (count >= 3 && StringRef(arguments[1]) == "format") {
    for (const char *path : ArrayRef(arguments + 2, count - 2))
      checkFormat(checks, path);
    return checks.status();
  }
  if (count == 3 && StringRef(arguments[1]) == "ast")
    return printAst(arguments[2]);
  errs() << "usage: syntax ast FILE | syntax format FILE...\n";
  return 2;
}
