//===- HfText.cpp - Tokenizer files of a Hugging Face directory -----------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/HfText.h"

#include "frontend/checkpoint/EndTokens.h"
#include "frontend/checkpoint/HfChat.h"
#include "frontend/checkpoint/HfTokens.h"
#include "frontend/checkpoint/HfVocabulary.h"
#include "frontend/checkpoint/Json.h"
#include "frontend/checkpoint/MappedFile.h"
#include "frontend/checkpoint/StoredTensor.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace quern::frontend;
using nlohmann::json;

/// The largest of the other files that are read.
static constexpr uint64_t maxTextBytes = 16 << 20;

namespace {

/// Reads the files of one folder.
class FolderReader {
public:
  explicit FolderReader(StringRef folder) : folder(folder) {}

  Expected<TextAssets> read();

private:
  std::string path(StringRef name) const;
  Expected<json> readObject(StringRef name, uint64_t limit) const;
  Error readTokenizer();
  Error readSpecialTokens();
  void readIds();

  StringRef folder;
  json tokenizer, generationConfig, modelConfig;
  HfTokenFiles tokenFiles;
  TextAssets text;
};

} // namespace

std::string FolderReader::path(StringRef name) const {
  SmallString<256> result = folder;
  sys::path::append(result, name);
  return result.str().str();
}

/// The object in the file `name`; an empty one if there is no such file.
Expected<json> FolderReader::readObject(StringRef name, uint64_t limit) const {
  std::string file = path(name);
  if (!sys::fs::exists(file))
    return json::object();
  Expected<std::string> content = readSmallFile(file, limit);
  if (!content)
    return content.takeError();
  Expected<json> tree = parseJson(*content, file);
  if (tree && !tree->is_object())
    return refuse("`" + file + "`: found " + describeJson(*tree) + ", expected an object");
  return tree;
}

/// The token that starts a text: `add_bos_token` says whether the one called so is
/// put in front; else the post-processor does, whatever its token is called.
Error FolderReader::readSpecialTokens() {
  text.bosToken = tokenFiles.tokenOf("bos_token");
  text.eosToken = tokenFiles.tokenOf("eos_token");
  text.bosId = findTokenId(tokenizer, text.bosToken);
  if (!text.bosId)
    text.bosId = readTokenId(findMember(modelConfig, "bos_token_id"));
  HfSurroundings surroundings = readSurroundings(tokenizer);
  const json *flag = findMember(tokenFiles.config, "add_bos_token");
  if (flag && flag->is_boolean()) {
    text.addBos = flag->get<bool>() && text.bosId;
  } else if (surroundings.before.size() > 1) {
    return refuse("`" + path("tokenizer.json") + "`: `post_processor`: found " + Twine(surroundings.before.size()) +
                  " tokens in front of a text, expected 1 at most");
  } else if (!surroundings.before.empty()) {
    text.bosId = surroundings.before.front();
    text.addBos = true;
  }
  const json *endFlag = findMember(tokenFiles.config, "add_eos_token");
  if (endFlag && endFlag->is_boolean() ? endFlag->get<bool>() : surroundings.hasAfter)
    text.warnings.push_back("`" + path("tokenizer.json") +
                            "`: the tokenizer puts an end behind a text; prompts are continued, "
                            "and get none");
  return Error::success();
}

/// The tokens that end an answer: what generation is configured to stop at, or
/// the model's end of text; the tokenizer's own; and added tokens that do always.
void FolderReader::readIds() {
  const json *ends = findMember(generationConfig, "eos_token_id");
  if (!ends)
    ends = findMember(modelConfig, "eos_token_id");
  if (ends && ends->is_array())
    for (const json &end : *ends)
      if (std::optional<int32_t> id = readTokenId(&end))
        text.stopIds.push_back(*id);
  if (std::optional<int32_t> id = readTokenId(ends))
    text.stopIds.push_back(*id);
  if (std::optional<int32_t> id = findTokenId(tokenizer, text.eosToken))
    text.stopIds.push_back(*id);
  if (const json *added = findMember(tokenizer, "added_tokens"); added && added->is_array())
    for (const json &entry : *added)
      if (std::optional<int32_t> id = readTokenId(findMember(entry, "id")))
        if (isEndToken(readTokenText(&entry)))
          text.stopIds.push_back(*id);
  llvm::sort(text.stopIds);
  text.stopIds.erase(llvm::unique(text.stopIds), text.stopIds.end());
}

/// The tree of the tokenizer: of its own file, or made of older ones.
Error FolderReader::readTokenizer() {
  text.tokenizerFile = findTokenizerFile(folder);
  bool isOwn = StringRef(text.tokenizerFile).ends_with("tokenizer.json");
  std::string modelType = readTokenText(findMember(modelConfig, "model_type"));
  Expected<json> tree = isOwn ? readObject("tokenizer.json", maxTokenizerBytes)
                              : makeTokenizer(text.tokenizerFile, tokenFiles, modelType);
  if (!tree)
    return tree.takeError();
  tokenizer = std::move(*tree);
  if (!findMember(tokenizer, "model"))
    return refuse("`" + text.tokenizerFile + "`: expected an object `model`");
  Expected<bool> isChanged = mergeAddedTokens(tokenizer, tokenFiles, folder);
  if (!isChanged)
    return isChanged.takeError();
  if (*isChanged || !isOwn) {
    text.tokenizerJson = tokenizer.dump();
    return Error::success();
  }
  Expected<std::string> content = readSmallFile(text.tokenizerFile, maxTokenizerBytes);
  if (!content)
    return content.takeError();
  text.tokenizerJson = skipByteOrderMark(*content).str();
  return Error::success();
}

Expected<TextAssets> FolderReader::read() {
  struct Source {
    json &tree;
    StringLiteral name;
    uint64_t limit;
  };
  for (Source source : {Source{tokenFiles.config, "tokenizer_config.json", maxTextBytes},
                        Source{tokenFiles.specialTokens, "special_tokens_map.json", maxTextBytes},
                        Source{tokenFiles.addedTokens, "added_tokens.json", maxTextBytes},
                        Source{generationConfig, "generation_config.json", maxTextBytes},
                        Source{modelConfig, "config.json", maxTextBytes}}) {
    Expected<json> tree = readObject(source.name, source.limit);
    if (!tree)
      return tree.takeError();
    source.tree = std::move(*tree);
  }
  if (Error error = readTokenizer())
    return error;
  Expected<std::vector<ChatTemplate>> templates = readHfChatTemplates(folder, tokenFiles.config);
  if (!templates)
    return templates.takeError();
  text.chatTemplates = std::move(*templates);
  if (Error error = readSpecialTokens())
    return error;
  readIds();
  return std::move(text);
}

Expected<TextAssets> quern::frontend::readHfText(StringRef folder) { return FolderReader(folder).read(); }
