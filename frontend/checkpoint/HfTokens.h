//===- HfTokens.h - Special tokens of a Hugging Face directory --*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Internal to the readers.
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_HFTOKENS_H
#define QUERN_FRONTEND_CHECKPOINT_HFTOKENS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace quern::frontend {

/// The files beside a `tokenizer.json` that name tokens, as trees; an empty object
/// stands for a file that is not there.
struct HfTokenFiles {
  /// `tokenizer_config.json`.
  nlohmann::json config = nlohmann::json::object();
  /// `special_tokens_map.json` and `added_tokens.json`, from before the
  /// configuration had `added_tokens_decoder`; with that, they do not count.
  nlohmann::json specialTokens = nlohmann::json::object();
  nlohmann::json addedTokens = nlohmann::json::object();

  /// The text of the token called `role` (`bos_token`); empty if there is none.
  std::string tokenOf(const char *role) const;
};

/// What a post-processor puts around a single text.
struct HfSurroundings {
  /// Tokens before it.
  std::vector<int32_t> before;
  /// Whether anything follows it.
  bool hasAfter = false;
};

/// The member `name` of an object, or null.
const nlohmann::json *findMember(const nlohmann::json &object, const char *name);

/// A token's text: a string, or an object with the string `content`; else empty.
std::string readTokenText(const nlohmann::json *token);

/// A number that can be a token's.
std::optional<int32_t> readTokenId(const nlohmann::json *id);

/// The number of a token, among the added tokens of `tokenizer` or in its vocabulary.
std::optional<int32_t> findTokenId(const nlohmann::json &tokenizer, const std::string &token);

/// Adds to the tree of a `tokenizer.json` the tokens that only `files` name, with
/// their flags; true if there are any. The flags in `added_tokens_decoder` go
/// before those in `tokenizer`. `folder` is for messages.
llvm::Expected<bool> mergeAddedTokens(nlohmann::json &tokenizer, const HfTokenFiles &files, llvm::StringRef folder);

/// What the post-processor of `tokenizer` does.
HfSurroundings readSurroundings(const nlohmann::json &tokenizer);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_HFTOKENS_H
