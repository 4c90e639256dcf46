//===- FormatTree.cpp - tokens grouped by brackets, blocks and items
//---------------------------===//

#include "frontend/FormatTree.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Unicode.h"

using namespace llvm;

namespace quern::frontend {
namespace {

class TreeBuilder {
public:
  TreeBuilder(ArrayRef<Token> tokens, ArrayRef<TokenRole> roles) : tokens(tokens), roles(roles) {}

  std::vector<Item> build();

private:
  const Token &current() const { return tokens[position]; }
  bool atClosing() const;
  /// At what ends an element of a group, unlike the comma between two variables of a `for`.
  bool atSeparator() const;
  /// The comments ahead.
  std::vector<Token> takeComments();
  /// The current token as a piece, without what it opens.
  Piece takePiece(Piece::Kind kind);
  Piece buildPiece();
  void buildGroup(Piece &group);
  void buildBlock(Piece &block);
  std::vector<Item> buildItems(std::vector<Token> &comments);
  unsigned spacesBefore(size_t index) const;

  ArrayRef<Token> tokens;
  ArrayRef<TokenRole> roles;
  size_t position = 0;
  /// The comments before the current token.
  std::vector<Token> pending;
};

} // namespace

static unsigned textWidth(StringRef text) {
  int width = sys::unicode::columnWidthUTF8(text);
  return width < 0 ? text.size() : width;
}

unsigned flatWidth(ArrayRef<Piece> pieces) {
  unsigned width = 0;
  for (const Piece &piece : pieces)
    width += piece.width + (&piece == pieces.begin() ? 0 : piece.spaces);
  return width;
}

bool isBroken(ArrayRef<Piece> pieces) {
  return llvm::any_of(pieces, [&](const Piece &piece) {
    return piece.isBroken || (&piece != pieces.begin() && !piece.comments.empty());
  });
}

//===--- Blanks between tokens
//-----------------------------------------------------------------===//

static bool isKeyword(TokenKind kind) {
  switch (kind) {
#define QUERN_KEYWORD(Kind, spelling) case TokenKind::Kind:
#include "frontend/Tokens.def"
    return kind != TokenKind::True && kind != TokenKind::False;
  default:
    return false;
  }
}

/// Whether a bracket behind this token belongs to it: a call, an index, a parameter list.
static bool takesBracket(TokenKind kind, TokenRole role) {
  if (role == TokenRole::Word || isKeyword(kind))
    return false;
  return kind == TokenKind::Name || kind == TokenKind::RightParen || kind == TokenKind::RightBracket ||
         kind == TokenKind::RightBrace || kind == TokenKind::String || kind == TokenKind::True ||
         kind == TokenKind::False || kind == TokenKind::Integer || kind == TokenKind::Float;
}

static unsigned spacesBetween(TokenKind left, TokenRole leftRole, TokenKind right, TokenRole rightRole) {
  if (rightRole == TokenRole::Slice)
    return left == TokenKind::Comma;
  if (left == TokenKind::Dot || right == TokenKind::Dot || leftRole == TokenRole::Slice)
    return 0;
  switch (right) {
  case TokenKind::Comma:
  case TokenKind::Semicolon:
  case TokenKind::Colon: // a member's gets its blanks with its alignment
  case TokenKind::RightParen:
  case TokenKind::RightBracket:
    return 0;
  case TokenKind::LeftParen:
  case TokenKind::LeftBracket:
    if (takesBracket(left, leftRole))
      return 0;
    break;
  case TokenKind::DotDot:
    return left == TokenKind::Comma || leftRole == TokenRole::Word;
  default:
    break;
  }
  bool joins = left == TokenKind::LeftParen || left == TokenKind::LeftBracket || left == TokenKind::DotDot ||
               leftRole == TokenRole::Prefix;
  return joins ? 0 : 1;
}

unsigned TreeBuilder::spacesBefore(size_t index) const {
  size_t previous = index;
  while (previous > 0 && tokens[previous - 1].isComment())
    --previous;
  if (previous == 0)
    return 0;
  --previous;
  return spacesBetween(tokens[previous].kind, roles[previous], tokens[index].kind, roles[index]);
}

//===--- The tree
//------------------------------------------------------------------------------===//

std::vector<Token> TreeBuilder::takeComments() {
  std::vector<Token> comments;
  while (current().isComment())
    comments.push_back(tokens[position++]);
  return comments;
}

bool TreeBuilder::atClosing() const {
  TokenKind kind = current().kind;
  return kind == TokenKind::RightParen || kind == TokenKind::RightBracket || kind == TokenKind::RightBrace ||
         kind == TokenKind::EndOfFile;
}

bool TreeBuilder::atSeparator() const {
  return current().kind == TokenKind::Semicolon ||
         (current().kind == TokenKind::Comma && roles[position] != TokenRole::Word);
}

Piece TreeBuilder::takePiece(Piece::Kind kind) {
  Piece piece{};
  piece.kind = kind;
  piece.role = roles[position];
  piece.token = current();
  piece.spaces = spacesBefore(position);
  piece.comments = std::exchange(pending, {});
  piece.width = textWidth(current().text);
  ++position;
  pending = takeComments();
  return piece;
}

Piece TreeBuilder::buildPiece() {
  TokenKind kind = current().kind;
  bool isBrace = kind == TokenKind::LeftBrace;
  if (isBrace && roles[position] == TokenRole::Block) {
    Piece block = takePiece(Piece::Kind::Block);
    buildBlock(block);
    return block;
  }
  if (isBrace || kind == TokenKind::LeftParen || kind == TokenKind::LeftBracket) {
    Piece group = takePiece(Piece::Kind::Group);
    buildGroup(group);
    return group;
  }
  return takePiece(Piece::Kind::Token);
}

void TreeBuilder::buildGroup(Piece &group) {
  while (!atClosing()) {
    if (group.separators.size() < group.elements.size())
      group.separators.push_back(takePiece(Piece::Kind::Token));
    if (atClosing()) {
      // A comma behind the last element; its comments go to the closing bracket.
      std::vector<Token> comments = std::move(group.separators.back().comments);
      group.separators.pop_back();
      pending.insert(pending.begin(), comments.begin(), comments.end());
      break;
    }
    Sequence element;
    while (!atClosing() && !atSeparator())
      element.push_back(buildPiece());
    group.elements.push_back(std::move(element));
  }
  group.closing = current();
  group.closingSpaces = group.token.is(TokenKind::LeftBrace) && !group.elements.empty();
  group.closingComments = std::exchange(pending, {});
  group.isBroken = !group.closingComments.empty();
  group.width = 2 + group.closingSpaces;
  for (const Sequence &element : group.elements) {
    group.width += element.front().spaces + flatWidth(element);
    group.isBroken |= isBroken(element) || !element.front().comments.empty();
  }
  for (const Piece &separator : group.separators) {
    group.width += separator.width;
    group.isBroken |= !separator.comments.empty();
  }
  ++position;
  pending = takeComments();
}

void TreeBuilder::buildBlock(Piece &block) {
  size_t first = position;
  std::vector<Item> items = buildItems(block.closingComments);
  block.items = std::move(items);
  block.closing = current();
  block.closingSpaces = !block.items.empty();
  // One item that was written on the line of both braces may stay there.
  bool isOneLine = block.items.size() <= 1 && block.closing.linesBefore == 0 && tokens[first].linesBefore == 0 &&
                   block.closingComments.empty();
  block.width = 2 + block.closingSpaces;
  for (const Item &item : block.items) {
    block.width += 1 + flatWidth(item.pieces);
    isOneLine &= !isBroken(item.pieces) && item.pieces.front().comments.empty();
    isOneLine &= llvm::none_of(item.pieces, [](const Piece &piece) { return piece.kind == Piece::Kind::Block; });
  }
  block.isBroken = !isOneLine && !(block.items.empty() && block.closingComments.empty());
  ++position;
  pending = takeComments();
}

/// Where the `:` of a member or field stands, or npos.
static size_t findColon(const Sequence &pieces) {
  for (const auto &[index, piece] : llvm::enumerate(pieces))
    if (piece.kind == Piece::Kind::Token && piece.token.is(TokenKind::Colon))
      return index;
  return StringRef::npos;
}

/// Where the `=` behind a field's type stands, or npos.
static size_t findDefault(const Sequence &pieces) {
  for (const auto &[index, piece] : llvm::enumerate(pieces))
    if (piece.kind == Piece::Kind::Token && piece.token.is(TokenKind::Equal))
      return index;
  return StringRef::npos;
}

/// Whether an empty line stands above the item or one of the comments above it.
static bool hasBlankBefore(const Item &item) {
  const Piece &first = item.pieces.front();
  return first.token.linesBefore > 1 ||
         llvm::any_of(first.comments, [](const Token &comment) { return comment.linesBefore > 1; });
}

/// `state keys : …`; states align among themselves.
static bool isState(const Item &item) { return findColon(item.pieces) == 2; }

/// The columns of the type in front of a field's `=`; none where it is too long to take part in an
/// alignment.
static std::optional<unsigned> typeWidth(ArrayRef<Piece> pieces, size_t colon, size_t equal) {
  constexpr unsigned maxAligned = 16;
  if (equal == StringRef::npos)
    return std::nullopt;
  unsigned width = flatWidth(pieces.slice(colon + 1, equal - colon - 1));
  return width <= maxAligned ? std::optional(width) : std::nullopt;
}

/// Gives the `:` of neighbouring members, and the `=` behind their types, one column each.
static void alignRun(MutableArrayRef<Item> run) {
  unsigned nameWidth = 0;
  unsigned widestType = 0;
  for (const Item &item : run) {
    size_t colon = findColon(item.pieces);
    nameWidth = std::max(nameWidth, flatWidth(ArrayRef(item.pieces).take_front(colon)));
    if (auto width = typeWidth(item.pieces, colon, findDefault(item.pieces)))
      widestType = std::max(widestType, *width);
  }
  for (Item &item : run) {
    size_t colon = findColon(item.pieces);
    size_t equal = findDefault(item.pieces);
    item.pieces[colon].spaces = 1 + nameWidth - flatWidth(ArrayRef(item.pieces).take_front(colon));
    if (auto width = typeWidth(item.pieces, colon, equal))
      item.pieces[equal].spaces = 1 + widestType - *width;
  }
}

static void alignMembers(MutableArrayRef<Item> items) {
  size_t begin = 0;
  while (begin < items.size()) {
    size_t end = begin + 1;
    if (findColon(items[begin].pieces) != StringRef::npos) {
      while (end < items.size() && findColon(items[end].pieces) != StringRef::npos &&
             isState(items[end]) == isState(items[begin]) && !hasBlankBefore(items[end]))
        ++end;
      alignRun(items.slice(begin, end - begin));
    }
    begin = end;
  }
}

std::vector<Item> TreeBuilder::buildItems(std::vector<Token> &comments) {
  std::vector<Item> items;
  while (!atClosing()) {
    Item item;
    do
      item.pieces.push_back(buildPiece());
    while (!atClosing() && roles[position] != TokenRole::Item);
    items.push_back(std::move(item));
  }
  alignMembers(items);
  comments = std::exchange(pending, {});
  return items;
}

std::vector<Item> TreeBuilder::build() {
  pending = takeComments();
  std::vector<Token> comments;
  std::vector<Item> items = buildItems(comments);
  pending = std::move(comments);
  Item end;
  end.pieces.push_back(Piece{});
  end.pieces.back().token = current();
  end.pieces.back().comments = std::move(pending);
  items.push_back(std::move(end));
  return items;
}

std::vector<Item> buildFormatTree(ArrayRef<Token> tokens, ArrayRef<TokenRole> roles) {
  return TreeBuilder(tokens, roles).build();
}

} // namespace quern::frontend
