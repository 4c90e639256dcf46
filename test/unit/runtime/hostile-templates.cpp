/// Chat templates that mean harm: each gives its text or one refusal, and none ends this process. The table is
/// test/data/chat/hostile.json: a template is a list of texts and of [text, count], which repeats it; `text` is what it
/// gives (null: any), `error` a part of why it is refused.

#include "Check.h"
#include "runtime/llm/Chat.h"

#include <fstream>
#include <nlohmann/json.hpp>

using namespace quern::runtime;
using Json = nlohmann::json;

namespace {

std::string join(const Json &parts) {
  std::string text;
  for (const Json &part : parts)
    for (size_t i = part.is_array() ? part[1].get<size_t>() : 1; i > 0; --i)
      text += (part.is_array() ? part[0] : part).get_ref<const std::string &>();
  return text;
}

/// What is wrong with how the template of a row ends; nothing if it is as expected.
std::string judge(const Json &row) {
  Result<std::string> text =
      renderChat({join(row["template"]), "<s>", "</s>"}, R"([{"role": "user", "content": "hi"}])");
  const std::string found = text ? "the text `" + *text + "`" : "the error `" + text.error().message + "`";
  bool isRight = false;
  if (row.contains("error"))
    isRight = !text && text.error().message.find(row["error"].get_ref<const std::string &>()) != std::string::npos;
  else
    isRight = text && (row["text"].is_null() || *text == row["text"].get_ref<const std::string &>());
  return isRight ? "" : row["name"].get<std::string>() + ": " + found.substr(0, 300);
}

} // namespace

int main(int count, char **arguments) {
  quern::test::Checks checks;
  if (!checks.equal(count, 2))
    return checks.status();
  std::ifstream file(arguments[1]);
  Json rows = Json::parse(file);
  checks.that(rows.size() >= 60);
  for (const Json &row : rows)
    checks.equal(judge(row), "");
  return checks.status();
}
