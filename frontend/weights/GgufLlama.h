//===- GgufLlama.h - GGUF's architecture llama as a Hugging Face model *- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_WEIGHTS_GGUFLLAMA_H
#define QUERN_FRONTEND_WEIGHTS_GGUFLLAMA_H

#include "frontend/weights/Gguf.h"
#include "frontend/weights/ModelConfig.h"

#include "llvm/Support/Error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace quern::frontend {

/// Refuses files of another architecture than `llama`, and parts of split files.
llvm::Error checkArchitecture(const GgufFile &file);

/// The tensors with Hugging Face names; rows of rotary projections are marked as
/// interleaved by head. Names that the architecture does not know stay as they
/// are, so that whoever builds the model can say that they are not used.
llvm::Expected<std::vector<StoredTensor>> readGgufTensors(const GgufFile &file);

/// The metadata under the keys of `config.json`, but for defaults that do not
/// depend on the file; see ModelConfig.h.
llvm::Expected<ModelConfig> readGgufConfig(const GgufFile &file);

/// Refuses metadata that changes results in a way that models do not, by name
/// (GgufKeys.def). `config` is what `readGgufConfig` made of the rest.
llvm::Error checkInfluence(const GgufFile &file, const ModelConfig &config);

/// A warning for every key of the architecture and its tokenizer that is not known.
std::vector<std::string> listUnknownKeys(const GgufFile &file);

/// An integer of the metadata that may also be stored once per layer; refuses
/// lists whose elements differ.
llvm::Expected<std::optional<int64_t>> getUniformInt(const GgufFile &file, llvm::StringRef key);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_WEIGHTS_GGUFLLAMA_H
