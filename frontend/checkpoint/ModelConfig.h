//===- ModelConfig.h - The normalised config.json ---------------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The configuration of a model as a flat, ordered set of dotted keys with the
// names of Hugging Face's `config.json`, whatever file it came from:
//
// - `null` is absent.
// - Rotary embeddings: `rope_parameters.{rope_theta, rope_type, factor, ...}`,
//   also from the older `rope_theta` and `rope_scaling`; `rope_type` is
//   "default" when nothing says otherwise.
// - `dtype` also from `torch_dtype`, without a leading `torch.`.
// - `eos_token_id` is a list of integers.
// - GGUF metadata becomes the same keys. A tensor of frequency factors
//   (`rope_freqs.weight`) becomes `rope_parameters.rope_type = "factors"`: the
//   inverse frequency of pair j is theta^(-2j/d) / factor[j], and the checkpoint
//   keeps the tensor `rope_freqs.weight`, f32 [d/2].
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_MODELCONFIG_H
#define QUERN_FRONTEND_CHECKPOINT_MODELCONFIG_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace quern::frontend {

/// One value of a configuration.
class ConfigValue {
public:
  using List = std::vector<ConfigValue>;
  /// Stands for a JSON object. Outside of lists its members have keys of their
  /// own; inside a list they are not kept, and `null` becomes an object too.
  struct Object {};

  ConfigValue(bool value) : storage(value) {}
  ConfigValue(int64_t value) : storage(value) {}
  ConfigValue(double value) : storage(value) {}
  ConfigValue(std::string value) : storage(std::move(value)) {}
  ConfigValue(const char *value) : storage(std::string(value)) {}
  ConfigValue(List value) : storage(std::move(value)) {}
  ConfigValue(Object value) : storage(value) {}

  /// The value if it has exactly that kind, else null.
  const bool *asBool() const { return std::get_if<bool>(&storage); }
  const int64_t *asInt() const { return std::get_if<int64_t>(&storage); }
  const double *asDouble() const { return std::get_if<double>(&storage); }
  const std::string *asString() const { return std::get_if<std::string>(&storage); }
  bool isObject() const { return std::holds_alternative<Object>(storage); }
  const List *asList() const { return std::get_if<List>(&storage); }

  /// Kind and value for messages, e.g. "integer 3", "string \"silu\"", "a list".
  std::string describe() const;

private:
  std::variant<bool, int64_t, double, std::string, List, Object> storage;
};

/// All values of a configuration, by dotted key.
class ModelConfig {
public:
  /// The value of `key` (`hidden_size`, `rope_parameters.rope_theta`), or null
  /// if the key is absent. Valid until the configuration changes.
  const ConfigValue *find(llvm::StringRef key) const;

  /// All keys with values, by ascending key.
  const std::map<std::string, ConfigValue, std::less<>> &values() const { return entries; }

  /// The files the values came from, for messages; empty if there are none.
  llvm::StringRef origin() const { return files; }

  /// What the file calls `key`, for messages: `key` itself unless `setFileKey` said otherwise.
  llvm::StringRef fileKey(llvm::StringRef key) const;
  /// Says what the file calls `key`.
  void setFileKey(llvm::StringRef key, llvm::StringRef name);

  /// Sets or replaces a value.
  void set(llvm::StringRef key, ConfigValue value);
  /// Removes `key` and returns true iff it was there.
  bool erase(llvm::StringRef key);
  /// Takes the values of `other` whose keys are absent here, and its origin.
  void fillFrom(const ModelConfig &other);
  /// Takes every value of `other` under `prefix.KEY`.
  void nest(llvm::StringRef prefix, const ModelConfig &other);
  /// Adds a file to `origin`.
  void addOrigin(llvm::StringRef file);

private:
  std::map<std::string, ConfigValue, std::less<>> entries;
  /// Names in files of keys that are called otherwise there.
  std::map<std::string, std::string, std::less<>> fileKeys;
  std::string files;
};

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_MODELCONFIG_H
