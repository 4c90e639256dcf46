//===- GgufConfig.cpp - Metadata of GGUF's architecture llama as config.json ===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/weights/GgufLlama.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace llvm;
using namespace quern::frontend;

namespace {

enum class Presence { required, optional };

/// A row of GgufLlama.def.
struct KeyName {
  StringLiteral gguf;
  StringLiteral huggingFace;
  Presence presence;
};

/// Fills a configuration from a file's metadata.
class ConfigBuilder {
public:
  explicit ConfigBuilder(const GgufFile &file) : file(file) {}

  Expected<ModelConfig> build();

private:
  /// How positions are scaled, and the key of the factor.
  struct RopeScaling {
    std::string type;
    StringRef factorKey = "llama.rope.scaling.factor";
    double factor = 1;
  };

  Error readTables();
  Error readHeads();
  Error checkTurning() const;
  Expected<RopeScaling> findRopeScaling() const;
  Error readRopeScaling();
  Error readYarn();
  Error readTokenIds();
  void readTensorFacts();

  Error require(const KeyName &row, bool present) const;
  Error copyDouble(StringRef key, StringRef to);
  Error copyInt(StringRef key, StringRef to);
  const StoredTensor *tensor(StringRef name) const;

  const GgufFile &file;
  ModelConfig config;
};

} // namespace

static constexpr KeyName intKeys[] = {
#define QUERN_GGUF_INT(gguf, huggingFace, presence) {"llama." gguf, huggingFace, Presence::presence},
#include "frontend/weights/GgufLlama.def"
};

static constexpr KeyName floatKeys[] = {
#define QUERN_GGUF_FLOAT(gguf, huggingFace, presence) {"llama." gguf, huggingFace, Presence::presence},
#include "frontend/weights/GgufLlama.def"
};

