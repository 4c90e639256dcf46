//===- SentencePiece.h - A SentencePiece model file -------------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Internal to the readers.
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_SENTENCEPIECE_H
#define QUERN_FRONTEND_CHECKPOINT_SENTENCEPIECE_H

#include "frontend/checkpoint/GgufVocabulary.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace quern::frontend {

/// What a `tokenizer.model` says, with the defaults of `sentencepiece_model.proto`.
/// Views the file.
struct SentencePieceModel {
  /// How pieces are chosen.
  enum class Kind : uint64_t { Unigram = 1, Bpe = 2 };

  /// A token.
  struct Piece {
    llvm::StringRef text;
    float score = 0;
    TokenKind kind = TokenKind::Normal;
  };

  /// The pieces, by number.
  std::vector<Piece> pieces;
  Kind kind = Kind::Unigram;
  bool byteFallback = false;
  /// The map of characters that texts are normalised with; empty: they are not.
  llvm::StringRef charsMap;
  /// Whether a space is put in front of a text.
  bool addDummyPrefix = true;
  /// Whether spaces at both ends, and all but one in a row, are dropped.
  bool removeExtraSpaces = true;
};

/// Reads the bytes of `file`. Refuses what is not such a model, models of words or
/// of characters, and those that put spaces behind words.
llvm::Expected<SentencePieceModel> parseSentencePiece(llvm::StringRef bytes, llvm::StringRef file);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_SENTENCEPIECE_H
