//===- TensorTable.h - the agreement of a model with its checkpoint ---------------------------===//

#ifndef QUERN_FRONTEND_TENSORTABLE_H
#define QUERN_FRONTEND_TENSORTABLE_H

#include "frontend/Values.h"

#include "llvm/ADT/StringSet.h"
#include <map>

namespace quern::frontend {

class Checkpoint;
class DiagnosticEngine;

/// The tensors that a model wants, held against those that a checkpoint has.
class TensorTable {
public:
  /// `checkpoint` is null where none is given: then every tensor is there, as f32.
  TensorTable(const Checkpoint *checkpoint, mlir::MLIRContext *context, DiagnosticEngine &diagnostics)
      : checkpoint(checkpoint), context(context), diagnostics(diagnostics) {}

  /// The element type of tensor `name`; null where the checkpoint lacks it or has it in another
  /// shape or an element type that cannot be computed with, which `report` tells. `place` is the
  /// member in the model, `declaration` where the tensor itself is declared, if that is elsewhere.
  mlir::Type require(llvm::StringRef name, llvm::ArrayRef<Extent> shape, SourceRange place, SourceRange declaration);

  /// The element type of tensor `name`, which was required; null after an error.
  mlir::Type elementOfAccepted(llvm::StringRef name) const;

  /// Accepts `name` in the checkpoint without wanting it.
  void accept(llvm::StringRef name) { accepted.insert(name); }

  /// Reports the disagreements, one error for each place and kind, and at `root` the surplus
  /// tensors of the checkpoint, where the model `knowsAll` that it wants.
  void report(SourceRange root, bool knowsAll);

private:
  /// Tensors with the same error at one place.
  struct Group {
    SourceRange place, declaration;
    std::string message;
    std::vector<std::string> names;
    /// Of shapes: sizes that differ, found and wanted.
    std::vector<std::pair<std::string, std::string>> differences;
  };
  /// Joins tensors of which the same size is wrong: that has one cause.
  void mergeCauses();
  /// Whether the checkpoint has no tensor of the model, which is reported as one error.
  bool reportForeign(SourceRange root);
  void disagree(SourceRange place, SourceRange declaration, std::string key, std::string message, llvm::StringRef name);
  std::vector<std::string> surplus() const;

  const Checkpoint *checkpoint;
  mlir::MLIRContext *context;
  DiagnosticEngine &diagnostics;
  llvm::StringSet<> accepted;
  /// How many tensors the model wants.
  size_t wanted = 0;
  std::vector<Group> groups;
  /// Where the group of a place and a kind of error is.
  std::map<std::pair<const char *, std::string>, size_t> groupIndex;
};

} // namespace quern::frontend

#endif // QUERN_FRONTEND_TENSORTABLE_H
