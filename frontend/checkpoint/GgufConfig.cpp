//===- GgufConfig.cpp - Metadata of GGUF files as config.json -------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/GgufInfluence.h"
#include "frontend/checkpoint/GgufModel.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace llvm;
using namespace quern::frontend;
using namespace quern::frontend::gguf_families;

namespace {

enum class Presence { required, optional, zeroable };

/// A row of GgufFamilies.def: a metadata key.
struct KeyRow {
  uint32_t families;
  StringLiteral gguf;
  StringLiteral huggingFace;
  Presence presence;
};

/// A config key that the tensor of that name tells.
struct FactRow {
  uint32_t families;
  StringLiteral tensor;
  StringLiteral huggingFace;
};

struct DefaultRow {
  uint32_t families;
  StringLiteral huggingFace;
  ConfigValue value;
};

/// Fills a configuration from a file's metadata.
class ConfigBuilder {
public:
  explicit ConfigBuilder(const GgufModel &model) : model(model), file(model.file) {}

  Expected<ModelConfig> build();

private:
  /// How positions are scaled, and the key of the factor.
  struct RopeScaling {
    std::string type;
    std::string factorKey;
    double factor = 1;
  };

  Error readTables();
  Error readHeads();
  Error readLatentHeads();
  Error readScales();
  Error checkRouting() const;
  Error checkTurning() const;
  Expected<RopeScaling> findRopeScaling() const;
  Error readRopeScaling();
  Error readYarn();
  Error readTokenIds();
  void readTensorFacts();
  void setDefaults();

  Error require(const KeyRow &row, bool present) const;
  Error copyDouble(StringRef key, StringRef to);
  Error copyInt(StringRef key, StringRef to);
  Error copyBool(StringRef key, StringRef to);
  int64_t getInt(StringRef key) const { return *config.find(key)->asInt(); }

  const GgufModel &model;
  const GgufFile &file;
  ModelConfig config;
};

} // namespace

static constexpr KeyRow intKeys[] = {
#define QUERN_GGUF_INT(families, gguf, huggingFace, presence) {families, gguf, huggingFace, Presence::presence},
#include "frontend/checkpoint/GgufFamilies.def"
};

static constexpr KeyRow floatKeys[] = {
#define QUERN_GGUF_FLOAT(families, gguf, huggingFace, presence) {families, gguf, huggingFace, Presence::presence},
#include "frontend/checkpoint/GgufFamilies.def"
};

static constexpr KeyRow boolKeys[] = {
#define QUERN_GGUF_BOOL(families, gguf, huggingFace, presence) {families, gguf, huggingFace, Presence::presence},
#include "frontend/checkpoint/GgufFamilies.def"
};

static constexpr FactRow presentTensors[] = {
#define QUERN_GGUF_PRESENT(families, tensor, huggingFace) {families, tensor, huggingFace},
#include "frontend/checkpoint/GgufFamilies.def"
};

static constexpr FactRow extents[] = {
#define QUERN_GGUF_EXTENT(families, tensor, huggingFace) {families, tensor, huggingFace},
#include "frontend/checkpoint/GgufFamilies.def"
};

static const DefaultRow defaults[] = {
#define QUERN_GGUF_DEFAULT(families, huggingFace, value) {families, huggingFace, value},
#include "frontend/checkpoint/GgufFamilies.def"
};

Error ConfigBuilder::require(const KeyRow &row, bool present) const {
  if (present || row.presence != Presence::required)
    return Error::success();
  return file.refuseKey(model.key(row.gguf), "found nothing, expected the value of `" + row.huggingFace + "`");
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
  // Of two keys for one thing, messages name the one that is there.
  if (*value || !config.find(to))
    config.setFileKey(to, key);
  if (*value)
    config.set(to, **value);
  return Error::success();
}

