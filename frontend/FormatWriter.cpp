//===- FormatWriter.cpp - lines of formatted text
//----------------------------------------------===//

#include "frontend/FormatWriter.h"
#include "llvm/Support/Unicode.h"
#include <algorithm>

using namespace llvm;

namespace quern::frontend {

unsigned FormatWriter::widthOf(const Line &line) {
  int width = sys::unicode::columnWidthUTF8(line.text);
  return line.indent + (width < 0 ? line.text.size() : width);
}

void FormatWriter::newLine(unsigned indent) {
  bool isEmpty = !lines.empty() && lines.back().text.empty() && lines.back().comment.empty();
  if (!isEmpty)
    lines.push_back({indent, "", "", false, std::exchange(emptyLineNext, false)});
  lines.back().indent = indent;
}

void FormatWriter::emptyLine() { emptyLineNext = !lines.empty() && !lines.back().opensBlock; }

void FormatWriter::text(unsigned spaces, StringRef text) {
  std::string &line = lines.back().text;
  if (!line.empty())
    line.append(spaces, ' ');
  line += text;
}

void FormatWriter::trailingComment(unsigned indent, StringRef comment) {
  if (lines.empty() || isClosed() || lines.back().text.empty())
    return ownComment(indent, comment);
  lines.back().comment = comment;
}

void FormatWriter::ownComment(unsigned indent, StringRef comment) {
  newLine(indent);
  lines.back().comment = comment;
}

unsigned FormatWriter::column() const { return lines.empty() ? 0 : widthOf(lines.back()); }

std::string FormatWriter::finish() {
  std::string result;
  for (size_t begin = 0; begin < lines.size();) {
    // Neighbouring lines that end in a comment; a comment alone on its line is not one of them.
    auto joins = [&](size_t at) {
      return !lines[at].text.empty() && !lines[at].comment.empty() && lines[at].indent == lines[begin].indent &&
             (at == begin || !lines[at].isApart);
    };
    size_t end = begin;
    unsigned width = 0;
    for (; end < lines.size() && joins(end); ++end)
      width = std::max(width, widthOf(lines[end]));
    end = std::max(end, begin + 1);
    for (; begin < end; ++begin) {
      const Line &line = lines[begin];
      if (line.isApart)
        result += '\n';
      result.append(line.indent, ' ');
      result += line.text;
      if (!line.text.empty() && !line.comment.empty())
        result.append(width + 2 - widthOf(line), ' ');
      result += line.comment + "\n";
    }
  }
  return result;
}

} // namespace quern::frontend
