//===- Budget.h - how much the elaboration of a model may take --------------------------------===//

#ifndef QUERN_FRONTEND_BUDGET_H
#define QUERN_FRONTEND_BUDGET_H

#include "frontend/Ast.h"

#include "llvm/ADT/MapVector.h"
#include <array>

namespace llvm {
class SourceMgr;
} // namespace llvm

namespace quern::frontend {

class DiagnosticEngine;

/// What elaboration uses up.
enum class Resource {
  /// Expressions, statements and turns of loops.
  Steps,
  /// Of strings, lists and paths, as if all of them were kept.
  Bytes,
  /// Modules, arrays, parameters and states of the tree.
  Members,
  /// Operations of the graph with their operands.
  Operations,
};

/// What one model may still use. Whoever finds it spent gives up without a word: it is reported once, at the line
/// that took most.
class Budget {
public:
  Budget(const llvm::SourceMgr &sources, DiagnosticEngine &diagnostics);

  /// Takes `amount` for what is written at `place`; false when that is not left.
  bool spend(Resource resource, SourceRange place, uint64_t amount = 1) {
    if (closed)
      return false;
    Account &account = accounts[size_t(resource)];
    account.left -= amount;
    account.uncounted += amount;
    return account.uncounted < account.interval || count(resource, place);
  }
  bool isSpent() const { return closed; }
  /// Leaves nothing: the model has an error after which nothing is worth elaborating.
  void close();

private:
  /// One resource. Every `interval` units the place that takes the last of them is charged with all of them.
  struct Account {
    int64_t left = 0;
    uint64_t interval = 0, uncounted = 0;
    llvm::MapVector<const char *, std::pair<SourceRange, uint64_t>> places = {};
  };
  bool count(Resource resource, SourceRange place);
  void refuse(Resource resource);

  const llvm::SourceMgr &sources;
  DiagnosticEngine &diagnostics;
  std::array<Account, 4> accounts;
  bool closed = false;
};

} // namespace quern::frontend

#endif // QUERN_FRONTEND_BUDGET_H
