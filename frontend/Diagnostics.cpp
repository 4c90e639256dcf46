//===- Diagnostics.cpp - errors in model files
//-------------------------------------------------===//

#include "frontend/Diagnostics.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/Unicode.h"
#include "llvm/Support/raw_ostream.h"
#include <tuple>

using namespace llvm;

namespace quern::frontend {

/// The length from which a message is cut.
static constexpr size_t maxMessageBytes = 2000;
/// Tabs in a printed source line reach to the next multiple of this column.
static constexpr unsigned tabWidth = 8;
/// At most so many columns of a source line are printed; of a longer one the part around the
/// marker.
static constexpr unsigned maxPrintedColumns = 160;

std::string Diagnostic::toLine(const Twine &message) {
  SmallString<256> buffer;
  StringRef text = message.toStringRef(buffer);
  std::string line;
  // Source text may span lines.
  for (size_t i = 0; i < text.size() && line.size() < maxMessageBytes; ++i) {
    bool isBlank = isSpace(text[i]);
    if (!isBlank || (!line.empty() && line.back() != ' '))
      line += isBlank ? ' ' : text[i];
  }
  if (line.size() < maxMessageBytes)
    return line;
  while ((line.back() & 0xC0) == 0x80)
    line.pop_back();
  line.pop_back();
  return line + "…";
}

Diagnostic &Diagnostic::note(SMRange range, const Twine &message) {
  noteList.push_back({range, toLine(message)});
  return *this;
}

bool Diagnostic::repeats(const Diagnostic &other) const {
  return errorRange.Start == other.errorRange.Start && errorRange.End == other.errorRange.End &&
         StringRef(text).take_front(plainLength) == StringRef(other.text).take_front(other.plainLength);
}

Diagnostic &Diagnostic::hint(const Twine &message) {
  text += "; " + toLine(message);
  return *this;
}

Diagnostic &DiagnosticEngine::error(SMRange range, const Twine &message) {
  if (isClosed || ++errorCount > maxReports)
    return surplus = Diagnostic(range, "");
  Diagnostic error(range, message);
  bool isRepeated = llvm::any_of(errors, [&](auto &other) { return other.repeats(error); });
  if (!isRepeated && !isFull())
    return errors.emplace_back(std::move(error));
  surplusCount += !isRepeated;
  surplus = std::move(error);
  return surplus;
}

namespace {

/// A source line made printable: tabs expanded, what a terminal cannot show replaced.
struct PrintedLine {
  std::string text;
  /// The column (from 0) at which each byte of the source line starts, and one past the last.
  /// [byte]
  SmallVector<unsigned> columns;
};

/// Where a range is and how it is shown.
struct Place {
  StringRef file;
  unsigned line;
  /// From 1, in characters.
  unsigned column;
  StringRef sourceLine;
  /// Bytes of `sourceLine` that the marker covers; at least one column is marked.
  size_t begin;
  size_t end;
};

class Printer {
public:
  Printer(const SourceMgr &sources, raw_ostream &out, bool colour) : sources(sources), out(out), colour(colour) {}

  void print(SMRange range, StringRef severity, raw_ostream::Colors hue, StringRef message);

private:
  Place locate(SMRange range) const;
  void printSource(const Place &place);
  void setColour(raw_ostream::Colors hue, bool bold);
  void resetColour();

