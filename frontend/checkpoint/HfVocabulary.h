//===- HfVocabulary.h - Tokenizers from before tokenizer.json ---*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Internal to the readers.
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_HFVOCABULARY_H
#define QUERN_FRONTEND_CHECKPOINT_HFVOCABULARY_H

#include "frontend/checkpoint/HfTokens.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <nlohmann/json.hpp>

#include <string>

namespace quern::frontend {

/// The largest file of a vocabulary that is read.
constexpr uint64_t maxTokenizerBytes = 256 << 20;

/// Path of the file that the tokenizer of `folder` is in: of `tokenizer.json`,
/// `tokenizer.model` and `vocab.json` the first that exists; else empty.
std::string findTokenizerFile(llvm::StringRef folder);

/// The tree of a `tokenizer.json` made from `file`, as the transformers library
/// makes it: a SentencePiece model, or the `vocab.json` of byte-level byte pairs
/// with a `merges.txt` beside it. `modelType` is the configuration's; it counts
/// where `files` do not say which class the tokenizer is of.
llvm::Expected<nlohmann::json> makeTokenizer(llvm::StringRef file, const HfTokenFiles &files,
                                             llvm::StringRef modelType);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_HFVOCABULARY_H