Error ConfigBuilder::copyBool(StringRef key, StringRef to) {
  Expected<std::optional<bool>> value = file.getBool(key);
  if (!value)
    return value.takeError();
  config.setFileKey(to, key);
  if (*value)
    config.set(to, **value);
  return Error::success();
}

Error ConfigBuilder::readTables() {
  for (const KeyRow &row : intKeys) {
    if (!model.isOf(row.families))
      continue;
    if (Error error = copyInt(model.key(row.gguf), row.huggingFace))
      return error;
    const ConfigValue *value = config.find(row.huggingFace);
    int64_t least = row.presence == Presence::zeroable ? 0 : 1;
    if (value && *value->asInt() < least)
      return file.refuseKey(model.key(row.gguf),
                            "found " + Twine(*value->asInt()) + ", expected at least " + Twine(least));
    if (Error error = require(row, value))
      return error;
  }
  for (const KeyRow &row : floatKeys) {
    if (!model.isOf(row.families))
      continue;
    if (Error error = copyDouble(model.key(row.gguf), row.huggingFace))
      return error;
    if (Error error = require(row, config.find(row.huggingFace)))
      return error;
  }
  for (const KeyRow &row : boolKeys)
    if (model.isOf(row.families))
      if (Error error = copyBool(model.key(row.gguf), row.huggingFace))
        return error;
  return Error::success();
}

/// The number of rows of a matrix of `blk.N.part` in the first layer that has it.
static std::optional<int64_t> findExtent(const GgufFile &file, StringRef part) {
  for (const StoredTensor &tensor : file.tensors()) {
    StringRef layer, found;
    if (splitLayer(tensor.name, layer, found) && found == part && tensor.shape.size() >= 2)
      return tensor.shape[tensor.shape.size() - 2];
  }
  return std::nullopt;
}

/// What the tensors say of the model: their presence and shapes.
void ConfigBuilder::readTensorFacts() {
  config.set("model_type", model.modelType.str());
  config.set("tie_word_embeddings", model.findTensor("output.weight") == nullptr);
  for (const FactRow &row : presentTensors)
    if (model.isOf(row.families))
      config.set(row.huggingFace, model.findTensor(row.tensor) != nullptr);
  for (const FactRow &row : extents)
    if (model.isOf(row.families) && !config.find(row.huggingFace))
      if (std::optional<int64_t> extent = findExtent(file, row.tensor))
        config.set(row.huggingFace, *extent);
  // The embedding may have more rows than there are tokens.
  if (const StoredTensor *embedding = model.findTensor("token_embd.weight"))
    config.set("vocab_size", embedding->shape.front());
  else if (const GgufValue *tokens = file.find("tokenizer.ggml.tokens"))
    if (std::optional<std::vector<StringRef>> list = tokens->asStrings())
      config.set("vocab_size", int64_t(list->size()));
}

void ConfigBuilder::setDefaults() {
  for (const DefaultRow &row : defaults)
    if (model.isOf(row.families) && !config.find(row.huggingFace))
      config.set(row.huggingFace, row.value);
}

/// Heads that divide each other and the model's width, unless their size is given.
Error ConfigBuilder::readHeads() {
  int64_t hidden = getInt("hidden_size"), heads = getInt("num_attention_heads");
  std::string headsKey = model.key("attention.head_count");
  if (!config.find("head_dim") && hidden % heads != 0)
    return file.refuseKey(headsKey, "found " + Twine(heads) + ", expected a divisor of `" +
                                        model.key("embedding_length") + "`, " + Twine(hidden));
  if (!config.find("head_dim"))
    config.set("head_dim", hidden / heads);
  const ConfigValue *keyHeads = config.find("num_key_value_heads");
  if (keyHeads && heads % *keyHeads->asInt() != 0)
    return file.refuseKey(model.key("attention.head_count_kv"), "found " + Twine(*keyHeads->asInt()) +
                                                                    ", expected a divisor of `" + headsKey + "`, " +
                                                                    Twine(heads));
  return Error::success();
}

