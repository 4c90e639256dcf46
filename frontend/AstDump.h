//===- AstDump.h - a syntax tree as text
//-------------------------------------------------------===//

#ifndef QUERN_FRONTEND_ASTDUMP_H
#define QUERN_FRONTEND_ASTDUMP_H

#include "frontend/Ast.h"

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace quern::frontend {

/// Prints the tree, one node a line, children indented by two. Places are left out: files that
/// differ only in layout and comments print alike.
void dumpAst(const SourceFile &file, llvm::raw_ostream &out);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_ASTDUMP_H
