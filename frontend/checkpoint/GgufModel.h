//===- GgufModel.h - GGUF files as Hugging Face models ----------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_GGUFMODEL_H
#define QUERN_FRONTEND_CHECKPOINT_GGUFMODEL_H

#include "frontend/checkpoint/Gguf.h"
#include "frontend/checkpoint/ModelConfig.h"

#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace quern::frontend {

/// The tensors with Hugging Face names, a stack of experts as a matrix for each;
/// rows of rotary projections are marked as interleaved by head. Names that the
/// architecture does not know stay as they are, so that whoever builds the model
/// can say that they are not used.
llvm::Expected<std::vector<StoredTensor>> readGgufTensors(const GgufFile &file);

/// The metadata under the keys of `config.json`, but for defaults that do not
/// depend on the file; see ModelConfig.h.
llvm::Expected<ModelConfig> readGgufConfig(const GgufFile &file);

/// A warning for every key of the architecture and its tokenizer that is not known.
std::vector<std::string> listUnknownKeys(const GgufFile &file);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_GGUFMODEL_H