/// Heads whose keys and values are made of a latent: every head has its own.
Error ConfigBuilder::readLatentHeads() {
  config.set("num_key_value_heads", getInt("num_attention_heads"));
  for (StringRef key : {"qk_head_dim", "v_head_dim"})
    if (!config.find(key))
      return file.refuseKey(config.fileKey(key), "found nothing, expected the value of `" + key + "`");
  int64_t size = getInt("qk_head_dim"), turning = getInt("qk_rope_head_dim");
  if (turning >= size || turning % 2 != 0)
    return file.refuseKey(model.key("rope.dimension_count"),
                          "found " + Twine(turning) + ", expected an even number below the head size " + Twine(size) +
                              " of `" + config.fileKey("qk_head_dim") + "`");
  config.set("qk_nope_head_dim", size - turning);
  // A group is chosen by its best expert, or by its two best where scores are corrected.
  if (model.isOf(DeepseekV2))
    config.set("topk_method", getInt("n_group") > 1 ? "group_limited_greedy" : "greedy");
  return Error::success();
}

/// A scale of 0 is none.
Error ConfigBuilder::readScales() {
  for (const DefaultRow &row : defaults)
    if (const double *neutral = row.value.asDouble(); neutral && model.isOf(row.families))
      if (const double *value = config.find(row.huggingFace)->asDouble(); value && *value == 0)
        config.set(row.huggingFace, *neutral);
  if (!model.isOf(Granite))
    return Error::success();
  const ConfigValue *scale = config.find("attention_multiplier");
  if (!scale || *scale->asDouble() == 0)
    config.set("attention_multiplier", 1.0 / std::sqrt(double(getInt("head_dim"))));
  if (*config.find("logits_scaling")->asDouble() == 0)
    return file.refuseKey(model.key("logit_scale"), "found 0, expected a divisor of logits");
  return Error::success();
}

/// No more experts used than there are, in groups that divide them, of which enough are kept.
Error ConfigBuilder::checkRouting() const {
  if (model.isOf(Llama))
    return Error::success();
  std::string expertsKey = model.key("expert_count");
  int64_t experts = getInt(model.isOf(Deepseek)           ? "n_routed_experts"
                           : model.isOf(Qwen2Moe | Olmoe) ? "num_experts"
                                                          : "num_local_experts");
  int64_t used = getInt("num_experts_per_tok");
  if (used > experts)
    return file.refuseKey(model.key("expert_used_count"), "found " + Twine(used) + ", expected at most the " +
                                                              Twine(experts) + " of `" + expertsKey + "`");
  if (!model.isOf(Deepseek))
    return Error::success();
  int64_t groups = getInt("n_group"), kept = getInt("topk_group");
  if (experts % groups != 0)
    return file.refuseKey(model.key("expert_group_count"),
                          "found " + Twine(groups) + ", expected a divisor of `" + expertsKey + "`, " + Twine(experts));
  if (kept > groups || kept * (experts / groups) < used)
    return file.refuseKey(model.key("expert_group_used_count"), "found " + Twine(kept) + ", expected at most the " +
                                                                    Twine(groups) + " groups, and enough for the " +
                                                                    Twine(used) + " experts that are used");
  return Error::success();
}

/// Only heads that turn as a whole.
Error ConfigBuilder::checkTurning() const {
  static constexpr StringLiteral name = "rope.dimension_count";
  int64_t headDim = getInt("head_dim");
  Expected<std::optional<int64_t>> turning = model.getUniformInt(name);
  if (!turning)
    return turning.takeError();
  if (turning->value_or(headDim) != headDim)
    return file.refuseKey(model.key(name), "found " + Twine(**turning) + ", expected the head size " + Twine(headDim));
  return Error::success();
}

