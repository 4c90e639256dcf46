//===- Format.h - the one layout of model files
//------------------------------------------------===//

#ifndef QUERN_FRONTEND_FORMAT_H
#define QUERN_FRONTEND_FORMAT_H

#include <optional>
#include <string>

namespace llvm {
class SourceMgr;
} // namespace llvm

namespace quern::frontend {

class DiagnosticEngine;

/// The columns of a formatted line, as far as brackets, operators and clauses allow.
inline constexpr unsigned formatColumns = 100;

/// One buffer of `sources` in the one style: two blanks of indentation, aligned members, at most
/// one empty line, long lists one element a line. All comments stay, the syntax tree is the same,
/// and formatting the result changes nothing. A file with syntax errors is not formatted: they are
/// reported and the result is empty.
std::optional<std::string> formatSource(const llvm::SourceMgr &sources, unsigned buffer, DiagnosticEngine &diagnostics);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_FORMAT_H
