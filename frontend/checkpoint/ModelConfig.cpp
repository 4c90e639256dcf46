//===- ModelConfig.cpp - The normalised config.json -----------------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/ModelConfig.h"

#include "frontend/checkpoint/StoredTensor.h"

#include "llvm/ADT/StringExtras.h"

#include <charconv>

using namespace llvm;
using namespace quern::frontend;

namespace {

/// Writes each kind of value; a new kind without words here does not compile.
struct Describer {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(int64_t value) const { return "integer " + itostr(value); }
  std::string operator()(double value) const {
    char text[64];
    std::to_chars_result written = std::to_chars(text, text + sizeof(text), value);
    return "number " + std::string(text, written.ptr);
  }
  std::string operator()(const std::string &value) const { return "string \"" + printable(value) + "\""; }
  std::string operator()(const ConfigValue::List &value) const { return "a list of " + utostr(value.size()); }
  std::string operator()(const ConfigValue::Object &) const { return "an object"; }
};

} // namespace

std::string ConfigValue::describe() const { return std::visit(Describer(), storage); }

const ConfigValue *ModelConfig::find(StringRef key) const {
  auto entry = entries.find(key);
  return entry == entries.end() ? nullptr : &entry->second;
}

StringRef ModelConfig::fileKey(StringRef key) const {
  auto name = fileKeys.find(key);
  return name == fileKeys.end() ? key : StringRef(name->second);
}

void ModelConfig::setFileKey(StringRef key, StringRef name) { fileKeys.insert_or_assign(key.str(), name.str()); }

void ModelConfig::set(StringRef key, ConfigValue value) { entries.insert_or_assign(key.str(), std::move(value)); }

bool ModelConfig::erase(StringRef key) {
  auto entry = entries.find(key);
  if (entry == entries.end())
    return false;
  entries.erase(entry);
  return true;
}

void ModelConfig::fillFrom(const ModelConfig &other) {
  for (const auto &[key, value] : other.entries)
    if (entries.emplace(key, value).second && other.fileKeys.count(key))
      setFileKey(key, other.fileKey(key));
  if (!other.files.empty())
    addOrigin(other.files);
}

void ModelConfig::nest(StringRef prefix, const ModelConfig &other) {
  set(prefix, ConfigValue::Object());
  for (const auto &[key, value] : other.entries) {
    std::string nested = (prefix + "." + key).str();
    set(nested, value);
    setFileKey(nested, other.fileKey(key));
  }
}

void ModelConfig::addOrigin(StringRef file) {
  if (!files.empty())
    files += ", ";
  files += file;
}