  const SourceMgr &sources;
  raw_ostream &out;
  bool colour;
};

} // namespace

/// The length in bytes of the character at the start of `text`; 1 for a malformed one.
static size_t characterLength(StringRef text) {
  const auto *begin = reinterpret_cast<const UTF8 *>(text.begin());
  const auto *end = reinterpret_cast<const UTF8 *>(text.end());
  return isLegalUTF8Sequence(begin, end) ? getNumBytesForUTF8(*begin) : 1;
}

static size_t countCharacters(StringRef text) {
  size_t count = 0;
  for (; !text.empty(); ++count)
    text = text.drop_front(characterLength(text));
  return count;
}

static PrintedLine makePrintable(StringRef line) {
  PrintedLine printed;
  unsigned column = 0;
  while (!line.empty()) {
    size_t length = characterLength(line);
    StringRef character = line.take_front(length);
    printed.columns.append(length, column);
    int width = sys::unicode::columnWidthUTF8(character);
    if (character == "\t") {
      width = tabWidth - column % tabWidth;
      printed.text.append(width, ' ');
    } else if (width < 0 || (length == 1 && !isPrint(character.front()))) {
      width = 1;
      printed.text += "\xEF\xBF\xBD"; // the replacement character
    } else {
      printed.text += character;
    }
    column += width;
    line = line.drop_front(length);
  }
  printed.columns.push_back(column);
  return printed;
}

Place Printer::locate(SMRange range) const {
  unsigned buffer = sources.FindBufferContainingLoc(range.Start);
  StringRef text = sources.getMemoryBuffer(buffer)->getBuffer();
  size_t offset = range.Start.getPointer() - text.begin();
  size_t lineBegin = text.take_front(offset).rfind('\n') + 1; // npos + 1 is 0
  size_t lineEnd = std::min(text.find('\n', offset), text.size());
  StringRef line = text.slice(lineBegin, lineEnd).rtrim('\r');

  Place place;
  place.file = sources.getMemoryBuffer(buffer)->getBufferIdentifier();
  place.line = sources.FindLineNumber(range.Start, buffer);
  place.begin = std::min(offset - lineBegin, line.size());
  size_t length = range.End.getPointer() - range.Start.getPointer();
  place.end = std::min(place.begin + length, line.size());
  place.column = countCharacters(line.take_front(place.begin)) + 1;
  place.sourceLine = line;
  return place;
}

void Printer::setColour(raw_ostream::Colors hue, bool bold) {
  if (colour)
    out.changeColor(hue, bold);
}

void Printer::resetColour() {
  if (colour)
    out.resetColor();
}

void Printer::printSource(const Place &place) {
  // A window of whole characters around the marker, where the line is long.
  StringRef line = place.sourceLine;
  size_t skip =
      place.begin > maxPrintedColumns / 2 && line.size() > maxPrintedColumns ? place.begin - maxPrintedColumns / 2 : 0;
  while (skip && (line[skip] & 0xC0) == 0x80)
    --skip;
  size_t keep = std::min<size_t>(maxPrintedColumns, line.size() - skip);
  while (skip + keep < line.size() && keep && (line[skip + keep] & 0xC0) == 0x80)
    --keep;
  line = line.substr(skip, keep);
  PrintedLine printed = makePrintable(line);
  unsigned begin = printed.columns[std::min(place.begin - skip, line.size())];
  unsigned end = printed.columns[std::min(place.end - skip, line.size())];

  out << printed.text << '\n' << std::string(begin, ' ');
  setColour(raw_ostream::GREEN, true);
  out << '^';
  if (end > begin + 1)
    out << std::string(end - begin - 1, '~');
  resetColour();
  out << '\n';
}

void Printer::print(SMRange range, StringRef severity, raw_ostream::Colors hue, StringRef message) {
  if (!range.isValid()) {
    out << "quern: ";
    setColour(hue, true);
    out << severity;
    resetColour();
    out << ": " << message << '\n';
    return;
  }
  Place place = locate(range);
  out << place.file << ':' << place.line << ':' << place.column << ": ";
  setColour(hue, true);
  out << severity;
  resetColour();
  out << ": " << message << '\n';
  printSource(place);
}

void DiagnosticEngine::print(raw_ostream &out, bool colour) const {
  // Buffer, position, order of discovery.
  using Key = std::tuple<unsigned, const char *, size_t>;
  SmallVector<std::pair<Key, const Diagnostic *>> order;
  for (const auto &[index, error] : llvm::enumerate(errors)) {
    SMLoc start = error.range().Start;
    unsigned buffer = start.isValid() ? sources.FindBufferContainingLoc(start) : 0;
    order.push_back({Key(buffer, start.getPointer(), index), &error});
  }
  llvm::sort(order);

  Printer printer(sources, out, colour);
  for (const auto &[key, error] : order) {
    printer.print(error->range(), "error", raw_ostream::RED, error->message());
    for (const Diagnostic::Note &note : error->notes())
      printer.print(note.range, "note", raw_ostream::CYAN, note.message);
  }
  if (surplusCount > 0)
    printer.print({}, "error", raw_ostream::RED, std::to_string(surplusCount) + " more errors are not shown");
  if (!hasErrors())
    for (const std::string &remark : remarks)
      printer.print({}, "note", raw_ostream::CYAN, remark);
}

} // namespace quern::frontend
