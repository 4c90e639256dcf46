//===- HfText.h - Tokenizer files of a Hugging Face directory ---*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_HFTEXT_H
#define QUERN_FRONTEND_CHECKPOINT_HFTEXT_H

#include "frontend/checkpoint/TextAssets.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace quern::frontend {

/// Reads the tokenizer in `folder` (HfVocabulary.h) and, where they exist, beside it
/// `tokenizer_config.json`, chat templates (HfChat.h), `generation_config.json` and
/// `config.json`.
llvm::Expected<TextAssets> readHfText(llvm::StringRef folder);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_HFTEXT_H
