//===- GgufInfluence.h - Metadata that changes results ----------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Internal to the readers of GGUF.
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_GGUFINFLUENCE_H
#define QUERN_FRONTEND_CHECKPOINT_GGUFINFLUENCE_H

#include "frontend/checkpoint/GgufFamily.h"
#include "frontend/checkpoint/ModelConfig.h"

#include "llvm/Support/Error.h"

namespace quern::frontend {

/// Refuses metadata that changes results in a way that models do not, by name
/// (GgufKeys.def). `config` is what `readGgufConfig` made of the rest.
llvm::Error checkInfluence(const GgufModel &model, const ModelConfig &config);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_GGUFINFLUENCE_H
