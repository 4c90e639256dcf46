/// What no model file shows of the diagnostics: their order over several files, repetition, places
/// without a file.

#include "frontend/Diagnostics.h"
#include "Check.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace quern::frontend;

namespace {

/// Two files and their errors.
struct Files {
  Files() : diagnostics(sources) {
    for (const char *name : {"a.qn", "b.qn"}) {
      auto text = MemoryBuffer::getMemBufferCopy("one two\nthree\n", name);
      starts.push_back(text->getBufferStart());
      sources.AddNewSourceBuffer(std::move(text), SMLoc());
    }
  }

  /// `length` characters of a file.
  SMRange range(unsigned file, unsigned offset, unsigned length) const {
    const char *start = starts[file] + offset;
    return {SMLoc::getFromPointer(start), SMLoc::getFromPointer(start + length)};
  }

  std::string print() const {
    std::string text;
    raw_string_ostream out(text);
    diagnostics.print(out);
    return text;
  }

  SourceMgr sources;
  std::vector<const char *> starts;
  DiagnosticEngine diagnostics;
};

} // namespace

static void checkOrder(quern::test::Checks &checks) {
  Files files;
  files.diagnostics.error(files.range(1, 0, 3), "in the second file");
  files.diagnostics.error(files.range(0, 8, 0), "below");
  files.diagnostics.error(files.range(0, 4, 3), "above")
      .hint("a hint")
      .note(files.range(1, 8, 20), "a note on two lines")
      .note({}, "a note without a place");
  files.diagnostics.error({}, "nowhere");
  checks.equal(files.print(), "quern: error: nowhere\n"
                              "a.qn:1:5: error: above; a hint\n"
                              "one two\n"
                              "    ^~~\n"
                              "b.qn:2:1: note: a note on two lines\n"
                              "three\n"
                              "^~~~~\n"
                              "quern: note: a note without a place\n"
                              "a.qn:2:1: error: below\n"
                              "three\n"
                              "^\n"
                              "b.qn:1:1: error: in the second file\n"
                              "one two\n"
                              "^~~\n");
}

static void checkRepetition(quern::test::Checks &checks) {
  Files files;
  checks.that(!files.diagnostics.hasErrors());
  for (int i = 0; i < 200; ++i)
    files.diagnostics.error(files.range(0, 0, 3), "the same").hint("with a hint");
  checks.that(!files.diagnostics.isFull());
  checks.equal(files.diagnostics.numErrors(), 200u);
  files.diagnostics.error(files.range(0, 0, 7), "the same");
  checks.equal(files.print(), "a.qn:1:1: error: the same; with a hint\n"
                              "one two\n"
                              "^~~\n"
                              "a.qn:1:1: error: the same\n"
                              "one two\n"
                              "^~~~~~~\n");
}

int main() {
  quern::test::Checks checks;
  checkOrder(checks);
  checkRepetition(checks);
  return checks.status();
}
