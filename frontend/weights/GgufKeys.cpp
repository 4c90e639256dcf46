//===- GgufKeys.cpp - Metadata keys that change what a model answers ------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/weights/GgufLlama.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <cmath>

using namespace llvm;
using namespace quern::frontend;

namespace {

/// A key that is refused unless its numbers are among `values`.
struct NeutralKey {
  StringLiteral key;
  std::initializer_list<double> values;
};

} // namespace

/// Keys that are read, or have no influence.
static constexpr StringLiteral knownKeys[] = {
#define QUERN_GGUF_INT(gguf, huggingFace, presence) "llama." gguf,
#define QUERN_GGUF_FLOAT(gguf, huggingFace, presence) "llama." gguf,
#include "frontend/weights/GgufLlama.def"
#define QUERN_GGUF_READ(key) key,
#define QUERN_GGUF_IDLE(key) key,
#include "frontend/weights/GgufKeys.def"
};

static const NeutralKey neutralKeys[] = {
#define QUERN_GGUF_NEUTRAL(key, ...) {key, {__VA_ARGS__}},
#include "frontend/weights/GgufKeys.def"
};

static std::string listValues(const NeutralKey &row) {
  std::string list;
  for (double value : row.values)
    list += (list.empty() ? "" : " or ") + itostr(int64_t(value));
  return list;
}

static Error checkNeutral(const GgufFile &file) {
  for (const NeutralKey &row : neutralKeys) {
    const GgufValue *value = file.find(row.key);
    if (!value)
      continue;
    std::optional<std::vector<double>> numbers = value->asNumbers();
    auto isNeutral = [&](double number) { return llvm::is_contained(row.values, number); };
    if (!numbers || !llvm::all_of(*numbers, isNeutral))
      return file.refuseKey(row.key, "found " + value->describe() + ", expected " + listValues(row) +
                                         "; models do not do what it asks for");
  }
  return Error::success();
}

/// Keys whose neutral value depends on other keys of the file.
static Error checkRelated(const GgufFile &file, const ModelConfig &config) {
  static constexpr StringLiteral windowKey = "llama.attention.sliding_window";
  static constexpr StringLiteral scaleKey = "llama.attention.scale";
  static constexpr StringLiteral valueKey = "llama.attention.value_length";
  static constexpr StringLiteral activationKey = "llama.hidden_activation";
  int64_t context = *config.find("max_position_embeddings")->asInt();
  int64_t headDim = *config.find("head_dim")->asInt();
  Expected<std::optional<int64_t>> window = getUniformInt(file, windowKey);
  if (!window)
    return window.takeError();
  if (*window && **window != 0 && **window < context)
    return file.refuseKey(windowKey, "found a window of " + Twine(**window) +
                                         " positions, expected 0 or at least the " + Twine(context) +
                                         " of `llama.context_length`");
  Expected<std::optional<int64_t>> valueDim = getUniformInt(file, valueKey);
  if (!valueDim)
    return valueDim.takeError();
  if (*valueDim && **valueDim != headDim)
    return file.refuseKey(valueKey, "found " + Twine(**valueDim) + ", expected the head size " + Twine(headDim));
  Expected<std::optional<double>> scale = file.getDouble(scaleKey);
  if (!scale)
    return scale.takeError();
  double usual = 1.0 / std::sqrt(double(headDim));
  if (*scale && **scale != 0 && !(std::abs(**scale - usual) <= 1e-6 * usual))
    return file.refuseKey(scaleKey, "found " + file.find(scaleKey)->describe() +
                                        ", expected 0 or one over the root of the head size " + Twine(headDim));
  Expected<std::optional<std::string>> activation = file.getString(activationKey);
  if (!activation)
    return activation.takeError();
  if (activation->value_or("silu") != "silu")
    return file.refuseKey(activationKey, "found " + inBackticks(**activation) + ", expected `silu`");
  return Error::success();
}

Error quern::frontend::checkInfluence(const GgufFile &file, const ModelConfig &config) {
  if (Error error = checkNeutral(file))
    return error;
  return checkRelated(file, config);
}

std::vector<std::string> quern::frontend::listUnknownKeys(const GgufFile &file) {
  constexpr size_t longestList = 8;
  std::vector<std::string> warnings;
  size_t surplus = 0;
  for (const auto &[key, value] : file.metadata()) {
    StringRef name = key;
    bool matters = name.starts_with("llama.") || name.starts_with("tokenizer.");
    bool isNamedTemplate = name.starts_with("tokenizer.chat_template.");
    bool isNeutral = llvm::any_of(neutralKeys, [&](const NeutralKey &row) { return row.key == name; });
    if (!matters || isNamedTemplate || isNeutral || llvm::is_contained(knownKeys, name))
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
