/// Any bytes as a model file: the lexer, parser and formatter accept or refuse them, and what they
/// accept keeps its syntax tree when it is formatted and does not change when it is formatted
/// again.

#include "frontend/AstDump.h"
#include "frontend/Diagnostics.h"
#include "frontend/Format.h"
#include "frontend/Parser.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>

using namespace llvm;
using namespace quern::frontend;

namespace {

struct Result {
  std::string tree;
  /// Empty after a syntax error.
  std::optional<std::string> formatted;
};

} // namespace

static Result process(StringRef text) {
  SourceMgr sources;
  unsigned buffer = sources.AddNewSourceBuffer(MemoryBuffer::getMemBufferCopy(text, "f"), SMLoc());
  AstContext context;
  DiagnosticEngine diagnostics(sources);
  Result result;
  raw_string_ostream tree(result.tree);
  dumpAst(*parseFile(sources, buffer, context, diagnostics), tree);
  bool isValid = !diagnostics.hasErrors();
  result.formatted = formatSource(sources, buffer, diagnostics);
  if (isValid != result.formatted.has_value())
    std::abort();
  std::string errors;
  raw_string_ostream stream(errors);
  diagnostics.print(stream);
  return result;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Result first = process(StringRef(reinterpret_cast<const char *>(data), size));
  if (!first.formatted)
    return 0;
  Result second = process(*first.formatted);
  if (second.formatted && second.tree == first.tree && *second.formatted == *first.formatted)
    return 0;
  errs() << "--- formatted\n" << *first.formatted << "--- formatted again\n";
  errs() << second.formatted.value_or("an error\n");
  std::abort();
}
