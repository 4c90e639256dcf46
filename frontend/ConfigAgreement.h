//===- ConfigAgreement.h - whether a model is made for a configuration ------------------------===//

#ifndef QUERN_FRONTEND_CONFIGAGREEMENT_H
#define QUERN_FRONTEND_CONFIGAGREEMENT_H

#include "frontend/Ast.h"

#include "llvm/Support/LogicalResult.h"

namespace quern::frontend {

class DiagnosticEngine;
class ModelConfig;
class Program;

/// Whether the `model_type` of `config` is one that the model declares to be for; reports another.
llvm::LogicalResult checkPurpose(const Program &program, const ModelConfig &config, DiagnosticEngine &diagnostics);

/// Holds the keys of `config` that no file of the model declares against ConfigKeys.def: those that
/// change results are errors at `root`, others a note. Fails after an error.
llvm::LogicalResult checkUnread(const Program &program, const ModelConfig &config, SourceRange root,
                                DiagnosticEngine &diagnostics);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CONFIGAGREEMENT_H
