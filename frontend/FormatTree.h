//===- FormatTree.h - tokens grouped by brackets, blocks and items
//-----------------------------===//
//
// What the formatter works on: every token and comment of the file, in order, grouped.
//===-------------------------------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_FORMATTREE_H
#define QUERN_FRONTEND_FORMATTREE_H

#include "frontend/Lexer.h"
#include "frontend/ParserImpl.h"
#include <vector>

namespace quern::frontend {

struct Item;
struct Piece;

/// What stands between two separators, or a whole item.
using Sequence = std::vector<Piece>;

/// A token, a bracket with all it holds, or a block.
struct Piece {
  enum class Kind { Token, Group, Block };

  Kind kind;
  TokenRole role;
  /// The token itself or the opening bracket.
  Token token;
  /// Blanks before it where it does not start a line.
  unsigned spaces;
  /// The comments between the token before and this one.
  std::vector<Token> comments;

  /// Group: what is between the separators.
  std::vector<Sequence> elements;
  /// Group: `,` or `;` behind each element but the last. A comma behind the last one is dropped.
  std::vector<Piece> separators;
  /// Block: what is in it.
  std::vector<Item> items;
  /// Group, Block: the closing bracket, and the comments before it.
  Token closing;
  unsigned closingSpaces;
  std::vector<Token> closingComments;

  /// Columns on one line, without the blanks before it.
  unsigned width;
  /// Cannot stand on one line: has a comment inside or a block that is written on several lines.
  bool isBroken;
};

/// A declaration, member, field or statement.
struct Item {
  Sequence pieces;
};

/// Columns of `pieces` on one line, without the blanks before the first one.
unsigned flatWidth(llvm::ArrayRef<Piece> pieces);
/// Whether a comment or block keeps `pieces` from standing on one line. Comments before the first
/// one do not count.
bool isBroken(llvm::ArrayRef<Piece> pieces);

/// Groups the tokens of a file without syntax errors. The comments at its end become those of the
/// last piece, EndOfFile.
std::vector<Item> buildFormatTree(llvm::ArrayRef<Token> tokens, llvm::ArrayRef<TokenRole> roles);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_FORMATTREE_H
