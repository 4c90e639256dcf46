//===- GgufVocabulary.h - The vocabulary in a GGUF file ---------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_GGUFVOCABULARY_H
#define QUERN_FRONTEND_CHECKPOINT_GGUFVOCABULARY_H

#include "frontend/checkpoint/Gguf.h"
#include "frontend/checkpoint/TextAssets.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace quern::frontend {

/// What a token is, with the numbers in the file.
enum class TokenKind : int32_t { Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6 };

/// Two tokens that are joined into one.
using TokenMerge = std::pair<llvm::StringRef, llvm::StringRef>;

/// The tokens of a file, checked: valid UTF-8. Views the file.
struct GgufVocabulary {
  /// Text of each token, by number; "[EMPTY_N]" for an empty token N.
  std::vector<llvm::StringRef> tokens;
  /// Kind of each token.
  std::vector<TokenKind> kinds;
  /// Score of each token; empty unless the file has scores.
  std::vector<float> scores;
  /// The pairs to join, first ones first; empty unless the file lists them.
  std::vector<TokenMerge> merges;
  /// Number of each text: the last one of the tokens with that text.
  llvm::DenseMap<llvm::StringRef, int32_t> ids;
  /// `tokenizer.ggml.{bos,eos,unknown}_token_id`.
  std::optional<int32_t> bos, eos, unknown;
  /// All tokens that end an answer, ascending.
  std::vector<int32_t> stops;
  /// What is odd and has been taken as it is.
  std::vector<std::string> warnings;
  /// Texts that are not in the file; their addresses stay.
  std::deque<std::string> madeTexts;

  /// Whether texts become `token`: false for one whose text a later token has too.
  bool isReached(size_t token) const { return ids.lookup(tokens[token]) == int32_t(token); }
};

/// True if the file has a vocabulary.
bool hasVocabulary(const GgufFile &file);

/// Reads and checks the vocabulary of `file`.
llvm::Expected<GgufVocabulary> readVocabulary(const GgufFile &file);

/// The tokenizer and chat template of `file`, which must outlive the call only.
/// Knows the tokenizer models `gpt2` (bytes; see `GgufVocabulary.def` for how
/// texts are cut) and `llama` (SentencePiece with byte fallback).
llvm::Expected<TextAssets> readGgufText(const GgufFile &file);

/// An entry of `added_tokens` in a `tokenizer.json`.
nlohmann::json makeAddedToken(llvm::StringRef text, const nlohmann::json &id, bool special);

/// Sets the parts of a `tokenizer.json` that cut texts as the row `name` of
/// `GgufVocabulary.def` says, and write every byte as one printable character.
void setByteLevelParts(nlohmann::json &tokenizer, llvm::StringRef name);

/// The model of a `tokenizer.json` that joins the pair whose result scores highest,
/// and writes characters without a token as bytes. None: finding the pairs takes
/// too much.
std::optional<nlohmann::json> makeScoredPairs(const GgufVocabulary &vocabulary);

/// A `tokenizer.json` for the pieces of SentencePiece: spaces become a sign, in
/// front of a text too if `addPrefix` says so.
nlohmann::json makeSentencePiece(const GgufVocabulary &vocabulary, nlohmann::json model, bool addPrefix);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_GGUFVOCABULARY_H