/// GGUF's `attn_factor` multiplies YaRN's own scale of cosine and sine, 0.1 ln(factor) + 1;
/// `attention_factor` replaces it. DeepSeek's `yarn_log_multiplier` is a tenth of `mscale_all_dim`,
/// which `mscale` equals: cosine and sine keep their size, scores are multiplied instead.
Error ConfigBuilder::readYarn() {
  if (Error error = copyInt(model.key("rope.scaling.original_context_length"),
                            "rope_parameters.original_max_position_embeddings"))
    return error;
  if (Error error = copyDouble(model.key("rope.scaling.yarn_beta_fast"), "rope_parameters.beta_fast"))
    return error;
  if (Error error = copyDouble(model.key("rope.scaling.yarn_beta_slow"), "rope_parameters.beta_slow"))
    return error;
  Expected<std::optional<double>> attention = file.getDouble(model.key("rope.scaling.attn_factor"));
  if (!attention)
    return attention.takeError();
  const ConfigValue *factor = config.find("rope_parameters.factor");
  if (*attention && factor)
    config.set("rope_parameters.attention_factor", **attention * (0.1 * std::log(*factor->asDouble()) + 1.0));
  if (!model.isOf(Deepseek))
    return Error::success();
  if (Error error = copyDouble(model.key("rope.scaling.yarn_log_multiplier"), "rope_parameters.mscale_all_dim"))
    return error;
  if (const ConfigValue *tenth = config.find("rope_parameters.mscale_all_dim"); tenth && *tenth->asDouble() != 0) {
    double whole = fromShortestDecimal(float(*tenth->asDouble() * 10));
    config.set("rope_parameters.mscale", whole);
    config.set("rope_parameters.mscale_all_dim", whole);
  } else {
    config.erase("rope_parameters.mscale_all_dim");
  }
  return Error::success();
}

/// A factor without a type is linear, as in files from before there were types;
/// those call the factor `scale_linear`.
Expected<ConfigBuilder::RopeScaling> ConfigBuilder::findRopeScaling() const {
  std::string typeKey = model.key("rope.scaling.type");
  RopeScaling scaling;
  scaling.factorKey = model.key("rope.scaling.factor");
  Expected<std::optional<std::string>> type = file.getString(typeKey);
  if (!type)
    return type.takeError();
  if (!file.find(scaling.factorKey))
    scaling.factorKey = model.key("rope.scale_linear");
  Expected<std::optional<double>> factor = file.getDouble(scaling.factorKey);
  if (!factor)
    return factor.takeError();
  scaling.type = type->value_or(*factor ? "linear" : "none");
  if (scaling.type != "none" && scaling.type != "linear" && scaling.type != "yarn")
    return file.refuseKey(typeKey, "found " + inBackticks(scaling.type) + ", expected `none`, `linear` or `yarn`");
  if (scaling.type == "none")
    return scaling;
  if (!*factor)
    return file.refuseKey(model.key("rope.scaling.factor"), "found nothing, expected a factor above 0");
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
  std::string attentionKey = model.key("rope.scaling.attn_factor");
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
  if (model.findTensor("rope_freqs.weight")) {
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
  config.setFileKey("rope_parameters.rope_type", model.key("rope.scaling.type"));
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
  setDefaults();
  if (Error error = model.isOf(Deepseek) ? readLatentHeads() : readHeads())
    return error;
  if (Error error = checkRouting())
    return error;
  if (Error error = readScales())
    return error;
  if (!model.isOf(Deepseek))
    if (Error error = checkTurning())
      return error;
  if (Error error = readRopeScaling())
    return error;
  if (Error error = readTokenIds())
    return error;
  if (Error error = checkInfluence(model, config))
    return error;
  return std::move(config);
}

Expected<ModelConfig> quern::frontend::readGgufConfig(const GgufFile &file) {
  Expected<GgufModel> model = readFamily(file);
  if (!model)
    return model.takeError();
  return ConfigBuilder(*model).build();
}
