//===- HfConfig.h - Hugging Face's config.json ------------------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_HFCONFIG_H
#define QUERN_FRONTEND_CHECKPOINT_HFCONFIG_H

#include "frontend/checkpoint/ModelConfig.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace quern::frontend {

/// Reads the text of a `config.json` in either dialect and normalises it; see
/// ModelConfig.h. `path` is for messages.
llvm::Expected<ModelConfig> parseHfConfig(llvm::StringRef text, llvm::StringRef path);

/// Reads the file at `path`.
llvm::Expected<ModelConfig> readHfConfig(llvm::StringRef path);

/// Sets the values that hold when no file says otherwise.
void setConfigDefaults(ModelConfig &config);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_HFCONFIG_H
