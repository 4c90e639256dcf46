//===- HfConfig.cpp - Hugging Face's config.json --------------------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/HfConfig.h"

#include "frontend/checkpoint/Json.h"
#include "frontend/checkpoint/MappedFile.h"
#include "frontend/checkpoint/StoredTensor.h"

using namespace llvm;
using namespace quern::frontend;
using nlohmann::json;

/// The largest `config.json` that is read.
static constexpr uint64_t maxConfigBytes = 16 << 20;

/// A value that is neither null nor an object; those stand for themselves.
static ConfigValue convert(const json &value) {
  if (value.is_boolean())
    return value.get<bool>();
  if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t(INT64_MAX))
    return double(value.get<uint64_t>());
  if (value.is_number_integer())
    return value.get<int64_t>();
  if (value.is_number_float())
    return value.get<double>();
  if (value.is_string())
    return value.get_ref<const std::string &>();
  if (!value.is_array())
    return ConfigValue::Object();
  ConfigValue::List list;
  for (const json &element : value)
    list.push_back(convert(element));
  return list;
}

/// Sets the members of `object`, which has the key `prefix` ("" at the top).
static void flatten(const json &object, const std::string &prefix, ModelConfig &config) {
  for (auto &[name, value] : object.items()) {
    std::string key = prefix.empty() ? name : prefix + "." + name;
    if (value.is_null())
      continue;
    config.set(key, convert(value));
    if (value.is_object())
      flatten(value, key, config);
  }
}

/// Moves the value of `from` to `to` unless `to` has one.
static void moveKey(ModelConfig &config, StringRef from, StringRef to) {
  const ConfigValue *value = config.find(from);
  if (!value)
    return;
  if (!config.find(to)) {
    config.set(to, *value);
    config.setFileKey(to, config.fileKey(from));
  }
  config.erase(from);
}

/// The older dialect: `rope_theta` at the top and a table `rope_scaling`, whose
/// type is called `rope_type` or, older still, `type`.
static Error normalizeRope(ModelConfig &config, StringRef path) {
  for (StringRef key : {"rope_scaling", "rope_parameters"})
    if (const ConfigValue *value = config.find(key); value && !value->isObject())
      return refuse("`" + path + "`: `" + key + "` is " + value->describe() + ", expected an object");
  moveKey(config, "rope_scaling.type", "rope_scaling.rope_type");
  moveKey(config, "rope_parameters.type", "rope_parameters.rope_type");
  std::vector<std::string> scaling;
  for (const auto &[key, value] : config.values())
    if (StringRef(key).starts_with("rope_scaling."))
      scaling.push_back(key);
  for (const std::string &key : scaling) {
    std::string other = "rope_parameters." + key.substr(strlen("rope_scaling."));
    const ConfigValue *old = config.find(key), *value = config.find(other);
    if (value && value->describe() != old->describe())
      return refuse("`" + path + "`: `" + config.fileKey(key) + "` is " + old->describe() + " and `" +
                    config.fileKey(other) + "` is " + value->describe() + ", expected one of them, or the same");
    moveKey(config, key, other);
  }
  config.erase("rope_scaling");
  for (StringRef key : {"rope_theta", "partial_rotary_factor", "original_max_position_embeddings"})
    moveKey(config, key, ("rope_parameters." + key).str());
  const ConfigValue *type = config.find("rope_parameters.rope_type");
  const std::string *name = type ? type->asString() : nullptr;
  bool isScaled = name && is_contained({"linear", "dynamic", "yarn", "llama3"}, *name);
  if (isScaled && !config.find("rope_parameters.factor"))
    return refuse("`" + path + "`: `" + config.fileKey("rope_parameters.rope_type") + "` is " + type->describe() +
                  " and there is no `factor` beside it, expected one");
  return Error::success();
}

static void normalizeDtype(ModelConfig &config) {
  moveKey(config, "torch_dtype", "dtype");
  const ConfigValue *dtype = config.find("dtype");
  const std::string *name = dtype ? dtype->asString() : nullptr;
  if (name && StringRef(*name).starts_with("torch."))
    config.set("dtype", name->substr(strlen("torch.")));
}

static void normalizeEnds(ModelConfig &config) {
  const ConfigValue *end = config.find("eos_token_id");
  if (end && !end->asList())
    config.set("eos_token_id", ConfigValue::List{*end});
}

namespace {

/// What transformers takes for a key that a file does not have, where that is
/// not what a model takes (configuration_mistral.py and its likes).
struct TypeDefault {
  StringLiteral modelType, key;
  ConfigValue value;
};

/// Two names for one key: transformers reads either, and the versions write one or
/// the other (`attribute_map` of its configurations).
struct TypeAlias {
  StringLiteral modelType, other, key;
};

} // namespace

static const TypeDefault typeDefaults[] = {
    {"mistral", "num_key_value_heads", int64_t(8)},
    {"mistral", "sliding_window", int64_t(4096)},
    {"qwen2_moe", "qkv_bias", true},
    {"deepseek_v3", "rope_interleave", true},
};

static constexpr TypeAlias typeAliases[] = {
    {"qwen2_moe", "num_local_experts", "num_experts"},
    {"qwen3_moe", "num_experts", "num_local_experts"},
    {"olmoe", "num_local_experts", "num_experts"},
    {"mixtral", "num_experts", "num_local_experts"},
    {"deepseek_v2", "num_local_experts", "n_routed_experts"},
    {"deepseek_v3", "num_local_experts", "n_routed_experts"},
};

/// A key that is there as null says something else: no window.
static void normalizeType(const json &object, ModelConfig &config) {
  const ConfigValue *type = config.find("model_type");
  const std::string *name = type ? type->asString() : nullptr;
  for (const TypeDefault &row : typeDefaults)
    if (name && *name == row.modelType && !object.contains(row.key.str()))
      config.set(row.key, row.value);
  for (const TypeAlias &row : typeAliases)
    if (name && *name == row.modelType)
      moveKey(config, row.other, row.key);
}

Expected<ModelConfig> quern::frontend::parseHfConfig(StringRef text, StringRef path) {
  Expected<json> tree = parseJson(text, path);
  if (!tree)
    return tree.takeError();
  if (!tree->is_object())
    return refuse("`" + path + "`: found " + describeJson(*tree) + ", expected an object");
  ModelConfig config;
  config.addOrigin(path);
  flatten(*tree, "", config);
  normalizeType(*tree, config);
  if (Error error = normalizeRope(config, path))
    return error;
  normalizeDtype(config);
  normalizeEnds(config);
  return config;
}

Expected<ModelConfig> quern::frontend::readHfConfig(StringRef path) {
  Expected<std::string> text = readSmallFile(path, maxConfigBytes);
  if (!text)
    return text.takeError();
  return parseHfConfig(*text, path);
}

void quern::frontend::setConfigDefaults(ModelConfig &config) {
  if (!config.find("rope_parameters.rope_type"))
    config.set("rope_parameters.rope_type", "default");
}
