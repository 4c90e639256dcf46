//===- Description.h - what a binary says of itself -------------------------------------------===//

#ifndef QUERN_CODEGEN_DESCRIPTION_H
#define QUERN_CODEGEN_DESCRIPTION_H

#include "codegen/Codegen.h"
#include "codegen/Packer.h"

namespace quern::codegen {

/// All that the description tells (its JSON is specified in runtime/include/quern/Format.h).
struct DescriptionInputs {
  llvm::ArrayRef<TargetModule> targets;
  llvm::ArrayRef<ParameterPlacement> parameters;
  uint64_t weightsBytes = 0;
  std::string model;
  bool exact = false;
  const TextAssets *text = nullptr;
  const ImageAssets *image = nullptr;
  const GuessTree *guesses = nullptr;
  /// Offset of the tokenizer from the start of the data section.
  uint64_t tokenizerOffset = 0;
};

/// The description as JSON; the same inputs give the same bytes.
std::string describe(const DescriptionInputs &inputs);

/// What a guesser gives for a row: so many tokens of each of so many heads.
struct Guesses {
  int64_t heads, perHead;
};

/// The guesses of the entry of `graph` that guesses behind its language model, which gives it the rows; none where no
/// entry does.
std::optional<Guesses> findGuesses(mlir::ModuleOp graph);

/// The programs of `module` in the order of the description: by entry, most special variant first, the general form
/// last.
llvm::SmallVector<ProgramOp> orderPrograms(mlir::ModuleOp module);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_DESCRIPTION_H
