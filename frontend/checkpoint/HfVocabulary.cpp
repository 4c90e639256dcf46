//===- HfVocabulary.cpp - Tokenizers from before tokenizer.json -----------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/HfVocabulary.h"

#include "frontend/checkpoint/ForeignFiles.h"
#include "frontend/checkpoint/GgufVocabulary.h"
#include "frontend/checkpoint/Json.h"
#include "frontend/checkpoint/MappedFile.h"
#include "frontend/checkpoint/SentencePiece.h"
#include "frontend/checkpoint/StoredTensor.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Base64.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace quern::frontend;
using nlohmann::json;

namespace {

/// How texts are cut, by the tokenizer's class or, if that is unknown, the model's type.
struct ByteLevelClass {
  StringLiteral name;
  /// A row of GgufVocabulary.def.
  StringLiteral cuts;
};

} // namespace

static constexpr ByteLevelClass byteLevelClasses[] = {
    {"GPT2Tokenizer", "gpt-2"},
    {"PreTrainedTokenizer", "gpt-2"},
    {"CodeGenTokenizer", "gpt-2"},
    {"RobertaTokenizer", "gpt-2"},
    {"BartTokenizer", "gpt-2"},
    {"Qwen2Tokenizer", "qwen2"},
    {"qwen2", "qwen2"},
    {"qwen3", "qwen2"},
    {"", "gpt-2"},
};

/// The classes, and types of models, of SentencePiece tokenizers that put a token
/// before a text unless they are told otherwise.
static constexpr StringLiteral startingClasses[] = {
    "LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer", "llama", "mistral", "mixtral", "gemma", "gemma2",
    "gemma3"};

static std::string beside(StringRef file, StringRef name) {
  SmallString<256> path = sys::path::parent_path(file);
  sys::path::append(path, name);
  return path.str().str();
}

std::string quern::frontend::findTokenizerFile(StringRef folder) {
  for (StringRef name : {"tokenizer.json", "tokenizer.model", "vocab.json"}) {
    SmallString<256> path = folder;
    sys::path::append(path, name);
    if (sys::fs::exists(path))
      return path.str().str();
  }
  return "";
}

/// What decides how texts are read: the tokenizer's class, with or without a fast
/// implementation, or the type of the model.
static std::string readClass(const HfTokenFiles &files, StringRef modelType) {
  std::string name = readTokenText(findMember(files.config, "tokenizer_class"));
  StringRef slow = name;
  slow.consume_back("Fast");
  return name.empty() ? modelType.str() : slow.str();
}

static bool readFlag(const HfTokenFiles &files, const char *name, bool otherwise) {
  const json *flag = findMember(files.config, name);
  return flag && flag->is_boolean() ? flag->get<bool>() : otherwise;
}

/// The merges of a `merges.txt`: two tokens in a line.
static Expected<json> readMerges(StringRef file) {
  Expected<std::string> content = readSmallFile(file, maxTokenizerBytes);
  if (!content)
    return content.takeError();
  if (!content->empty())
    if (Error error = refuseForeign(arrayRefFromStringRef(*content), file, "two tokens in each line"))
      return error;
  if (!isUtf8(*content))
    return refuse("`" + file + "`: found bytes that are not UTF-8");
  json merges = json::array();
  StringRef rest = *content;
  for (size_t number = 1; !rest.empty(); ++number) {
    auto [line, following] = rest.split('\n');
    rest = following;
    line.consume_back("\r");
    if (line.empty() || line.starts_with("#version"))
      continue;
    auto [left, right] = line.split(' ');
    if (left.empty() || right.empty() || right.contains(' '))
      return refuse("`" + file + "` line " + Twine(number) + ": found " + inBackticks(line) + ", expected two tokens");
    merges.push_back({left.str(), right.str()});
  }
  return merges;
}

/// GPT-2's files.
static Expected<json> makeByteLevel(StringRef file, const HfTokenFiles &files, StringRef modelType) {
  std::string merges = beside(file, "merges.txt");
  if (!sys::fs::exists(merges))
    return refuse("`" + file +
                  "`: found no `merges.txt` beside it, expected the pairs that tokens "
                  "are merged from");
  std::string wanted = readClass(files, modelType);
  bool isNamed = findMember(files.config, "tokenizer_class");
  const ByteLevelClass *row =
      llvm::find_if(byteLevelClasses, [&](const ByteLevelClass &row) { return row.name == wanted; });
  if (row == std::end(byteLevelClasses) && isNamed)
    return refuse("`" + file + "`: found a tokenizer of class " + inBackticks(wanted) +
                  ", expected `GPT2Tokenizer` or `Qwen2Tokenizer`; others need `tokenizer.json`");
  StringRef cuts = row == std::end(byteLevelClasses) ? StringRef("gpt-2") : StringRef(row->cuts);

  Expected<std::string> content = readSmallFile(file, maxTokenizerBytes);
  if (!content)
    return content.takeError();
  Expected<json> vocabulary = parseJson(*content, file);
  if (!vocabulary)
    return vocabulary.takeError();
  if (!vocabulary->is_object())
    return refuse("`" + file + "`: found " + describeJson(*vocabulary) + ", expected an object");
  Expected<json> pairs = readMerges(merges);
  if (!pairs)
    return pairs.takeError();
  json tokenizer = {{"version", "1.0"}, {"added_tokens", json::array()}};
  // Both classes call this token so where no file does.
  if (const json *end = findMember(*vocabulary, "<|endoftext|>"))
    tokenizer["added_tokens"].push_back(makeAddedToken("<|endoftext|>", *end, /*special=*/true));
  tokenizer["model"] = {{"type", "BPE"}, {"vocab", std::move(*vocabulary)}, {"merges", std::move(*pairs)}};
  setByteLevelParts(tokenizer, cuts);
  return tokenizer;
}

