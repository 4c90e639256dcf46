//===- GgufText.cpp - A tokenizer from a GGUF vocabulary ------------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/GgufVocabulary.h"

#include "frontend/checkpoint/Json.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"

#include <map>
#include <tuple>

using namespace llvm;
using namespace quern::frontend;
using nlohmann::json;

namespace {

/// A row of GgufVocabulary.def.
struct PreTokenizer {
  StringLiteral name;
  bool nfc;
  bool ignoreMerges;
  bool addBos;
  /// The expressions; unused places are empty.
  StringRef splits[4];
};

/// A merge derived from scores, with what orders it.
struct ScoredMerge {
  TokenMerge merge;
  float score;
  int64_t leftLength, rightLength;
  /// Place among all merges before they are ordered.
  size_t found;
};

} // namespace

static constexpr PreTokenizer preTokenizers[] = {
#define QUERN_PRE_TOKENIZER(name, nfc, ignoreMerges, addBos, ...) {name, nfc, ignoreMerges, addBos, {__VA_ARGS__}},
#include "frontend/checkpoint/GgufVocabulary.def"
};

/// SentencePiece's sign for a space, U+2581.
static constexpr StringLiteral spaceSign = "\xe2\x96\x81";

static json toJson(StringRef text) { return text.str(); }

json quern::frontend::makeAddedToken(StringRef text, const json &id, bool special) {
  return {{"id", id},        {"content", toJson(text)}, {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false},     {"special", special}};
}

/// Tokens that are found in a text before it is cut: control tokens, which a
/// caller may choose to read as plain text, and those that a user defined.
static json addedTokens(const GgufVocabulary &vocabulary) {
  json list = json::array();
  for (auto [id, token] : llvm::enumerate(vocabulary.tokens)) {
    TokenKind kind = vocabulary.kinds[id];
    bool special = kind == TokenKind::Control || kind == TokenKind::Unknown;
    if ((!special && kind != TokenKind::UserDefined) || !vocabulary.isReached(id))
      continue;
    list.push_back(makeAddedToken(token, id, special));
  }
  return list;
}

static json mergeTable(ArrayRef<TokenMerge> merges) {
  json table = json::array();
  for (const auto &[left, right] : merges)
    table.push_back({toJson(left), toJson(right)});
  return table;
}

/// The part that joins pairs of tokens; `merges` in order of preference.
static json bytePairModel(const GgufVocabulary &vocabulary, ArrayRef<TokenMerge> merges) {
  json tokens = json::object();
  for (auto [id, token] : llvm::enumerate(vocabulary.tokens))
    tokens[token.str()] = id;
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", nullptr},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", false},
          {"byte_fallback", false},
          {"ignore_merges", false},
          {"vocab", std::move(tokens)},
          {"merges", mergeTable(merges)}};
}

static json tokenizerOf(const GgufVocabulary &vocabulary, json model) {
  return {{"version", "1.0"},          {"truncation", nullptr},
          {"padding", nullptr},        {"added_tokens", addedTokens(vocabulary)},
          {"normalizer", nullptr},     {"pre_tokenizer", nullptr},
          {"post_processor", nullptr}, {"decoder", nullptr},
          {"model", std::move(model)}};
}

static std::string listPreTokenizers() {
  std::string list;
  for (const PreTokenizer &row : preTokenizers)
    list += (list.empty() ? "`" : ", `") + row.name.str() + "`";
  return list;
}

static Expected<const PreTokenizer *> findPreTokenizer(const GgufFile &file, std::vector<std::string> &warnings) {
  static constexpr StringLiteral key = "tokenizer.ggml.pre";
  Expected<std::optional<std::string>> name = file.getString(key);
  if (!name)
    return name.takeError();
  if (!*name)
    warnings.push_back(("`" + file.path() + "`: metadata `" + key +
                        "`: found nothing, assumed `default`; texts may be cut otherwise than the "
                        "model expects")
                           .str());
  std::string wanted = name->value_or("default");
  for (const PreTokenizer &row : preTokenizers)
    if (row.name == wanted)
      return &row;
  return file.refuseKey(key, "found pre-tokenizer " + inBackticks(wanted) + ", expected one of " + listPreTokenizers());
}

/// Sets the parts that cut texts as `row` says and write every byte as one printable
/// character.
static void setPartsOf(const PreTokenizer &row, json &tokenizer) {
  json steps = json::array();
  for (StringRef split : row.splits)
    if (!split.empty())
      steps.push_back(
          {{"type", "Split"}, {"pattern", {{"Regex", toJson(split)}}}, {"behavior", "Isolated"}, {"invert", false}});
  json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}};
  steps.push_back(bytes);
  tokenizer["model"]["ignore_merges"] = row.ignoreMerges;
  if (row.nfc)
    tokenizer["normalizer"] = {{"type", "NFC"}};
  tokenizer["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
  tokenizer["decoder"] = std::move(bytes);
}

