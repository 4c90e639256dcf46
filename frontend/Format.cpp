//===- Format.cpp - the one layout of model files
//----------------------------------------------===//

#include "frontend/Format.h"
#include "frontend/FormatTree.h"
#include "frontend/FormatWriter.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace llvm;

namespace quern::frontend {
namespace {

constexpr unsigned blockIndent = 2;
/// Of what continues a line without being in brackets.
constexpr unsigned continuationIndent = 4;

/// Where the pieces of a sequence may be split: each part but the first may start a line.
using Parts = SmallVector<ArrayRef<Piece>>;

class Formatter {
public:
  std::string format(ArrayRef<Item> items);

private:
  void formatItems(ArrayRef<Item> items, unsigned indent);
  void formatItem(const Item &item, unsigned indent);
  void formatBlock(const Piece &block, unsigned indent);

  /// Writes `pieces` behind what is on the line and leaves `reserve` columns for what follows them.
  void layout(ArrayRef<Piece> pieces, unsigned indent, unsigned reserve);
  /// Fills lines with the parts, each whole as long as that is possible.
  void layoutParts(const Parts &parts, unsigned indent, unsigned reserve);
  /// Breaks the brackets that must be, or else the widest.
  void layoutGroups(ArrayRef<Piece> pieces, unsigned indent, unsigned reserve);
  void layoutGroup(const Piece &group, unsigned indent);
  /// Whether `pieces` can follow on the current line.
  bool fits(ArrayRef<Piece> pieces, unsigned reserve) const;

  void writeFlat(ArrayRef<Piece> pieces, unsigned indent);
  void writeFlat(const Piece &piece, unsigned indent);
  void writeComments(ArrayRef<Token> comments, unsigned indent);
  /// The token or opening bracket, behind its comments.
  void writeToken(const Piece &piece, unsigned indent);

