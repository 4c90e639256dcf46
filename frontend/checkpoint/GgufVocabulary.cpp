//===- GgufVocabulary.cpp - The vocabulary in a GGUF file -----------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/GgufVocabulary.h"

#include "frontend/checkpoint/EndTokens.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <cmath>

using namespace llvm;
using namespace quern::frontend;

static constexpr StringLiteral tokensKey = "tokenizer.ggml.tokens";
static constexpr StringLiteral kindsKey = "tokenizer.ggml.token_type";
static constexpr StringLiteral scoresKey = "tokenizer.ggml.scores";
static constexpr StringLiteral mergesKey = "tokenizer.ggml.merges";

/// The longest token in bytes.
static constexpr size_t maxTokenLength = 4096;

bool quern::frontend::hasVocabulary(const GgufFile &file) { return file.find(tokensKey); }

/// "`FILE`: metadata `KEY`: " and `message`, as a warning.
static void warn(const GgufFile &file, StringRef key, GgufVocabulary &vocabulary, const Twine &message) {
  vocabulary.warnings.push_back(("`" + file.path() + "`: metadata `" + key + "`: " + message).str());
}

/// " and N more", or nothing.
static std::string countOthers(size_t all) { return all > 1 ? " and " + utostr(all - 1) + " more" : ""; }

/// Numbers the texts. An empty token gets a text of its own; of two tokens with
/// one text the last one counts, as in llama.cpp.
static void numberTokens(const GgufFile &file, GgufVocabulary &vocabulary) {
  std::vector<size_t> empty;
  std::vector<std::pair<size_t, size_t>> equal;
  for (auto [id, token] : llvm::enumerate(vocabulary.tokens)) {
    if (token.empty()) {
      empty.push_back(id);
      token = vocabulary.madeTexts.emplace_back("[EMPTY_" + utostr(id) + "]");
    }
    auto [place, isNew] = vocabulary.ids.try_emplace(token, int32_t(id));
    if (!isNew)
      equal.emplace_back(place->second, id);
    place->second = int32_t(id);
  }
  if (!empty.empty())
    warn(file, tokensKey, vocabulary,
         "token " + Twine(empty.front()) + countOthers(empty.size()) + ": found an empty text; " +
             "no text becomes it");
  if (!equal.empty())
    warn(file, tokensKey, vocabulary,
         "tokens " + Twine(equal.front().first) + " and " + Twine(equal.front().second) + " are both " +
             inBackticks(vocabulary.tokens[equal.front().first]) +
             (equal.size() > 1 ? ", and so are " + utostr(equal.size() - 1) + " other pairs" : "") +
             "; texts become the last one, and the others print nothing");
}

static Error readTokens(const GgufFile &file, GgufVocabulary &vocabulary) {
  const GgufValue *value = file.find(tokensKey);
  std::optional<std::vector<StringRef>> tokens;
  if (value)
    tokens = value->asStrings();
  if (!tokens || tokens->empty() || tokens->size() > size_t(INT32_MAX))
    return file.refuseKey(tokensKey,
                          "found " + (value ? value->describe() : "nothing") + ", expected an array of strings");
  vocabulary.tokens = std::move(*tokens);
  for (auto [id, token] : llvm::enumerate(vocabulary.tokens)) {
    if (token.size() > maxTokenLength)
      return file.refuseKey(tokensKey, "token " + Twine(id) + ": found " + Twine(token.size()) +
                                           " bytes, expected at most " + Twine(maxTokenLength));
    if (!isUtf8(token))
      return file.refuseKey(tokensKey, "token " + Twine(id) + ": found " + inBackticks(token) + ", expected UTF-8");
  }
  numberTokens(file, vocabulary);
  return Error::success();
}

static Error readKinds(const GgufFile &file, GgufVocabulary &vocabulary) {
  size_t count = vocabulary.tokens.size();
  vocabulary.kinds.assign(count, TokenKind::Normal);
  const GgufValue *value = file.find(kindsKey);
  if (!value) {
    warn(file, kindsKey, vocabulary, "found nothing, expected the kind of each token; no token is special");
    return Error::success();
  }
  std::optional<std::vector<int64_t>> kinds = value->asInts();
  if (!kinds || kinds->size() != count)
    return file.refuseKey(kindsKey,
                          "found " + value->describe() + ", expected an array of " + Twine(count) + " integers");
  std::vector<size_t> odd;
  for (auto [id, kind] : llvm::enumerate(*kinds)) {
    if (kind >= int64_t(TokenKind::Normal) && kind <= int64_t(TokenKind::Byte))
      vocabulary.kinds[id] = TokenKind(kind);
    else
      odd.push_back(id);
  }
  if (!odd.empty())
    warn(file, kindsKey, vocabulary,
         "token " + Twine(odd.front()) + countOthers(odd.size()) + ": found kind " + Twine((*kinds)[odd.front()]) +
             ", expected 1 to 6; taken as 1, a normal token");
  return Error::success();
}

