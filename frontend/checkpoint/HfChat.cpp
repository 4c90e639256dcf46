//===- HfChat.cpp - Chat templates of a Hugging Face directory ------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/HfChat.h"

#include "frontend/checkpoint/ForeignFiles.h"
#include "frontend/checkpoint/Json.h"
#include "frontend/checkpoint/MappedFile.h"
#include "frontend/checkpoint/StoredTensor.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace quern::frontend;
using nlohmann::json;

/// The largest file of a template.
static constexpr uint64_t maxTemplateBytes = 16 << 20;

static void add(std::vector<ChatTemplate> &templates, ChatTemplate found) {
  if (llvm::none_of(templates, [&](const ChatTemplate &other) { return other.name == found.name; }))
    templates.push_back(std::move(found));
}

/// Adds the template in a file of its own, if there is such a file.
static Error readFile(StringRef file, StringRef name, std::vector<ChatTemplate> &templates) {
  if (!sys::fs::exists(file))
    return Error::success();
  Expected<std::string> content = readSmallFile(file.str(), maxTemplateBytes);
  if (!content)
    return content.takeError();
  if (!content->empty())
    if (Error error = refuseForeign(arrayRefFromStringRef(*content), file, "a chat template"))
      return error;
  if (!isUtf8(*content))
    return refuse("`" + file + "`: found bytes that are not UTF-8");
  add(templates, {name.str(), std::move(*content), ("`" + file + "`").str()});
  return Error::success();
}

static Error readFiles(StringRef folder, std::vector<ChatTemplate> &templates) {
  SmallString<256> file = folder;
  sys::path::append(file, "chat_template.jinja");
  if (Error error = readFile(file, "default", templates))
    return error;
  SmallString<256> others = folder;
  sys::path::append(others, "additional_chat_templates");
  std::error_code code;
  for (sys::fs::directory_iterator entry(others, code), end; !code && entry != end; entry.increment(code)) {
    StringRef path = entry->path();
    if (sys::path::extension(path) != ".jinja")
      continue;
    if (Error error = readFile(path, sys::path::stem(path), templates))
      return error;
  }
  return Error::success();
}

/// The text member `name` of an object; none if it is no text.
static const std::string *findText(const json &object, const char *name) {
  if (!object.is_object())
    return nullptr;
  auto found = object.find(name);
  return found == object.end() ? nullptr : found->get_ptr<const std::string *>();
}

Expected<std::vector<ChatTemplate>> quern::frontend::readHfChatTemplates(StringRef folder,
                                                                         const json &tokenizerConfig) {
  std::vector<ChatTemplate> templates;
  if (Error error = readFiles(folder, templates))
    return error;
  SmallString<256> file = folder;
  sys::path::append(file, "tokenizer_config.json");
  std::string place = ("`" + file + "`: `chat_template`").str();
  if (const std::string *source = findText(tokenizerConfig, "chat_template"))
    add(templates, {"default", *source, place});
  auto list = tokenizerConfig.find("chat_template");
  if (list != tokenizerConfig.end() && list->is_array())
    for (const json &entry : *list) {
      const std::string *name = findText(entry, "name"), *source = findText(entry, "template");
      if (name && source)
        add(templates, {*name, *source, place + ": " + inBackticks(*name)});
    }
  llvm::erase_if(templates, [](const ChatTemplate &found) { return found.source.empty(); });
  // A folder has no order.
  llvm::sort(templates, [](const ChatTemplate &a, const ChatTemplate &b) { return a.name < b.name; });
  return templates;
}
