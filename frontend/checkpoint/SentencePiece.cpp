//===- SentencePiece.cpp - A SentencePiece model file ---------------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The file is a message of protocol buffers: fields, each with its number and one
// of four kinds of value. Messages in messages are read where they are known; no
// field is deeper than two.
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/SentencePiece.h"

#include "frontend/checkpoint/StoredTensor.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"

#include <cmath>

using namespace llvm;
using namespace quern::frontend;

namespace {

/// The field of a message.
struct Field {
  uint64_t number = 0;
  /// The value of a number; a text's is its length.
  uint64_t value = 0;
  /// A text, or a message.
  StringRef text;
};

/// Reads the messages of one file.
class Parser {
public:
  Parser(StringRef bytes, StringRef file) : begin(bytes.data()), file(file) {}

  Error parseModel(StringRef message, SentencePieceModel &model);

private:
  Error fail(StringRef rest, const Twine &what) const;
  Expected<uint64_t> takeNumber(StringRef &rest) const;
  Expected<Field> takeField(StringRef &rest) const;
  Error forEachField(StringRef message, function_ref<Error(const Field &)> visit) const;
  Error parsePiece(StringRef message, SentencePieceModel &model) const;
  Error parseTrainer(StringRef message, SentencePieceModel &model) const;
  Error parseNormalizer(StringRef message, SentencePieceModel &model) const;

  const char *begin;
  StringRef file;
};

} // namespace

Error Parser::fail(StringRef rest, const Twine &what) const {
  return refuse("`" + file + "` at byte " + Twine(rest.data() - begin) + ": " + what);
}

/// A number of up to 64 bits, seven in each byte, the low ones first.
Expected<uint64_t> Parser::takeNumber(StringRef &rest) const {
  uint64_t value = 0;
  StringRef start = rest;
  for (unsigned shift = 0; shift < 64 && !rest.empty(); shift += 7) {
    uint8_t byte = rest.front();
    rest = rest.drop_front();
    value |= uint64_t(byte & 0x7f) << shift;
    if (byte < 0x80)
      return value;
  }
  return fail(start, "found the start of a number, expected its end");
}

Expected<Field> Parser::takeField(StringRef &rest) const {
  enum Wire { Number = 0, Fixed64 = 1, Text = 2, Fixed32 = 5 };
  StringRef start = rest;
  Expected<uint64_t> key = takeNumber(rest);
  if (!key)
    return key.takeError();
  Field field{*key >> 3, 0, {}};
  unsigned wire = *key & 7;
  if (wire == Number || wire == Text) {
    Expected<uint64_t> value = takeNumber(rest);
    if (!value)
      return value.takeError();
    field.value = *value;
  }
  if (wire == Number)
    return field;
  if (wire != Text && wire != Fixed32 && wire != Fixed64)
    return fail(start, "found a field of kind " + Twine(wire) + ", expected a SentencePiece model");
  uint64_t size = wire == Text ? field.value : wire == Fixed32 ? 4 : 8;
  if (size > rest.size())
    return fail(start, "found a field of " + Twine(size) + " bytes where " + Twine(rest.size()) + " are left");
  field.text = rest.take_front(size);
  if (wire == Fixed32)
    field.value = support::endian::read32le(rest.data());
  rest = rest.drop_front(size);
  return field;
}

Error Parser::forEachField(StringRef message, function_ref<Error(const Field &)> visit) const {
  while (!message.empty()) {
    Expected<Field> field = takeField(message);
    if (!field)
      return field.takeError();
    if (Error error = visit(*field))
      return error;
  }
  return Error::success();
}

Error Parser::parsePiece(StringRef message, SentencePieceModel &model) const {
  SentencePieceModel::Piece piece;
  uint64_t kind = uint64_t(TokenKind::Normal);
  Error error = forEachField(message, [&](const Field &field) -> Error {
    if (field.number == 1)
      piece.text = field.text;
    if (field.number == 2)
      piece.score = llvm::bit_cast<float>(uint32_t(field.value));
    if (field.number == 3)
      kind = field.value;
    return Error::success();
  });
  if (error)
    return error;
  std::string name = "piece " + std::to_string(model.pieces.size());
  if (!isUtf8(piece.text))
    return fail(message, name + ": found " + inBackticks(piece.text) + ", expected UTF-8");
  if (!std::isfinite(piece.score))
    return fail(message, name + ": found a score that is no number");
  if (kind < uint64_t(TokenKind::Normal) || kind > uint64_t(TokenKind::Byte))
    return fail(message, name + ": found kind " + Twine(kind) + ", expected 1 to 6");
  piece.kind = TokenKind(kind);
  model.pieces.push_back(piece);
  return Error::success();
}

Error Parser::parseTrainer(StringRef message, SentencePieceModel &model) const {
  return forEachField(message, [&](const Field &field) -> Error {
    if (field.number == 3 && field.value != 1 && field.value != 2)
      return fail(message, "found a model of type " + Twine(field.value) + ", expected 1 (Unigram) or 2 (byte pairs)");
    if (field.number == 3)
      model.kind = SentencePieceModel::Kind(field.value);
    if (field.number == 24 && field.value)
      return fail(message, "found `treat_whitespace_as_suffix`, expected spaces before words");
    if (field.number == 35)
      model.byteFallback = field.value != 0;
    return Error::success();
  });
}

Error Parser::parseNormalizer(StringRef message, SentencePieceModel &model) const {
  return forEachField(message, [&](const Field &field) -> Error {
    if (field.number == 2)
      model.charsMap = field.text;
    if (field.number == 3)
      model.addDummyPrefix = field.value != 0;
    if (field.number == 4)
      model.removeExtraSpaces = field.value != 0;
    if (field.number == 5 && !field.value)
      return fail(message, "found no `escape_whitespaces`, expected spaces that are escaped");
    return Error::success();
  });
}

Error Parser::parseModel(StringRef message, SentencePieceModel &model) {
  return forEachField(message, [&](const Field &field) -> Error {
    switch (field.number) {
    case 1:
      return parsePiece(field.text, model);
    case 2:
      return parseTrainer(field.text, model);
    case 3:
      return parseNormalizer(field.text, model);
    default:
      return Error::success();
    }
  });
}

Expected<SentencePieceModel> quern::frontend::parseSentencePiece(StringRef bytes, StringRef file) {
  SentencePieceModel model;
  if (Error error = Parser(bytes, file).parseModel(bytes, model))
    return error;
  if (model.pieces.empty())
    return refuse("`" + file + "`: found no pieces, expected a SentencePiece model");
  return model;
}
