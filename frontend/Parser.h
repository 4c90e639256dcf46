//===- Parser.h - from a source buffer to a syntax tree
//----------------------------------------===//

#ifndef QUERN_FRONTEND_PARSER_H
#define QUERN_FRONTEND_PARSER_H

#include "frontend/Ast.h"

namespace llvm {
class SourceMgr;
} // namespace llvm

namespace quern::frontend {

class DiagnosticEngine;

/// Parses one buffer of `sources`. Reports every syntax error to `diagnostics` and returns what
/// could be parsed, so that later stages can find further errors; the tree of a file without errors
/// is complete. Imports are not followed.
SourceFile *parseFile(const llvm::SourceMgr &sources, unsigned buffer, AstContext &context,
                      DiagnosticEngine &diagnostics);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_PARSER_H