/// The pieces in the form of a GGUF file's vocabulary.
static Expected<GgufVocabulary> listPieces(const SentencePieceModel &model, StringRef file) {
  GgufVocabulary vocabulary;
  for (auto [id, piece] : llvm::enumerate(model.pieces)) {
    vocabulary.tokens.push_back(piece.text);
    vocabulary.kinds.push_back(piece.kind);
    vocabulary.scores.push_back(piece.score);
    if (piece.text.empty() || !vocabulary.ids.try_emplace(piece.text, int32_t(id)).second)
      return refuse("`" + file + "`: piece " + Twine(id) + ": found " + inBackticks(piece.text) +
                    ", expected a text of its own");
    if (piece.kind == TokenKind::Unknown)
      vocabulary.unknown = int32_t(id);
  }
  return vocabulary;
}

static json makeUnigram(const GgufVocabulary &vocabulary) {
  json pieces = json::array();
  for (auto [text, score] : llvm::zip_equal(vocabulary.tokens, vocabulary.scores))
    pieces.push_back({text.str(), score});
  json model = {{"type", "Unigram"}, {"unk_id", nullptr}, {"vocab", std::move(pieces)}};
  if (vocabulary.unknown)
    model["unk_id"] = *vocabulary.unknown;
  return model;
}

static json makeReplacement(const char *kind, const char *pattern, const char *content) {
  return {{"type", "Replace"}, {"pattern", {{kind, pattern}}}, {"content", content}};
}

/// What is done to a text before its spaces become signs.
static json makeCleaning(const SentencePieceModel &model) {
  json steps = json::array();
  if (!model.charsMap.empty())
    steps.push_back({{"type", "Precompiled"}, {"precompiled_charsmap", encodeBase64(model.charsMap)}});
  if (model.removeExtraSpaces) {
    steps.push_back(makeReplacement("Regex", "^ +| +$", ""));
    steps.push_back(makeReplacement("Regex", " {2,}", " "));
  }
  return steps;
}

/// Where the class puts a token before a text, a post-processor that says so.
static void addStart(json &tokenizer, const HfTokenFiles &files, StringRef modelType) {
  if (!llvm::is_contained(startingClasses, readClass(files, modelType)))
    return;
  std::string start = files.tokenOf("bos_token");
  if (start.empty())
    start = "<s>";
  std::optional<int32_t> id = findTokenId(tokenizer, start);
  if (!id)
    return;
  json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  json special = {{"SpecialToken", {{"id", start}, {"type_id", 0}}}};
  tokenizer["post_processor"] = {{"type", "TemplateProcessing"},
                                 {"single", {special, text}},
                                 {"pair", {text, {{"Sequence", {{"id", "B"}, {"type_id", 0}}}}}},
                                 {"special_tokens", {{start, {{"id", start}, {"ids", {*id}}, {"tokens", {start}}}}}}};
}

static Expected<json> makeSentencePieceTokenizer(StringRef file, const HfTokenFiles &files, StringRef modelType) {
  Expected<std::string> content = readSmallFile(file, maxTokenizerBytes);
  if (!content)
    return content.takeError();
  if (Error error = refuseForeign(arrayRefFromStringRef(*content), file, "a SentencePiece model"))
    return error;
  Expected<SentencePieceModel> model = parseSentencePiece(*content, file);
  if (!model)
    return model.takeError();
  Expected<GgufVocabulary> vocabulary = listPieces(*model, file);
  if (!vocabulary)
    return vocabulary.takeError();
  bool isPairs = model->kind == SentencePieceModel::Kind::Bpe;
  std::optional<json> joining = isPairs ? makeScoredPairs(*vocabulary) : std::optional<json>(makeUnigram(*vocabulary));
  if (!joining)
    return refuse("`" + file + "`: found pieces that are made of others in too many ways");
  (*joining)["byte_fallback"] = model->byteFallback;
  json tokenizer = makeSentencePiece(*vocabulary, std::move(*joining), model->addDummyPrefix);
  json cleaning = makeCleaning(*model);
  json &steps = tokenizer["normalizer"]["normalizers"];
  // Newer tokenizers of this kind put a space before the text alone, and not before
  // what follows on each special token.
  if (!readFlag(files, "legacy", true)) {
    tokenizer["pre_tokenizer"] = {{"type", "Metaspace"},
                                  {"replacement", "\xe2\x96\x81"},
                                  {"prepend_scheme", model->addDummyPrefix ? "first" : "never"},
                                  {"split", false}};
    steps = json::array();
  }
  steps.insert(steps.begin(), cleaning.begin(), cleaning.end());
  addStart(tokenizer, files, modelType);
  return tokenizer;
}

Expected<json> quern::frontend::makeTokenizer(StringRef file, const HfTokenFiles &files, StringRef modelType) {
  return file.ends_with(".model") ? makeSentencePieceTokenizer(file, files, modelType)
                                  : makeByteLevel(file, files, modelType);
}
