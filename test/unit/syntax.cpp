/// The frontend's parser and formatter on files: `syntax ast FILE` prints the syntax tree.

#include "frontend/AstDump.h"
#include "frontend/Diagnostics.h"
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

} // namespace

int main(int count, char **arguments) {
  if (count == 3 && StringRef(arguments[1]) == "ast")
    return printAst(arguments[2]);
  errs() << "usage: syntax ast FILE\n";
  return 2;
}
