//===- HfTokens.cpp - Special tokens of a Hugging Face directory ----------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/HfTokens.h"

#include "frontend/checkpoint/StoredTensor.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

#include <map>

using namespace llvm;
using namespace quern::frontend;
using nlohmann::json;

namespace {

/// A token that a file beside `tokenizer.json` names.
struct NamedToken {
  std::string content;
  /// None: what the vocabulary says.
  std::optional<int32_t> id;
  /// The members of an entry of `added_tokens` but `id`.
  json flags;
  /// Whether the flags go before those in `tokenizer.json`.
  bool decides = false;
};

} // namespace

/// The roles of single tokens.
static constexpr const char *roles[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                        "pad_token", "cls_token", "mask_token"};

const json *quern::frontend::findMember(const json &object, const char *name) {
  if (!object.is_object())
    return nullptr;
  auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string quern::frontend::readTokenText(const json *token) {
  if (token && token->is_object())
    token = findMember(*token, "content");
  return token && token->is_string() ? token->get<std::string>() : "";
}

std::optional<int32_t> quern::frontend::readTokenId(const json *id) {
  if (!id || !id->is_number_unsigned() || id->get<uint64_t>() > uint64_t(INT32_MAX))
    return std::nullopt;
  return int32_t(id->get<uint64_t>());
}

/// Where `files` say what a role is: the older file goes first where it counts.
static const json *findRole(const HfTokenFiles &files, const char *role) {
  const json *configured = findMember(files.config, role);
  if (findMember(files.config, "added_tokens_decoder"))
    return configured;
  const json *mapped = findMember(files.specialTokens, role);
  return mapped ? mapped : configured;
}

std::string HfTokenFiles::tokenOf(const char *role) const { return readTokenText(findRole(*this, role)); }

/// The object of texts and numbers that is a model's vocabulary, or null.
static json *findVocabulary(json &tokenizer) {
  auto model = tokenizer.find("model");
  if (model == tokenizer.end() || !model->is_object())
    return nullptr;
  auto vocabulary = model->find("vocab");
  return vocabulary == model->end() || !vocabulary->is_object() ? nullptr : &*vocabulary;
}

std::optional<int32_t> quern::frontend::findTokenId(const json &tokenizer, const std::string &token) {
  if (token.empty())
    return std::nullopt;
  if (const json *added = findMember(tokenizer, "added_tokens"); added && added->is_array())
    for (const json &entry : *added)
      if (readTokenText(&entry) == token)
        return readTokenId(findMember(entry, "id"));
  const json *model = findMember(tokenizer, "model");
  const json *vocabulary = model ? findMember(*model, "vocab") : nullptr;
  if (!vocabulary || !vocabulary->is_array())
    return vocabulary ? readTokenId(findMember(*vocabulary, token.c_str())) : std::nullopt;
  // Unigram: a list of pieces with their scores.
  for (auto [id, piece] : llvm::enumerate(*vocabulary))
    if (piece.is_array() && !piece.empty() && readTokenText(&piece.front()) == token)
      return int32_t(id);
  return std::nullopt;
}

/// An entry of `added_tokens` with the flags of `token`, or the defaults of the
/// transformers library.
static json flagsOf(const json &token, const std::string &content, bool isSpecial) {
  auto flag = [&](const char *name, bool otherwise) {
    const json *value = token.is_object() ? findMember(token, name) : nullptr;
    return value && value->is_boolean() ? value->get<bool>() : otherwise;
  };
  bool special = isSpecial || flag("special", false);
  return {{"content", content},
          {"single_word", flag("single_word", false)},
          {"lstrip", flag("lstrip", false)},
          {"rstrip", flag("rstrip", false)},
          {"normalized", flag("normalized", !special)},
          {"special", special}};
}

/// The tokens with a role; what an entry says of its flags stays.
static std::vector<NamedToken> listSpecial(const HfTokenFiles &files) {
  std::vector<NamedToken> tokens;
  auto add = [&](const json *token) {
    if (std::string content = readTokenText(token); !content.empty())
      tokens.push_back({content, std::nullopt, flagsOf(*token, content, /*isSpecial=*/true)});
  };
  for (const char *role : roles)
    add(findRole(files, role));
  for (const char *name : {"additional_special_tokens", "extra_special_tokens"})
    if (const json *list = findRole(files, name); list && list->is_structured())
      for (const json &token : *list)
        add(&token);
  return tokens;
}

/// All tokens that the files name: those with numbers, by number, then those with roles.
static Expected<std::vector<NamedToken>> listNamed(const HfTokenFiles &files, StringRef folder) {
  std::vector<NamedToken> special = listSpecial(files);
  StringSet<> specialTexts;
  for (const NamedToken &token : special)
    specialTexts.insert(token.content);
  std::map<int32_t, NamedToken> numbered;
  auto add = [&](StringRef file, int64_t id, const std::string &content, const json &token, bool decides) -> Error {
    if (id < 0 || id > INT32_MAX || content.empty())
      return refuse("`" + folder + "/" + file + "`: found token " + inBackticks(content) + " with number " + Twine(id) +
                    ", expected a text and its number");
    numbered[int32_t(id)] = {content, int32_t(id), flagsOf(token, content, specialTexts.contains(content)), decides};
    return Error::success();
  };
  const json *decoder = findMember(files.config, "added_tokens_decoder");
  if (decoder && decoder->is_object())
    for (auto &[key, token] : decoder->items()) {
      int64_t id;
      if (StringRef(key).getAsInteger(10, id))
        id = -1;
      if (Error error = add("tokenizer_config.json", id, readTokenText(&token), token, /*decides=*/true))
        return error;
    }
  else
    for (auto &[content, number] : files.addedTokens.items()) {
      int64_t id = readTokenId(&number).value_or(-1);
      if (Error error = add("added_tokens.json", id, content, json(), /*decides=*/false))
        return error;
    }
  std::vector<NamedToken> tokens;
  for (auto &[id, token] : numbered)
    tokens.push_back(std::move(token));
  llvm::append_range(tokens, special);
  return tokens;
}

/// Puts all of `added` into the vocabulary, since the tokenizers library numbers
/// what is not there by itself. Only the next numbers can follow a list of pieces.
static Error numberAdded(json &tokenizer, const json &added, StringRef folder) {
  json *vocabulary = findVocabulary(tokenizer);
  std::map<int64_t, std::string> texts;
  if (vocabulary)
    for (auto &[text, id] : vocabulary->items())
      texts.emplace(id.is_number_integer() ? id.get<int64_t>() : -1, text);
  const json *model = findMember(tokenizer, "model");
  const json *pieces = model ? findMember(*model, "vocab") : nullptr;
  int64_t following = pieces && pieces->is_array() ? int64_t(pieces->size()) : 0;
  for (const json &entry : added) {
    std::string content = readTokenText(&entry);
    std::optional<int32_t> id = readTokenId(findMember(entry, "id"));
    if (!id || (vocabulary && vocabulary->contains(content)))
      continue;
    auto other = texts.find(*id);
    if (other != texts.end() && other->second != content)
      return refuse("`" + folder + "`: added token " + inBackticks(content) + " has number " + Twine(*id) +
                    ", which is token " + inBackticks(other->second));
    if (vocabulary) {
      (*vocabulary)[content] = uint64_t(*id);
      texts.emplace(*id, content);
    } else if (*id >= following && *id != following++) {
      return refuse("`" + folder + "`: added token " + inBackticks(content) + " has number " + Twine(*id) +
                    ", expected the next one, " + Twine(following - 1));
    }
  }
  return Error::success();
}

/// The numbers of the pieces of a vocabulary that is a list.
static StringMap<int32_t> numberPieces(const json &tokenizer) {
  StringMap<int32_t> numbers;
  const json *model = findMember(tokenizer, "model");
  const json *pieces = model ? findMember(*model, "vocab") : nullptr;
  if (pieces && pieces->is_array())
    for (auto [id, piece] : llvm::enumerate(*pieces))
      if (piece.is_array() && !piece.empty() && piece.front().is_string())
        numbers.try_emplace(piece.front().get_ref<const std::string &>(), int32_t(id));
  return numbers;
}

Expected<bool> quern::frontend::mergeAddedTokens(json &tokenizer, const HfTokenFiles &files, StringRef folder) {
  Expected<std::vector<NamedToken>> tokens = listNamed(files, folder);
  if (!tokens)
    return tokens.takeError();
  json added = json::array();
  if (const json *known = findMember(tokenizer, "added_tokens"); known && known->is_array())
    added = *known;
  StringMap<size_t> places;
  for (auto [place, entry] : llvm::enumerate(added))
    places.try_emplace(readTokenText(&entry), place);
  StringMap<int32_t> pieces = numberPieces(tokenizer);
  json *vocabulary = findVocabulary(tokenizer);
  bool isChanged = false;
  for (const NamedToken &token : *tokens) {
    auto [place, isNew] = places.try_emplace(token.content, added.size());
    if (!isNew) {
      json before = added[place->second];
      if (token.decides)
        added[place->second].update(token.flags);
      isChanged |= added[place->second] != before;
      continue;
    }
    // The vocabulary's number goes before the file's.
    std::optional<int32_t> id = token.id;
    if (vocabulary && vocabulary->contains(token.content))
      id = readTokenId(findMember(*vocabulary, token.content.c_str()));
    else if (auto piece = pieces.find(token.content); piece != pieces.end())
      id = piece->second;
    if (!id) {
      places.erase(place);
      continue;
    }
    json entry = token.flags;
    entry["id"] = uint64_t(*id);
    added.push_back(std::move(entry));
    isChanged = true;
  }
  if (!isChanged)
    return false;
  llvm::stable_sort(added, [](const json &a, const json &b) {
    return readTokenId(findMember(a, "id")) < readTokenId(findMember(b, "id"));
  });
  if (Error error = numberAdded(tokenizer, added, folder))
    return error;
  tokenizer["added_tokens"] = std::move(added);
  return true;
}

/// Adds what one part of a post-processor does.
static void readProcessor(const json &processor, HfSurroundings &result) {
  // BERT's and RoBERTa's: a pair of text and number each.
  if (const json *first = findMember(processor, "cls"); first && first->is_array() && first->size() == 2) {
    if (std::optional<int32_t> id = readTokenId(&first->back()))
      result.before.insert(result.before.begin(), *id);
    result.hasAfter = true;
  }
  const json *single = findMember(processor, "single");
  const json *special = findMember(processor, "special_tokens");
  if (!single || !single->is_array() || !special)
    return;
  std::vector<int32_t> before;
  bool isBefore = true;
  for (const json &piece : *single) {
    const json *token = findMember(piece, "SpecialToken");
    std::string name = token ? readTokenText(findMember(*token, "id")) : "";
    const json *entry = token ? findMember(*special, name.c_str()) : nullptr;
    const json *ids = entry ? findMember(*entry, "ids") : nullptr;
    isBefore &= token != nullptr;
    result.hasAfter |= token && !isBefore;
    if (isBefore && ids && ids->is_array())
      for (const json &value : *ids)
        if (std::optional<int32_t> id = readTokenId(&value))
          before.push_back(*id);
  }
  result.before.insert(result.before.begin(), before.begin(), before.end());
}

HfSurroundings quern::frontend::readSurroundings(const json &tokenizer) {
  HfSurroundings result;
  // Parts may have parts; a tree is no deeper than the parser allows.
  std::vector<const json *> open;
  if (const json *processor = findMember(tokenizer, "post_processor"))
    open.push_back(processor);
  while (!open.empty()) {
    const json *processor = open.back();
    open.pop_back();
    readProcessor(*processor, result);
    const json *parts = findMember(*processor, "processors");
    if (parts && parts->is_array())
      for (const json &part : llvm::reverse(*parts))
        open.push_back(&part);
  }
  return result;
}
