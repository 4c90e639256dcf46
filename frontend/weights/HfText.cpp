//===- HfText.cpp - Tokenizer files of a Hugging Face directory -----------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/weights/HfText.h"

#include "frontend/weights/HfChat.h"
#include "frontend/weights/Json.h"
#include "frontend/weights/MappedFile.h"
#include "frontend/weights/StoredTensor.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace quern::frontend;
using nlohmann::json;

/// The largest `tokenizer.json` that is read.
static constexpr uint64_t maxTokenizerBytes = 256 << 20;
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
  void readSpecialTokens();
  void readIds();
  std::optional<int32_t> idOf(const std::string &token) const;
  bool processorAddsBos(const json &processor) const;

  StringRef folder;
  json tokenizer, tokenizerConfig, generationConfig, modelConfig;
  TextAssets text;
};

} // namespace

/// The member `name` of an object, or null.
static const json *member(const json &object, const char *name) {
  if (!object.is_object())
    return nullptr;
  auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

/// A token's text: a string, or an object with the string `content`.
static std::string tokenText(const json *token) {
  if (token && token->is_object())
    token = member(*token, "content");
  return token && token->is_string() ? token->get<std::string>() : "";
}

/// A number that can be a token's.
static std::optional<int32_t> tokenId(const json *id) {
  if (!id || !id->is_number_unsigned() || id->get<uint64_t>() > uint64_t(INT32_MAX))
    return std::nullopt;
  return int32_t(id->get<uint64_t>());
}

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

/// The number of a token, among the added tokens or in the vocabulary.
std::optional<int32_t> FolderReader::idOf(const std::string &token) const {
  if (token.empty())
    return std::nullopt;
  if (const json *added = member(tokenizer, "added_tokens"); added && added->is_array())
    for (const json &entry : *added)
      if (tokenText(&entry) == token)
        return tokenId(member(entry, "id"));
  const json *model = member(tokenizer, "model");
  const json *vocabulary = model ? member(*model, "vocab") : nullptr;
  return vocabulary ? tokenId(member(*vocabulary, token.c_str())) : std::nullopt;
}

/// Whether a post-processor puts the first token before a single text.
bool FolderReader::processorAddsBos(const json &processor) const {
  if (const json *parts = member(processor, "processors"); parts && parts->is_array())
    return llvm::any_of(*parts, [&](const json &part) {
      return part.is_object() && !part.contains("processors") && processorAddsBos(part);
    });
  const json *single = member(processor, "single");
  if (!single || !single->is_array() || single->empty())
    return false;
  const json *special = member(single->front(), "SpecialToken");
  const json *id = special ? member(*special, "id") : nullptr;
  return id && id->is_string() && id->get_ref<const std::string &>() == text.bosToken;
}

void FolderReader::readSpecialTokens() {
  text.bosToken = tokenText(member(tokenizerConfig, "bos_token"));
  text.eosToken = tokenText(member(tokenizerConfig, "eos_token"));
  text.bosId = idOf(text.bosToken);
  if (!text.bosId)
    text.bosId = tokenId(member(modelConfig, "bos_token_id"));
  const json *flag = member(tokenizerConfig, "add_bos_token");
  const json *processor = member(tokenizer, "post_processor");
  if (flag && flag->is_boolean())
    text.addBos = flag->get<bool>();
  else
    text.addBos = processor && processorAddsBos(*processor);
  text.addBos = text.addBos && text.bosId;
}

/// The tokens that end an answer: what generation is configured to stop at, or
/// the model's end of text; and the tokenizer's own.
void FolderReader::readIds() {
  const json *ends = member(generationConfig, "eos_token_id");
  if (!ends)
    ends = member(modelConfig, "eos_token_id");
  if (ends && ends->is_array())
    for (const json &end : *ends)
      if (std::optional<int32_t> id = tokenId(&end))
        text.stopIds.push_back(*id);
  if (std::optional<int32_t> id = tokenId(ends))
    text.stopIds.push_back(*id);
  if (std::optional<int32_t> id = idOf(text.eosToken))
    text.stopIds.push_back(*id);
  llvm::sort(text.stopIds);
  text.stopIds.erase(llvm::unique(text.stopIds), text.stopIds.end());
}

Expected<TextAssets> FolderReader::read() {
  struct Source {
    json &tree;
    StringLiteral name;
    uint64_t limit;
  };
  for (Source source : {Source{tokenizer, "tokenizer.json", maxTokenizerBytes},
                        Source{tokenizerConfig, "tokenizer_config.json", maxTextBytes},
                        Source{generationConfig, "generation_config.json", maxTextBytes},
                        Source{modelConfig, "config.json", maxTextBytes}}) {
    Expected<json> tree = readObject(source.name, source.limit);
    if (!tree)
      return tree.takeError();
    source.tree = std::move(*tree);
  }
  if (!member(tokenizer, "model"))
    return refuse("`" + path("tokenizer.json") + "`: expected an object `model`");
  Expected<std::string> content = readSmallFile(path("tokenizer.json"), maxTokenizerBytes);
  if (!content)
    return content.takeError();
  text.tokenizerJson = std::move(*content);
  Expected<std::vector<ChatTemplate>> templates = readHfChatTemplates(folder, tokenizerConfig);
  if (!templates)
    return templates.takeError();
  text.chatTemplates = std::move(*templates);
  text.tokenizerFile = path("tokenizer.json");
  readSpecialTokens();
  readIds();
  return std::move(text);
}

Expected<TextAssets> quern::frontend::readHfText(StringRef folder) {
  return FolderReader(folder).read();
}
