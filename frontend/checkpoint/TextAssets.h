//===- TextAssets.h - Tokenizer and chat template of a checkpoint *- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_TEXTASSETS_H
#define QUERN_FRONTEND_CHECKPOINT_TEXTASSETS_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace quern::frontend {

/// A Jinja template of conversations.
struct ChatTemplate {
  /// Templates without a name are `default`.
  std::string name;
  std::string source;
  /// File and key, for messages.
  std::string place;
};

/// What a binary needs to turn text into tokens and back; all empty for a
/// checkpoint without texts.
struct TextAssets {
  /// A `tokenizer.json` of the `tokenizers` library: the file's own, or one made
  /// from a GGUF vocabulary. Empty: the checkpoint has no tokenizer.
  std::string tokenizerJson;
  /// The file that it comes from, for messages.
  std::string tokenizerFile;
  /// No two of one name.
  std::vector<ChatTemplate> chatTemplates;
  /// Texts that templates know as `bos_token` and `eos_token`; may be empty.
  std::string bosToken;
  std::string eosToken;
  /// The token that starts a text.
  std::optional<int32_t> bosId;
  /// Tokens that end an answer (end of sequence, of turn, of message), ascending.
  std::vector<int32_t> stopIds;
  /// Whether `bosId` is put before a plain prompt. Encode prompts without the
  /// tokenizer's post-processor and put `bosId` in front iff this is set;
  /// conversations never get it, their template writes it.
  bool addBos = false;
  /// What is odd about the files and has been taken as it is: a line for each.
  std::vector<std::string> warnings;
};

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_TEXTASSETS_H