  FormatWriter writer;
};

} // namespace

//===--- Items and blocks
//----------------------------------------------------------------------===//

std::string Formatter::format(ArrayRef<Item> items) {
  formatItems(items, 0);
  return writer.finish();
}

void Formatter::formatItems(ArrayRef<Item> items, unsigned indent) {
  for (const Item &item : items) {
    const Piece &first = item.pieces.front();
    writeComments(first.comments, indent);
    if (first.token.is(TokenKind::EndOfFile))
      return;
    if (first.token.linesBefore > 1)
      writer.emptyLine();
    writer.newLine(indent);
    formatItem(item, indent);
  }
}

void Formatter::formatItem(const Item &item, unsigned indent) {
  ArrayRef<Piece> rest(item.pieces);
  bool hasBlock = llvm::any_of(rest, [](const Piece &piece) { return piece.kind == Piece::Kind::Block; });
  bool isFlat = !isBroken(rest) && indent + flatWidth(rest) <= formatColumns;
  if (!hasBlock || isFlat)
    return layout(rest, indent, 0);
  while (!rest.empty()) {
    ArrayRef<Piece> head = rest.take_until([](const Piece &piece) { return piece.kind == Piece::Kind::Block; });
    if (!head.empty() && head.begin() != item.pieces.data() && !head.front().comments.empty()) {
      writeComments(head.front().comments, indent);
      writer.newLine(indent);
    }
    layout(head, indent, /*reserve=*/2);
    rest = rest.drop_front(head.size());
    if (rest.empty())
      return;
    formatBlock(rest.front(), indent);
    rest = rest.drop_front();
  }
}

void Formatter::formatBlock(const Piece &block, unsigned indent) {
  if (!block.comments.empty()) {
    writeComments(block.comments, indent);
    writer.newLine(indent);
  }
  writer.text(block.spaces, block.token.text);
  if (block.items.empty() && block.closingComments.empty())
    return writer.text(0, block.closing.text);
  writer.openBlock();
  formatItems(block.items, indent + blockIndent);
  writeComments(block.closingComments, indent + blockIndent);
  writer.newLine(indent);
  writer.text(0, block.closing.text);
}

//===--- Long lines
//----------------------------------------------------------------------------===//

bool Formatter::fits(ArrayRef<Piece> pieces, unsigned reserve) const {
  unsigned spaces = writer.isLineEmpty() ? 0 : pieces.front().spaces;
  return !isBroken(pieces) && !writer.isClosed() &&
         writer.column() + spaces + flatWidth(pieces) + reserve <= formatColumns;
}

/// Splits before each piece for which `startsPart` holds, given the piece and the one before.
static Parts splitWhere(ArrayRef<Piece> pieces, function_ref<bool(const Piece &, const Piece &)> startsPart) {
  Parts parts;
  size_t begin = 0;
  for (size_t i = 1; i < pieces.size(); ++i) {
    if (!startsPart(pieces[i - 1], pieces[i]))
      continue;
    parts.push_back(pieces.slice(begin, i - begin));
    begin = i;
  }
  parts.push_back(pieces.drop_front(begin));
  return parts;
}

/// How much a sign holds together what is around it; 0 for what no line is split behind.
static unsigned precedenceOf(const Piece &piece) {
  if (piece.kind != Piece::Kind::Token || piece.role != TokenRole::Plain)
    return 0;
  switch (piece.token.kind) {
#define QUERN_BINARY(Kind, Operator, precedence)                                                                       \
  case TokenKind::Kind:                                                                                                \
    return 2 + precedence;
#include "frontend/Tokens.def"
  case TokenKind::Bar:
    return 2;
  case TokenKind::Comma:
    return 1;
  default:
    return 0;
  }
}

/// Splits behind the commas or operators that bind least.
static Parts splitAtOperators(ArrayRef<Piece> pieces) {
  unsigned lowest = 0;
  for (const Piece &piece : pieces)
    if (unsigned precedence = precedenceOf(piece))
      lowest = lowest == 0 ? precedence : std::min(lowest, precedence);
  return splitWhere(
      pieces, [&](const Piece &previous, const Piece &) { return lowest != 0 && precedenceOf(previous) == lowest; });
}

void Formatter::layout(ArrayRef<Piece> pieces, unsigned indent, unsigned reserve) {
  if (pieces.empty())
    return;
  if (fits(pieces, reserve))
    return writeFlat(pieces, indent);
  Parts clauses = splitWhere(pieces, [](const Piece &, const Piece &piece) { return piece.role == TokenRole::Clause; });
  if (clauses.size() > 1)
    return layoutParts(clauses, indent, reserve);
  Parts operands = splitAtOperators(pieces);
  if (operands.size() > 1)
    return layoutParts(operands, indent, reserve);
  layoutGroups(pieces, indent, reserve);
}

void Formatter::layoutParts(const Parts &parts, unsigned indent, unsigned reserve) {
  unsigned inner = indent;
  for (const auto &[index, part] : llvm::enumerate(parts)) {
    unsigned partReserve = index + 1 == parts.size() ? reserve : 0;
    const Piece &first = part.front();
    bool mustBreak = index > 0 && !first.comments.empty();
    // A part that is too long for a line of its own may as well stay and break its brackets.
    bool fitsAlone = indent + continuationIndent + flatWidth(part) + partReserve <= formatColumns;
    bool endsInBlockOfLines = isBroken(part) && part.back().kind == Piece::Kind::Group;
    if (index > 0 &&
        (mustBreak || writer.isClosed() || (!fits(part, partReserve) && fitsAlone && !endsInBlockOfLines))) {
      inner = indent + continuationIndent;
      writeComments(first.comments, inner);
      writer.newLine(inner);
    }
    if (fits(part, partReserve))
      writeFlat(part, inner);
    else
      layout(part, inner, partReserve);
  }
}

void Formatter::layoutGroups(ArrayRef<Piece> pieces, unsigned indent, unsigned reserve) {
  const Piece *widest = nullptr;
  for (const Piece &piece : pieces)
    if (piece.kind == Piece::Kind::Group && !piece.elements.empty() && (!widest || piece.width >= widest->width))
      widest = &piece;
  bool mustBreak = isBroken(pieces);
  for (const Piece &piece : pieces) {
    if (&piece != pieces.begin() && !piece.comments.empty()) {
      writeComments(piece.comments, indent + continuationIndent);
      writer.newLine(indent + continuationIndent);
    }
    bool breaks = piece.kind == Piece::Kind::Group && (piece.isBroken || (&piece == widest && !mustBreak));
    if (breaks)
      layoutGroup(piece, indent);
    else
      writeFlat(piece, indent);
  }
}

void Formatter::layoutGroup(const Piece &group, unsigned indent) {
  unsigned inner = indent + blockIndent;
  writeToken(group, indent);
  writer.openBlock();
  bool hasSemicolon =
      llvm::any_of(group.separators, [](const Piece &separator) { return separator.token.is(TokenKind::Semicolon); });
  bool isList = group.elements.size() > 1 && !hasSemicolon;
  for (const auto &[index, element] : llvm::enumerate(group.elements)) {
    writeComments(element.front().comments, inner);
    writer.newLine(inner);
    layout(element, inner, /*reserve=*/1);
    bool isLast = index + 1 == group.elements.size();
    if (isLast && !isList)
      continue;
    writer.text(0, isLast ? "," : group.separators[index].token.text);
    if (!isLast)
      writeComments(group.separators[index].comments, inner);
  }
  writeComments(group.closingComments, inner);
  writer.newLine(indent);
  writer.text(0, group.closing.text);
}

//===--- Text
//----------------------------------------------------------------------------------===//

void Formatter::writeComments(ArrayRef<Token> comments, unsigned indent) {
  for (const Token &comment : comments) {
    if (comment.linesBefore > 1)
      writer.emptyLine();
    if (comment.linesBefore == 0)
      writer.trailingComment(indent, comment.text);
    else
      writer.ownComment(indent, comment.text);
  }
}

void Formatter::writeToken(const Piece &piece, unsigned indent) {
  if (writer.isClosed())
    writer.newLine(indent + continuationIndent);
  writer.text(piece.spaces, piece.token.text);
}

void Formatter::writeFlat(ArrayRef<Piece> pieces, unsigned indent) {
  for (const Piece &piece : pieces)
    writeFlat(piece, indent);
}

void Formatter::writeFlat(const Piece &piece, unsigned indent) {
  writeToken(piece, indent);
  if (piece.kind == Piece::Kind::Token)
    return;
  for (const auto &[index, element] : llvm::enumerate(piece.elements)) {
    writeFlat(element, indent);
    if (index < piece.separators.size())
      writer.text(0, piece.separators[index].token.text);
  }
  for (const Item &item : piece.items)
    writeFlat(item.pieces, indent);
  writer.text(piece.closingSpaces, piece.closing.text);
}

std::optional<std::string> formatSource(const SourceMgr &sources, unsigned buffer, DiagnosticEngine &diagnostics) {
  size_t errorsBefore = diagnostics.numErrors();
  std::vector<Token> tokens = lex(sources.getMemoryBuffer(buffer)->getBuffer(), diagnostics);
  std::vector<TokenRole> roles(tokens.size(), TokenRole::Plain);
  AstContext context;
  (void)Parser(tokens, context, diagnostics, roles).parseDecls();
  if (diagnostics.numErrors() != errorsBefore)
    return std::nullopt;
  return Formatter().format(buildFormatTree(tokens, roles));
}

} // namespace quern::frontend
