//===- JsonObject.cpp - fields of a JSON object, checked ---------------------------------------===//

#include "runtime/JsonObject.h"

#include <limits>

namespace quern::runtime {

using Json = JsonObject::Json;

/// What takes the place of a field that is missing or of the wrong type.
/// What has no value has no members. Made when it is needed:
/// before `main` nobody could tell that there is no memory for it.
static const Json &getEmpty(Json::value_t type) {
  static const Json array = Json::array(), object = Json::object();
  return type == Json::value_t::array ? array : object;
}

/// The value if it is an integer in [min, max].
static std::optional<int64_t> asInteger(const Json &value, int64_t min, int64_t max) {
  if (!value.is_number_integer())
    return std::nullopt;
  if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t(std::numeric_limits<int64_t>::max()))
    return std::nullopt;
  int64_t number = value.get<int64_t>();
  if (number < min || number > max)
    return std::nullopt;
  return number;
}

static std::string expectRange(int64_t min, int64_t max) {
  return "an integer from " + std::to_string(min) + " to " + std::to_string(max);
}

JsonObject::JsonObject(const Json &json, std::string path, std::string &mistake)
    : json(json), path(std::move(path)), mistake(mistake) {
  if (!json.is_object() && mistake.empty())
    mistake = "`" + this->path + "` is of type " + json.type_name() + ", expected an object";
}

std::string JsonObject::locate(const char *key) const { return path.empty() ? key : path + "." + key; }

void JsonObject::refuse(const char *key, const std::string &text) const {
  if (mistake.empty())
    mistake = "`" + locate(key) + "` " + text;
}

bool JsonObject::has(const char *key) const { return json.is_object() && json.contains(key); }

bool JsonObject::isNull(const char *key) const { return !has(key) || json.find(key)->is_null(); }

const Json *JsonObject::find(const char *key, const char *expected) const {
  if (has(key))
    return &*json.find(key);
  refuse(key, std::string("is missing, expected ") + expected);
  return nullptr;
}

std::string JsonObject::getString(const char *key) const {
  const Json *value = find(key, "a string");
  if (value && value->is_string())
    return value->get<std::string>();
  if (value)
    refuse(key, std::string("is of type ") + value->type_name() + ", expected a string");
  return {};
}

std::optional<std::string> JsonObject::getOptionalString(const char *key) const {
  if (!has(key) || json.find(key)->is_null())
    return std::nullopt;
  return getString(key);
}

bool JsonObject::getBool(const char *key) const {
  const Json *value = find(key, "a boolean");
  if (value && value->is_boolean())
    return value->get<bool>();
  if (value)
    refuse(key, std::string("is of type ") + value->type_name() + ", expected a boolean");
  return false;
}

int64_t JsonObject::getInteger(const char *key, int64_t min, int64_t max) const {
  const Json *value = find(key, "an integer");
  if (!value)
    return min;
  std::optional<int64_t> number = asInteger(*value, min, max);
  if (!number)
    refuse(key, "is " + value->dump().substr(0, 40) + ", expected " + expectRange(min, max));
  return number.value_or(min);
}

std::optional<int64_t> JsonObject::getOptionalInteger(const char *key, int64_t min, int64_t max) const {
  if (!has(key) || json.find(key)->is_null())
    return std::nullopt;
  return getInteger(key, min, max);
}

double JsonObject::getNumber(const char *key) const {
  const Json *value = find(key, "a number");
  if (value && value->is_number())
    return value->get<double>();
  if (value)
    refuse(key, std::string("is of type ") + value->type_name() + ", expected a number");
  return 0;
}

std::vector<double> JsonObject::getNumbers(const char *key) const {
  std::vector<double> numbers;
  for (const Json &value : getArray(key)) {
    if (!value.is_number()) {
      refuse(key, std::string("holds a ") + value.type_name() + ", expected numbers");
      return {};
    }
    numbers.push_back(value.get<double>());
  }
  return numbers;
}

std::vector<std::string> JsonObject::getStrings(const char *key) const {
  std::vector<std::string> strings;
  for (const Json &value : getArray(key)) {
    if (!value.is_string()) {
      refuse(key, std::string("holds a ") + value.type_name() + ", expected strings");
      return {};
    }
    strings.push_back(value.get<std::string>());
  }
  return strings;
}

std::vector<int64_t> JsonObject::getIntegers(const char *key, int64_t min, int64_t max) const {
  std::vector<int64_t> integers;
  for (const Json &value : getArray(key)) {
    std::optional<int64_t> number = asInteger(value, min, max);
    if (!number) {
      refuse(key, "holds " + value.dump().substr(0, 40) + ", expected " + expectRange(min, max));
      return {};
    }
    integers.push_back(*number);
  }
  return integers;
}

const Json &JsonObject::getArray(const char *key) const {
  const Json *value = find(key, "an array");
  if (value && value->is_array())
    return *value;
  if (value)
    refuse(key, std::string("is of type ") + value->type_name() + ", expected an array");
  return getEmpty(Json::value_t::array);
}

const Json &JsonObject::getObject(const char *key) const {
  const Json *value = find(key, "an object");
  if (value && value->is_object())
    return *value;
  if (value)
    refuse(key, std::string("is of type ") + value->type_name() + ", expected an object");
  return getEmpty(Json::value_t::object);
}

} // namespace quern::runtime
