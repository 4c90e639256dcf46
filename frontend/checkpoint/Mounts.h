//===- Mounts.h - What one mount brings along -------------------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Internal to the readers.
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_MOUNTS_H
#define QUERN_FRONTEND_CHECKPOINT_MOUNTS_H

#include "frontend/checkpoint/Gguf.h"
#include "frontend/checkpoint/MappedFile.h"
#include "frontend/checkpoint/ModelConfig.h"
#include "frontend/checkpoint/StoredTensor.h"
#include "frontend/checkpoint/TextAssets.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace quern::frontend {

/// A mapped file and the tensors in it.
struct MountedFile {
  std::unique_ptr<MappedFile> file;
  std::vector<StoredTensor> tensors;
};

/// A GGUF file, a safetensors file, or a Hugging Face directory.
struct MountedSource {
  std::vector<MountedFile> files;
  /// The container, if it is a GGUF file: its metadata is configuration and text.
  /// It views the bytes of the mapped file, which must outlive it.
  std::optional<GgufFile> gguf;
  /// Else the folder of the file or files, where `config.json` and
  /// `tokenizer.json` may lie.
  std::string folder;

  /// Whether there is a configuration to read.
  bool hasConfig() const;
  /// Reads it.
  llvm::Expected<ModelConfig> readConfig() const;
  /// Makes of what the files store the tensors that models ask for; `config` is
  /// what describes them.
  llvm::Error arrange(const ModelConfig &config);
  /// What is odd about the configuration, and has been taken as it is.
  std::vector<std::string> listConfigWarnings() const;
  /// Whether there is a tokenizer to read.
  bool hasText() const;
  /// Reads tokenizer and chat template.
  llvm::Expected<TextAssets> readText() const;
  /// Path of the `preprocessor_config.json`; empty if there is none.
  std::string findImageConfig() const;
};

/// Opens `path` and reads its tables of tensors. `mount` is its name; a folder may
/// have a file for it that is not called `model.safetensors`.
llvm::Expected<MountedSource> openSource(llvm::StringRef path, llvm::StringRef mount);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_MOUNTS_H
