//===- EndTokens.h - Tokens that end an answer ------------------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Internal to the readers.
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_ENDTOKENS_H
#define QUERN_FRONTEND_CHECKPOINT_ENDTOKENS_H

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"

namespace quern::frontend {

/// The tokens that end an answer whatever ids a checkpoint names and of whatever
/// kind it says that they are: the list that llama.cpp has for `llama`.
constexpr llvm::StringLiteral endTokens[] = {"<|im_end|>",    "<|eot_id|>",      "<|eom_id|>",    "<|end|>",
                                             "<|endoftext|>", "<|end_of_text|>", "<end_of_turn>", "<end_of_utterance>",
                                             "<EOT>",         "_<EOT>"};

/// Whether `text` is one of them.
inline bool isEndToken(llvm::StringRef text) { return llvm::is_contained(endTokens, text); }

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_ENDTOKENS_H
