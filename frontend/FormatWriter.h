//===- FormatWriter.h - lines of formatted text
//------------------------------------------------===//

#ifndef QUERN_FRONTEND_FORMATWRITER_H
#define QUERN_FRONTEND_FORMATWRITER_H

#include "llvm/ADT/StringRef.h"
#include <string>
#include <vector>

namespace quern::frontend {

/// Collects lines with their comments; in the end gives the comments of neighbouring lines one
/// column.
class FormatWriter {
public:
  /// Starts a line. Nothing happens where the current one is still empty, but for its indentation.
  void newLine(unsigned indent);
  /// Leaves an empty line before the next one, unless a block has just been opened or the file
  /// begins.
  void emptyLine();
  /// Appends to the current line, behind `spaces` blanks if it has text already.
  void text(unsigned spaces, llvm::StringRef text);
  /// A comment at the end of the current line, or on a line of its own where it has one already.
  void trailingComment(unsigned indent, llvm::StringRef comment);
  /// A comment on a line of its own.
  void ownComment(unsigned indent, llvm::StringRef comment);
  /// The last line opens a block: no empty line follows it.
  void openBlock() { lines.back().opensBlock = true; }

  /// True where the current line has no text yet.
  bool isLineEmpty() const { return lines.empty() || lines.back().text.empty(); }
  /// The columns of the current line so far.
  unsigned column() const;
  /// True where the next text would stand behind a comment.
  bool isClosed() const { return !lines.empty() && !lines.back().comment.empty(); }

  /// All lines, each with its end.
  std::string finish();

private:
  struct Line {
    unsigned indent;
    std::string text;
    std::string comment;
    bool opensBlock;
    /// An empty line stands before it.
    bool isApart;
  };

  /// Columns of the line without its comment.
  static unsigned widthOf(const Line &line);

  std::vector<Line> lines;
  bool emptyLineNext = false;
};

} // namespace quern::frontend

#endif // QUERN_FRONTEND_FORMATWRITER_H
