//===- Diagnostics.h - errors in model files
//---------------------------------------------------===//

#ifndef QUERN_FRONTEND_DIAGNOSTICS_H
#define QUERN_FRONTEND_DIAGNOSTICS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/SMLoc.h"
#include <deque>
#include <string>
#include <vector>

namespace llvm {
class SourceMgr;
class raw_ostream;
} // namespace llvm

namespace quern::frontend {

/// One error, with notes at other places and a hint. Messages: lower case, no full stop, names and
/// source text in backticks, what was found and what was expected.
class Diagnostic {
public:
  /// "`y` is declared here", at another place.
  struct Note {
    llvm::SMRange range;
    std::string message;
  };

  Diagnostic(llvm::SMRange range, const llvm::Twine &message)
      : errorRange(range), text(toLine(message)), plainLength(text.size()) {}

  /// `message` as one line of a length that somebody reads.
  static std::string toLine(const llvm::Twine &message);

  /// Adds a note; an invalid range gives a note without a place.
  Diagnostic &note(llvm::SMRange range, const llvm::Twine &message);
  /// Appends "; message".
  Diagnostic &hint(const llvm::Twine &message);

  llvm::SMRange range() const { return errorRange; }
  /// The message with its hints.
  const std::string &message() const { return text; }
  llvm::ArrayRef<Note> notes() const { return noteList; }
  /// The same message, without the hints, at the same place.
  bool repeats(const Diagnostic &other) const;

private:
  llvm::SMRange errorRange;
  std::string text;
  /// The length of the message without its hints.
  size_t plainLength;
  llvm::SmallVector<Note, 1> noteList;
};

/// Collects the errors of one run and prints them in the order of the source: files as they were
/// loaded, then by position.
class DiagnosticEngine {
public:
  /// Errors beyond this number are counted, not kept.
  static constexpr size_t maxErrors = 100;
  /// After so many reports, repeated ones with them, further ones are not even looked at.
  static constexpr size_t maxReports = 10'000;

  explicit DiagnosticEngine(const llvm::SourceMgr &sources) : sources(sources), surplus({}, "") {}

  /// Adds an error at the narrowest range that shows it; an invalid range means "no place in a
  /// file". An error equal to an earlier one (a module elaborated twice finds its errors twice) is
  /// dropped. The reference stays valid for adding notes and hints until the next error.
  Diagnostic &error(llvm::SMRange range, const llvm::Twine &message);

  /// Adds what is worth knowing and no error; it is told where there are no errors.
  void remark(const llvm::Twine &message) { remarks.push_back(Diagnostic::toLine(message)); }

  /// Takes no further error: what follows comes from those that are there.
  void close() { isClosed = true; }

  bool hasErrors() const { return errorCount != 0; }
  /// How often an error was reported, with those that were not kept.
  size_t numErrors() const { return errorCount; }
  /// True when further errors are not kept: work that only finds errors may stop.
  bool isFull() const { return errors.size() >= maxErrors || errorCount >= maxReports; }

  /// Every kept error, or where there is none every remark, as `file:line:col: error: message`, the source line and a
  /// marker below it. Columns count characters (code points) from 1.
  void print(llvm::raw_ostream &out, bool colour = false) const;

private:
  const llvm::SourceMgr &sources;
  std::deque<Diagnostic> errors;
  std::vector<std::string> remarks;
  /// Takes the notes and hints of errors that are not kept.
  Diagnostic surplus;
  size_t errorCount = 0;
  bool isClosed = false;
  /// Different errors that were not kept.
  size_t surplusCount = 0;
};

} // namespace quern::frontend

#endif // QUERN_FRONTEND_DIAGNOSTICS_H
