//===- ConfigAgreement.cpp - whether a model is made for a configuration ----------------------===//

#include "frontend/ConfigAgreement.h"
#include "frontend/Config.h"
#include "frontend/Diagnostics.h"
#include "frontend/Program.h"
#include "frontend/checkpoint/ModelConfig.h"
#include "frontend/checkpoint/StoredTensor.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace llvm;

namespace quern::frontend {

namespace {

/// A value of a key that leaves results as they are without the key; `null` and absence always do.
struct Neutral {
  /// As a message expects it.
  StringLiteral words;
  bool (*holds)(const ConfigValue &value, const ModelConfig &config);
};

/// A row of ConfigKeys.def.
struct NeutralKey {
  StringLiteral name;
  const Neutral &neutral;
};

bool isNumber(const ConfigValue &value, double number) {
  return value.asInt() ? double(*value.asInt()) == number : value.asDouble() && *value.asDouble() == number;
}

bool isBool(const ConfigValue &value, bool truth) { return value.asBool() && *value.asBool() == truth; }

bool isText(const ConfigValue &value, StringRef text) { return value.asString() && *value.asString() == text; }

/// Whether no token is so far from another that the window would hide it.
bool isWideWindow(const ConfigValue &value, const ModelConfig &config) {
  const ConfigValue *use = config.find("use_sliding_window");
  // `context` is there when a user has said how long texts are.
  const ConfigValue *positions = config.find("context");
  if (!positions)
    positions = config.find("max_position_embeddings");
  bool seesAll = value.asInt() && positions && positions->asInt() && *value.asInt() >= *positions->asInt();
  return isNumber(value, 0) || (use && isBool(*use, false)) || seesAll;
}

bool isListOf(const ConfigValue &value, function_ref<bool(const ConfigValue &)> holds) {
  return value.asList() && all_of(*value.asList(), holds);
}

constexpr Neutral Nothing{"no such key", [](const ConfigValue &, const ModelConfig &) { return false; }};
constexpr Neutral Zero{"0", [](const ConfigValue &value, const ModelConfig &) { return isNumber(value, 0); }};
constexpr Neutral One{"1", [](const ConfigValue &value, const ModelConfig &) { return isNumber(value, 1); }};
constexpr Neutral False{"false", [](const ConfigValue &value, const ModelConfig &) { return isBool(value, false); }};
constexpr Neutral True{"true", [](const ConfigValue &value, const ModelConfig &) { return isBool(value, true); }};
constexpr Neutral DefaultRope{"\"default\"",
                              [](const ConfigValue &value, const ModelConfig &) { return isText(value, "default"); }};
constexpr Neutral FullAttention{"\"full_attention\" for every layer",
                                [](const ConfigValue &value, const ModelConfig &) {
                                  return isListOf(value, [](auto &type) { return isText(type, "full_attention"); });
                                }};
constexpr Neutral Ones{"1 for every layer", [](const ConfigValue &value, const ModelConfig &) {
                         return isListOf(value, [](auto &flag) { return isNumber(flag, 1) || isBool(flag, true); });
                       }};
/// Readers of checkpoints make plain numbers of those.
constexpr Neutral Fp8{"no such key, or one whose `quant_method` is \"fp8\"",
                      [](const ConfigValue &, const ModelConfig &config) {
                        const ConfigValue *method = config.find("quantization_config.quant_method");
                        return method && isText(*method, "fp8");
                      }};
constexpr Neutral Window{"null, or at least the longest text, `max_position_embeddings` or `--ctx`", isWideWindow};

constexpr StringLiteral idleKeys[] = {
#define QUERN_IDLE_KEY(Pattern) StringLiteral(Pattern),
#include "frontend/ConfigKeys.def"
};

constexpr NeutralKey neutralKeys[] = {
#define QUERN_NEUTRAL_KEY(Key, Neutral) {StringLiteral(Key), Neutral},
#include "frontend/ConfigKeys.def"
};

/// How many keys one note lists.
constexpr size_t maxKeys = 20;

/// Whether `key` is `pattern`, in which `*` at one end stands for any text.
bool matches(StringRef key, StringRef pattern) {
  if (pattern.consume_front("*"))
    return key.ends_with(pattern);
  return pattern.consume_back("*") ? key.starts_with(pattern) : key == pattern;
}

/// The keys that files of the model declare, and those in which they are.
StringSet<> declaredKeys(const Program &program) {
  StringSet<> keys;
  for (const auto &[key, entry] : program.config()) {
    keys.insert(key);
    for (size_t dot = key.find('.'); dot != StringRef::npos; dot = key.find('.', dot + 1))
      keys.insert(key.take_front(dot));
  }
  return keys;
}

/// `a.b` where `a` is a key of which the model reads no part: that says it all.
bool isInUnread(StringRef key, const ModelConfig &config, const StringSet<> &declared) {
  for (size_t dot = key.find('.'); dot != StringRef::npos; dot = key.find('.', dot + 1))
    if (config.find(key.take_front(dot)) && !declared.contains(key.take_front(dot)))
      return true;
  return false;
}

} // namespace

static std::string origin(const ModelConfig &config) {
  return config.origin().empty() ? "the configuration" : "`" + config.origin().str() + "`";
}

LogicalResult checkPurpose(const Program &program, const ModelConfig &config, DiagnosticEngine &diagnostics) {
  const ConfigEntry *entry = program.findConfig("model_type");
  const ConfigValue *found = config.find("model_type");
  auto *choice = entry ? dyn_cast<ChoiceType>(entry->field->type) : nullptr;
  if (!choice || !found || convertConfig(*found, *choice, {}))
    return success();
  diagnostics.error(entry->field->key.range, "`model_type` is " + found->describe() + " in " + origin(config) +
                                                 "; the model is for " + describeType(*choice));
  return failure();
}

LogicalResult checkUnread(const Program &program, const ModelConfig &config, SourceRange root,
                          DiagnosticEngine &diagnostics) {
  StringSet<> declared = declaredKeys(program);
  std::vector<std::string> unread;
  bool agrees = true;
  for (const auto &[key, value] : config.values()) {
    bool isIdle = any_of(idleKeys, [&](StringRef pattern) { return matches(key, pattern); });
    if (isIdle || declared.contains(key))
      continue;
    const NeutralKey *row = find_if(neutralKeys, [&](const NeutralKey &row) { return row.name == key; });
    if (row == std::end(neutralKeys)) {
      if (!isInUnread(key, config, declared))
        unread.push_back(inBackticks(key));
      continue;
    }
    if (row->neutral.holds(value, config))
      continue;
    agrees = false;
    diagnostics.error(root, "`" + key + "` is " + value.describe() + " in " + origin(config) +
                                ", and the model, which does not read it, would be wrong; expected " +
                                row->neutral.words);
  }
  if (agrees && !unread.empty()) {
    size_t count = unread.size();
    unread.resize(std::min(count, maxKeys));
    diagnostics.remark("the model does not read " + join(unread, ", ") +
                       (count > maxKeys ? " and " + std::to_string(count - maxKeys) + " more" : "") + " of " +
                       origin(config));
  }
  return success(agrees);
}

} // namespace quern::frontend