static Error readScores(const GgufFile &file, GgufVocabulary &vocabulary) {
  const GgufValue *value = file.find(scoresKey);
  if (!value)
    return Error::success();
  std::optional<std::vector<float>> scores = value->asFloats();
  if (!scores || scores->size() != vocabulary.tokens.size())
    return file.refuseKey(scoresKey, "found " + value->describe() + ", expected an array of " +
                                         Twine(vocabulary.tokens.size()) + " f32");
  if (llvm::any_of(*scores, [](float score) { return std::isnan(score); }))
    return file.refuseKey(scoresKey, "found a score that is not a number");
  vocabulary.scores = std::move(*scores);
  return Error::success();
}

static Error readMerges(const GgufFile &file, GgufVocabulary &vocabulary) {
  const GgufValue *value = file.find(mergesKey);
  if (!value)
    return Error::success();
  std::optional<std::vector<StringRef>> lines = value->asStrings();
  if (!lines)
    return file.refuseKey(mergesKey, "found " + value->describe() + ", expected an array of strings");
  for (auto [rank, line] : llvm::enumerate(*lines)) {
    // The first part is not empty, so it may begin with the separator itself.
    size_t space = line.find(' ', 1);
    StringRef left = line.take_front(space);
    StringRef right = space == StringRef::npos ? "" : line.substr(space + 1);
    std::string joined = (left + right).str();
    if (right.empty() || !vocabulary.ids.count(left) || !vocabulary.ids.count(right) || !vocabulary.ids.count(joined))
      return file.refuseKey(mergesKey, "entry " + Twine(rank) + ": found " +
                                           (line.empty() ? "nothing" : inBackticks(line)) +
                                           ", expected two tokens that join to a third");
    vocabulary.merges.emplace_back(left, right);
  }
  return Error::success();
}

/// The number of a token under `key`, none if absent.
static Expected<std::optional<int32_t>> readId(const GgufFile &file, StringRef key, size_t count) {
  Expected<std::optional<int64_t>> id = file.getInt(key);
  if (!id)
    return id.takeError();
  if (!*id)
    return std::nullopt;
  if (**id < 0 || uint64_t(**id) >= count)
    return file.refuseKey(key, "found token " + Twine(**id) + ", expected one of the " + Twine(count) + " tokens");
  return int32_t(**id);
}

static Error readSpecialIds(const GgufFile &file, GgufVocabulary &vocabulary) {
  std::optional<int32_t> endOfTurn, endOfMessage;
  struct Row {
    StringLiteral key;
    std::optional<int32_t> &id;
  };
  for (Row row :
       {Row{"tokenizer.ggml.bos_token_id", vocabulary.bos}, Row{"tokenizer.ggml.eos_token_id", vocabulary.eos},
        Row{"tokenizer.ggml.unknown_token_id", vocabulary.unknown}, Row{"tokenizer.ggml.eot_token_id", endOfTurn},
        Row{"tokenizer.ggml.eom_token_id", endOfMessage}}) {
    Expected<std::optional<int32_t>> id = readId(file, row.key, vocabulary.tokens.size());
    if (!id)
      return id.takeError();
    row.id = *id;
  }
  for (std::optional<int32_t> id : {vocabulary.eos, endOfTurn, endOfMessage})
    if (id)
      vocabulary.stops.push_back(*id);
  // Whatever their kind is said to be, they are found in texts and not printed.
  for (StringRef text : endTokens)
    if (auto place = vocabulary.ids.find(text); place != vocabulary.ids.end()) {
      vocabulary.kinds[place->second] = TokenKind::Control;
      vocabulary.stops.push_back(place->second);
    }
  llvm::sort(vocabulary.stops);
  vocabulary.stops.erase(llvm::unique(vocabulary.stops), vocabulary.stops.end());
  return Error::success();
}

Expected<GgufVocabulary> quern::frontend::readVocabulary(const GgufFile &file) {
  GgufVocabulary vocabulary;
  using Step = Error (*)(const GgufFile &, GgufVocabulary &);
  for (Step step : {Step(readTokens), Step(readKinds), Step(readScores), Step(readMerges), Step(readSpecialIds)})
    if (Error error = step(file, vocabulary))
      return error;
  return vocabulary;
}