void quern::frontend::setByteLevelParts(json &tokenizer, StringRef name) {
  const PreTokenizer *row = llvm::find_if(preTokenizers, [&](const PreTokenizer &row) { return row.name == name; });
  assert(row != std::end(preTokenizers) && "expected a row of GgufVocabulary.def");
  setPartsOf(*row, tokenizer);
}

/// Byte-level byte pairs: every byte is written as one printable character.
static Expected<json> byteLevelTokenizer(const GgufFile &file, GgufVocabulary &vocabulary, bool &addBos) {
  static constexpr StringLiteral mergesKey = "tokenizer.ggml.merges";
  if (vocabulary.merges.empty())
    return file.refuseKey(mergesKey, "found " + StringRef(file.find(mergesKey) ? "none" : "nothing") +
                                         ", expected the pairs that tokens are merged from; the "
                                         "file was converted without them");
  Expected<const PreTokenizer *> pre = findPreTokenizer(file, vocabulary.warnings);
  if (!pre)
    return pre.takeError();
  addBos = (*pre)->addBos;
  json tokenizer = tokenizerOf(vocabulary, bytePairModel(vocabulary, vocabulary.merges));
  setPartsOf(**pre, tokenizer);
  return tokenizer;
}

/// Number of characters in valid UTF-8.
static int64_t countCharacters(StringRef text) {
  return llvm::count_if(text, [](char c) { return (uint8_t(c) & 0xc0) != 0x80; });
}

/// The most bytes that the pairs of a vocabulary are looked for in, counted per
/// token and place where it may be cut: a second's work.
static constexpr uint64_t maxCutBytes = uint64_t(1) << 31;
/// The most pairs, and bytes in them, that a vocabulary may have. Vocabularies of
/// 256 Ki tokens have half a million pairs.
static constexpr uint64_t maxMerges = uint64_t(1) << 22;
static constexpr uint64_t maxMergeBytes = uint64_t(1) << 26;

/// The ways to make the normal token `token` of two others, by their numbers.
static void splitToken(const GgufVocabulary &vocabulary, int32_t token, std::vector<ScoredMerge> &merges) {
  std::map<std::pair<int32_t, int32_t>, TokenMerge> found;
  StringRef text = vocabulary.tokens[token];
  for (size_t cut = 1; cut < text.size(); ++cut) {
    auto left = vocabulary.ids.find(text.take_front(cut));
    auto right = vocabulary.ids.find(text.drop_front(cut));
    if (left != vocabulary.ids.end() && right != vocabulary.ids.end())
      found.emplace(std::pair(left->second, right->second), TokenMerge(left->first, right->first));
  }
  for (const auto &[numbers, merge] : found)
    merges.push_back(
        {merge, vocabulary.scores[token], countCharacters(merge.first), countCharacters(merge.second), merges.size()});
}

/// SentencePiece joins the pair whose result scores highest. As a list of pairs:
/// every way to make a token, by descending score; among equals the order that
/// the transformers library gives them. None: finding them takes too much.
static std::optional<std::vector<TokenMerge>> mergesFromScores(const GgufVocabulary &vocabulary) {
  std::vector<ScoredMerge> merges;
  uint64_t cutBytes = 0, mergeBytes = 0;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (vocabulary.kinds[id] != TokenKind::Normal || !vocabulary.isReached(id))
      continue;
    uint64_t length = vocabulary.tokens[id].size();
    size_t known = merges.size();
    cutBytes += length * length;
    splitToken(vocabulary, int32_t(id), merges);
    mergeBytes += (merges.size() - known) * length;
    if (cutBytes > maxCutBytes || merges.size() > maxMerges || mergeBytes > maxMergeBytes)
      return std::nullopt;
  }
  llvm::sort(merges, [](const ScoredMerge &a, const ScoredMerge &b) {
    return std::tie(b.score, b.leftLength, b.rightLength, a.found) <
           std::tie(a.score, a.leftLength, a.rightLength, b.found);
  });
  std::vector<TokenMerge> result;
  for (const ScoredMerge &merge : merges)
    result.push_back(merge.merge);
  return result;
}

std::optional<json> quern::frontend::makeScoredPairs(const GgufVocabulary &vocabulary) {
  std::optional<std::vector<TokenMerge>> merges = mergesFromScores(vocabulary);
  if (!merges)
    return std::nullopt;
  json model = bytePairModel(vocabulary, *merges);
  model["byte_fallback"] = true;
  model["fuse_unk"] = true;
  if (vocabulary.unknown)
    model["unk_token"] = toJson(vocabulary.tokens[*vocabulary.unknown]);
  return model;
}