const StoredTensor *ConfigBuilder::tensor(StringRef name) const {
  ArrayRef<StoredTensor> tensors = file.tensors();
  auto found = llvm::find_if(tensors, [&](const StoredTensor &t) { return t.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

Error ConfigBuilder::require(const KeyName &row, bool present) const {
  if (present || row.presence == Presence::optional)
    return Error::success();
  return file.refuseKey(row.gguf, "found nothing, expected the value of `" + row.huggingFace + "`");
}

Error ConfigBuilder::copyDouble(StringRef key, StringRef to) {
  Expected<std::optional<double>> value = file.getDouble(key);
  if (!value)
    return value.takeError();
  if (*value && !std::isfinite(**value))
    return file.refuseKey(key, "found a number that is not finite");
  config.setFileKey(to, key);
  if (*value)
    config.set(to, **value);
  return Error::success();
}

Error ConfigBuilder::copyInt(StringRef key, StringRef to) {
  Expected<std::optional<int64_t>> value = getUniformInt(file, key);
  if (!value)
    return value.takeError();
  config.setFileKey(to, key);
  if (*value)
    config.set(to, **value);
  return Error::success();
}

Error ConfigBuilder::readTables() {
  for (const KeyName &row : intKeys) {
    if (Error error = copyInt(row.gguf, row.huggingFace))
      return error;
    const ConfigValue *value = config.find(row.huggingFace);
    if (value && *value->asInt() < 1)
      return file.refuseKey(row.gguf, "found " + Twine(*value->asInt()) + ", expected at least 1");
    if (Error error = require(row, value))
      return error;
  }
  for (const KeyName &row : floatKeys) {
    if (Error error = copyDouble(row.gguf, row.huggingFace))
      return error;
    if (Error error = require(row, config.find(row.huggingFace)))
      return error;
  }
  return Error::success();
}

/// What the tensors say of the model: their presence and shapes.
void ConfigBuilder::readTensorFacts() {
  config.set("model_type", "llama");
  config.set("hidden_act", "silu");
  config.set("tie_word_embeddings", tensor("output.weight") == nullptr);
  config.set("attention_bias", tensor("blk.0.attn_q.bias") != nullptr);
  config.set("mlp_bias", tensor("blk.0.ffn_gate.bias") != nullptr);
  // The embedding may have more rows than there are tokens.
  if (const StoredTensor *embedding = tensor("token_embd.weight"))
    config.set("vocab_size", embedding->shape.front());
  else if (const GgufValue *tokens = file.find("tokenizer.ggml.tokens"))
    if (std::optional<std::vector<StringRef>> list = tokens->asStrings())
      config.set("vocab_size", int64_t(list->size()));
}

/// Heads that divide each other and the model's width, unless their size is given.
Error ConfigBuilder::readHeads() {
  static constexpr StringLiteral headsKey = "llama.attention.head_count";
  static constexpr StringLiteral keyHeadsKey = "llama.attention.head_count_kv";
  int64_t hidden = *config.find("hidden_size")->asInt();
  int64_t heads = *config.find("num_attention_heads")->asInt();
  if (!config.find("head_dim") && hidden % heads != 0)
    return file.refuseKey(headsKey, "found " + Twine(heads) + ", expected a divisor of `llama.embedding_length`, " +
                                        Twine(hidden));
  if (!config.find("head_dim"))
    config.set("head_dim", hidden / heads);
  const ConfigValue *keyHeads = config.find("num_key_value_heads");
  if (keyHeads && heads % *keyHeads->asInt() != 0)
    return file.refuseKey(keyHeadsKey, "found " + Twine(*keyHeads->asInt()) + ", expected a divisor of `" + headsKey +
                                           "`, " + Twine(heads));
  return Error::success();
}

/// Only heads that turn as a whole.
Error ConfigBuilder::checkTurning() const {
  static constexpr StringLiteral key = "llama.rope.dimension_count";
  int64_t headDim = *config.find("head_dim")->asInt();
  Expected<std::optional<int64_t>> turning = getUniformInt(file, key);
  if (!turning)
    return turning.takeError();
  if (turning->value_or(headDim) != headDim)
    return file.refuseKey(key, "found " + Twine(**turning) + ", expected the head size " + Twine(headDim));
  return Error::success();
}

/// GGUF's `attn_factor` multiplies YaRN's own scale of cosine and sine, 0.1 ln(factor) + 1;
/// `attention_factor` replaces it.
Error ConfigBuilder::readYarn() {
  if (Error error =
          copyInt("llama.rope.scaling.original_context_length", "rope_parameters.original_max_position_embeddings"))
    return error;
  if (Error error = copyDouble("llama.rope.scaling.yarn_beta_fast", "rope_parameters.beta_fast"))
    return error;
  if (Error error = copyDouble("llama.rope.scaling.yarn_beta_slow", "rope_parameters.beta_slow"))
    return error;
  Expected<std::optional<double>> attention = file.getDouble("llama.rope.scaling.attn_factor");
  if (!attention)
    return attention.takeError();
  const ConfigValue *factor = config.find("rope_parameters.factor");
  if (*attention && factor)
    config.set("rope_parameters.attention_factor", **attention * (0.1 * std::log(*factor->asDouble()) + 1.0));
  return Error::success();
}

/// A factor without a type is linear, as in files from before there were types;
/// those call the factor `scale_linear`.
Expected<ConfigBuilder::RopeScaling> ConfigBuilder::findRopeScaling() const {
  static constexpr StringLiteral typeKey = "llama.rope.scaling.type";
  RopeScaling scaling;
  Expected<std::optional<std::string>> type = file.getString(typeKey);
  if (!type)
    return type.takeError();
  if (!file.find(scaling.factorKey))
    scaling.factorKey = "llama.rope.scale_linear";
  Expected<std::optional<double>> factor = file.getDouble(scaling.factorKey);
  if (!factor)
    return factor.takeError();
  scaling.type = type->value_or(*factor ? "linear" : "none");
  if (scaling.type != "none" && scaling.type != "linear" && scaling.type != "yarn")
    return file.refuseKey(typeKey, "found " + inBackticks(scaling.type) + ", expected `none`, `linear` or `yarn`");
  if (scaling.type == "none")
    return scaling;
  if (!*factor)
    return file.refuseKey("llama.rope.scaling.factor", "found nothing, expected a factor above 0");
  // 0 says that there is none.
  bool isNeutral = **factor == 1 || (**factor == 0 && !*type);
  if (scaling.type == "linear" && isNeutral)
    scaling.type = "none";
  else if (!(**factor > 0) || !std::isfinite(**factor))
    return file.refuseKey(scaling.factorKey,
                          "found " + file.find(scaling.factorKey)->describe() + ", expected a factor above 0");
  scaling.factor = **factor;
  return scaling;
}

Error ConfigBuilder::readRopeScaling() {
  static constexpr StringLiteral attentionKey = "llama.rope.scaling.attn_factor";
  Expected<RopeScaling> scaling = findRopeScaling();
  if (!scaling)
    return scaling.takeError();
  if (scaling->type != "yarn") {
    Expected<std::optional<double>> attention = file.getDouble(attentionKey);
    if (!attention)
      return attention.takeError();
    if (attention->value_or(1) != 1)
      return file.refuseKey(attentionKey, "found " + file.find(attentionKey)->describe() +
                                              ", expected 1 where the type of scaling is not "
                                              "`yarn`");
  }
  if (tensor("rope_freqs.weight")) {
    if (scaling->type != "none")
      return file.refuseKey(scaling->factorKey, "found scaling `" + scaling->type +
                                                    "` beside tensor `rope_freqs.weight`, "
                                                    "expected only one of them");
    config.set("rope_parameters.rope_type", "factors");
    return Error::success();
  }
  if (scaling->type == "none")
    return Error::success();
  config.set("rope_parameters.rope_type", scaling->type);
  config.set("rope_parameters.factor", scaling->factor);
  config.setFileKey("rope_parameters.rope_type", "llama.rope.scaling.type");
  config.setFileKey("rope_parameters.factor", scaling->factorKey);
  return scaling->type == "yarn" ? readYarn() : Error::success();
}

Error ConfigBuilder::readTokenIds() {
  if (Error error = copyInt("tokenizer.ggml.bos_token_id", "bos_token_id"))
    return error;
  if (Error error = copyInt("tokenizer.ggml.padding_token_id", "pad_token_id"))
    return error;
  ConfigValue::List ends;
  for (StringRef key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
    Expected<std::optional<int64_t>> id = file.getInt(key);
    if (!id)
      return id.takeError();
    bool known = *id && llvm::any_of(ends, [&](const ConfigValue &end) { return *end.asInt() == **id; });
    if (*id && !known)
      ends.push_back(**id);
  }
  if (!ends.empty())
    config.set("eos_token_id", std::move(ends));
  return Error::success();
}

Expected<ModelConfig> ConfigBuilder::build() {
  config.addOrigin(file.path());
  if (Error error = readTables())
    return error;
  readTensorFacts();
  if (Error error = readHeads())
    return error;
  if (Error error = checkTurning())
    return error;
  if (Error error = readRopeScaling())
    return error;
  if (Error error = readTokenIds())
    return error;
  if (Error error = checkInfluence(file, config))
    return error;
  return std::move(config);
}

Expected<ModelConfig> quern::frontend::readGgufConfig(const GgufFile &file) {
  if (Error error = checkArchitecture(file))
    return error;
  return ConfigBuilder(file).build();
}
