//===- GgufKeys.cpp - Metadata keys that change what a model answers ------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/GgufInfluence.h"

#include "frontend/checkpoint/GgufModel.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <cmath>

using namespace llvm;
using namespace quern::frontend;
using namespace quern::frontend::gguf_families;

namespace {

/// A key that is read, or has no influence.
struct KnownKey {
  uint32_t families;
  StringLiteral key;
};

/// A key that is refused unless its numbers are among `values`.
struct NeutralKey {
  uint32_t families;
  StringLiteral key;
  std::initializer_list<double> values;
};

} // namespace

static constexpr KnownKey knownKeys[] = {
#define QUERN_GGUF_INT(families, gguf, huggingFace, presence) {families, gguf},
#define QUERN_GGUF_FLOAT(families, gguf, huggingFace, presence) {families, gguf},
#define QUERN_GGUF_BOOL(families, gguf, huggingFace, presence) {families, gguf},
#include "frontend/checkpoint/GgufFamilies.def"
#define QUERN_GGUF_READ(families, key) {families, key},
#define QUERN_GGUF_IDLE(families, key) {families, key},
#include "frontend/checkpoint/GgufKeys.def"
};

static const NeutralKey neutralKeys[] = {
#define QUERN_GGUF_NEUTRAL(families, key, ...) {families, key, {__VA_ARGS__}},
#include "frontend/checkpoint/GgufKeys.def"
};

static std::string listValues(const NeutralKey &row) {
  std::string list;
  for (double value : row.values)
    list += (list.empty() ? "" : " or ") + itostr(int64_t(value));
  return list;
}

static Error checkNeutral(const GgufModel &model) {
  for (const NeutralKey &row : neutralKeys) {
    std::string key = model.key(row.key);
    const GgufValue *value = model.isOf(row.families) ? model.file.find(key) : nullptr;
    if (!value)
      continue;
    std::optional<std::vector<double>> numbers = value->asNumbers();
    auto isNeutral = [&](double number) { return llvm::is_contained(row.values, number); };
    if (!numbers || !llvm::all_of(*numbers, isNeutral))
      return model.file.refuseKey(key, "found " + value->describe() + ", expected " + listValues(row) +
                                           "; models do not do what it asks for");
  }
  return Error::success();
}

/// A window of models that have none leaves out no position.
static Error checkWindow(const GgufModel &model, const ModelConfig &config) {
  if (model.isOf(Windowed))
    return Error::success();
  static constexpr StringLiteral name = "attention.sliding_window";
  int64_t context = *config.find("max_position_embeddings")->asInt();
  Expected<std::optional<int64_t>> window = model.getUniformInt(name);
  if (!window)
    return window.takeError();
  if (*window && **window != 0 && **window < context)
    return model.file.refuseKey(model.key(name), "found a window of " + Twine(**window) +
                                                     " positions, expected 0 or at least the " + Twine(context) +
                                                     " of `" + model.key("context_length") + "`");
  return Error::success();
}

/// The factor of scores, where models take one over the root of the size of a key.
static Error checkScale(const GgufModel &model, const ModelConfig &config) {
  if (model.isOf(Granite))
    return Error::success();
  std::string key = model.key("attention.scale");
  int64_t size = *config.find(model.isOf(Deepseek) ? "qk_head_dim" : "head_dim")->asInt();
  Expected<std::optional<double>> scale = model.file.getDouble(key);
  if (!scale)
    return scale.takeError();
  double usual = 1.0 / std::sqrt(double(size));
  if (*scale && **scale != 0 && !(std::abs(**scale - usual) <= 1e-6 * usual))
    return model.file.refuseKey(key, "found " + model.file.find(key)->describe() +
                                         ", expected 0 or one over the root of the head size " + Twine(size));
  return Error::success();
}

/// Keys whose neutral value depends on other keys of the file.
static Error checkRelated(const GgufModel &model, const ModelConfig &config) {
  if (Error error = checkWindow(model, config))
    return error;
  if (!model.isOf(Deepseek)) {
    static constexpr StringLiteral name = "attention.value_length";
    int64_t headDim = *config.find("head_dim")->asInt();
    Expected<std::optional<int64_t>> valueDim = model.getUniformInt(name);
    if (!valueDim)
      return valueDim.takeError();
    if (*valueDim && **valueDim != headDim)
      return model.file.refuseKey(model.key(name),
                                  "found " + Twine(**valueDim) + ", expected the head size " + Twine(headDim));
  }
  if (Error error = checkScale(model, config))
    return error;
  std::string key = model.key("hidden_activation");
  Expected<std::optional<std::string>> activation = model.file.getString(key);
  if (!activation)
    return activation.takeError();
  if (activation->value_or("silu") != "silu")
    return model.file.refuseKey(key, "found " + inBackticks(**activation) + ", expected `silu`");
  return Error::success();
}

Error quern::frontend::checkInfluence(const GgufModel &model, const ModelConfig &config) {
  if (Error error = checkNeutral(model))
    return error;
  return checkRelated(model, config);
}

std::vector<std::string> quern::frontend::listUnknownKeys(const GgufFile &file) {
  constexpr size_t longestList = 8;
  std::vector<std::string> warnings;
  Expected<GgufModel> model = readFamily(file);
  if (!model) {
    consumeError(model.takeError());
    return warnings;
  }
  size_t surplus = 0;
  for (const auto &[key, value] : file.metadata()) {
    StringRef name = key;
    bool isOwn = name.starts_with(model->key(""));
    if (!isOwn && !name.starts_with("tokenizer."))
      continue;
    StringRef part = isOwn ? name.drop_front(model->key("").size()) : name;
    auto isRow = [&](const auto &row) { return model->isOf(row.families) && row.key == part; };
    bool isNamedTemplate = name.starts_with("tokenizer.chat_template.");
    if (isNamedTemplate || llvm::any_of(neutralKeys, isRow) || llvm::any_of(knownKeys, isRow))
      continue;
    if (warnings.size() == longestList)
      ++surplus;
    else
      warnings.push_back(("`" + file.path() + "`: metadata " + inBackticks(name) + ": found " + value.describe() +
                          "; the key is not known and has no influence")
                             .str());
  }
  if (surplus)
    warnings.push_back(("`" + file.path() + "`: found " + Twine(surplus) +
                        " more metadata keys that are not known and have no influence")
                           .str());
  return warnings;
}