json quern::frontend::makeSentencePiece(const GgufVocabulary &vocabulary, json model, bool addPrefix) {
  json normalizers = json::array();
  json decoders = json::array();
  if (addPrefix)
    normalizers.push_back({{"type", "Prepend"}, {"prepend", toJson(spaceSign)}});
  normalizers.push_back({{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", toJson(spaceSign)}});
  decoders.push_back({{"type", "Replace"}, {"pattern", {{"String", toJson(spaceSign)}}}, {"content", " "}});
  decoders.push_back({{"type", "ByteFallback"}});
  decoders.push_back({{"type", "Fuse"}});
  if (addPrefix)
    decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});

  json tokenizer = tokenizerOf(vocabulary, std::move(model));
  tokenizer["normalizer"] = {{"type", "Sequence"}, {"normalizers", std::move(normalizers)}};
  tokenizer["decoder"] = {{"type", "Sequence"}, {"decoders", std::move(decoders)}};
  return tokenizer;
}

static Expected<json> sentencePieceTokenizer(const GgufFile &file, const GgufVocabulary &vocabulary) {
  if (vocabulary.scores.empty())
    return file.refuseKey("tokenizer.ggml.scores", "found nothing, expected a score per token");
  Expected<std::optional<bool>> prefix = file.getBool("tokenizer.ggml.add_space_prefix");
  if (!prefix)
    return prefix.takeError();
  std::optional<json> model = makeScoredPairs(vocabulary);
  if (!model)
    return file.refuseKey("tokenizer.ggml.tokens", "found tokens that are made of others in too many ways, expected at "
                                                   "most " +
                                                       Twine(maxMerges) + " pairs of " + Twine(maxMergeBytes) +
                                                       " bytes");
  return makeSentencePiece(vocabulary, std::move(*model), prefix->value_or(true));
}

static Expected<json> buildTokenizer(const GgufFile &file, GgufVocabulary &vocabulary, bool &addBos) {
  static constexpr StringLiteral key = "tokenizer.ggml.model";
  Expected<std::optional<std::string>> model = file.getString(key);
  if (!model)
    return model.takeError();
  std::string name = model->value_or("");
  if (name == "gpt2")
    return byteLevelTokenizer(file, vocabulary, addBos);
  addBos = true;
  if (name == "llama")
    return sentencePieceTokenizer(file, vocabulary);
  return file.refuseKey(key, "found " + inBackticks(name) + ", expected `gpt2` or `llama`");
}

/// The template, and others with their names behind its key.
static Expected<std::vector<ChatTemplate>> readChatTemplates(const GgufFile &file) {
  static constexpr StringLiteral key = "tokenizer.chat_template";
  std::vector<ChatTemplate> templates;
  for (const auto &[name, value] : file.metadata()) {
    StringRef rest = name;
    if (!rest.consume_front(key) || (!rest.empty() && !rest.consume_front(".")))
      continue;
    Expected<std::optional<std::string>> source = file.getString(name);
    if (!source)
      return source.takeError();
    std::string place = "`" + file.path().str() + "`: metadata " + inBackticks(name);
    if (!(*source)->empty())
      templates.push_back({rest.empty() ? "default" : rest.str(), std::move(**source), place});
  }
  return templates;
}

Expected<TextAssets> quern::frontend::readGgufText(const GgufFile &file) {
  Expected<GgufVocabulary> vocabulary = readVocabulary(file);
  if (!vocabulary)
    return vocabulary.takeError();
  bool addBos = false;
  Expected<json> tokenizer = buildTokenizer(file, *vocabulary, addBos);
  if (!tokenizer)
    return tokenizer.takeError();
  Expected<std::optional<bool>> flag = file.getBool("tokenizer.ggml.add_bos_token");
  if (!flag)
    return flag.takeError();
  Expected<std::vector<ChatTemplate>> templates = readChatTemplates(file);
  if (!templates)
    return templates.takeError();

  Expected<std::optional<bool>> addEos = file.getBool("tokenizer.ggml.add_eos_token");
  if (!addEos)
    return addEos.takeError();

  TextAssets text;
  text.warnings = std::move(vocabulary->warnings);
  if (addEos->value_or(false))
    text.warnings.push_back(("`" + file.path() +
                             "`: metadata `tokenizer.ggml.add_eos_token`: found "
                             "true; prompts are continued, no end is put behind them")
                                .str());
  text.tokenizerJson = tokenizer->dump();
  text.chatTemplates = std::move(*templates);
  text.bosId = vocabulary->bos;
  text.stopIds = vocabulary->stops;
  if (vocabulary->bos)
    text.bosToken = vocabulary->tokens[*vocabulary->bos].str();
  if (vocabulary->eos)
    text.eosToken = vocabulary->tokens[*vocabulary->eos].str();
  text.addBos = flag->value_or(addBos) && text.bosId;
  return text;
}
