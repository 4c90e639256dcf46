//===- JsonObject.h - fields of a JSON object, checked -----------------------------------------===//

#ifndef QUERN_RUNTIME_JSONOBJECT_H
#define QUERN_RUNTIME_JSONOBJECT_H

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace quern::runtime {

/// Reads fields of a JSON object. The first mistake is kept, with its place, and everything read after it is empty:
/// a reader asks for all it wants and looks for a mistake once.
class JsonObject {
public:
  using Json = nlohmann::ordered_json;

  /// The object `json`, found at `path`; mistakes go to `mistake`, which is empty as long as there is none.
  JsonObject(const Json &json, std::string path, std::string &mistake);

  bool has(const char *key) const;
  /// Whether the field is missing or null.
  bool isNull(const char *key) const;
  std::string getString(const char *key) const;
  /// No value for null.
  std::optional<std::string> getOptionalString(const char *key) const;
  bool getBool(const char *key) const;
  /// An integer in [min, max].
  int64_t getInteger(const char *key, int64_t min, int64_t max) const;
  std::optional<int64_t> getOptionalInteger(const char *key, int64_t min, int64_t max) const;
  double getNumber(const char *key) const;
  std::vector<double> getNumbers(const char *key) const;
  std::vector<std::string> getStrings(const char *key) const;
  /// Integers in [min, max].
  std::vector<int64_t> getIntegers(const char *key, int64_t min, int64_t max) const;
  /// The field, which is an array; an empty one after a mistake.
  const Json &getArray(const char *key) const;
  /// The field, which is an object; an empty one after a mistake.
  const Json &getObject(const char *key) const;

  /// `path.key`.
  std::string locate(const char *key) const;
  /// Notes a mistake at `key`: `text` says what was found and expected.
  void refuse(const char *key, const std::string &text) const;

private:
  const Json *find(const char *key, const char *expected) const;

  const Json &json;
  std::string path;
  std::string &mistake;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_JSONOBJECT_H
