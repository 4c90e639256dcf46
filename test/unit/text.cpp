/// The C interface of the text library links into a C++ program and keeps its promises about memory.

#include "Check.h"
#include "runtime/llm/text/quern_text.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace {

const uint8_t *bytes(std::string_view text) { return reinterpret_cast<const uint8_t *>(text.data()); }

/// Takes over what the library handed out.
std::string take(quern_bytes taken) {
  std::string text(reinterpret_cast<const char *>(taken.data), taken.size);
  std::free(taken.data);
  return text;
}

std::string take(char *error) {
  std::string text = error ? error : "no error";
  std::free(error);
  return text;
}

void checkTokenizer(quern::test::Checks &checks, std::string_view json) {
  char *error = nullptr;
  quern_tokenizer *tokenizer = quern_tokenizer_new(bytes(json), json.size(), &error);
  if (!checks.that(tokenizer && !error))
    return;
  std::string_view text = "Hello, <|im_end|>\n\xff";
  quern_ids ids;
  checks.that(quern_tokenizer_encode(tokenizer, bytes(text), text.size(), true, &ids, &error));
  quern_bytes joined;
  quern_tokenizer_decode(tokenizer, ids.data, ids.size, /*skip_special=*/true, &joined);
  checks.equal(take(joined), "Hello, \n\xef\xbf\xbd");
  std::free(ids.data);
  quern_tokenizer_free(tokenizer);
}

void checkChat(quern::test::Checks &checks) {
  std::string_view chat = "{{ bos_token }}{{ messages[0].content }}";
  std::string_view messages = R"([{"role": "user", "content": "hi"}])";
  char *error = nullptr;
  quern_bytes text;
  bool isRaised = true;
  checks.that(quern_chat_render(bytes(chat), chat.size(), bytes(messages), messages.size(), bytes("<s>"), 3, nullptr, 0,
                                true, &text, &isRaised, &error));
  checks.that(!isRaised);
  checks.equal(take(text), "<s>hi");
  checks.that(!quern_chat_render(bytes(chat), chat.size(), bytes("{}"), 2, nullptr, 0, nullptr, 0, true, &text,
                                 &isRaised, &error));
  checks.equal(take(error), "broken messages: expected an array, found an object");
  std::string_view refusing = "{{ raise_exception('no') }}";
  checks.that(!quern_chat_render(bytes(refusing), refusing.size(), bytes(messages), messages.size(), nullptr, 0,
                                 nullptr, 0, true, &text, &isRaised, &error));
  checks.equal(take(error), "chat template, line 1: no");
  checks.that(isRaised);
}

} // namespace

int main(int count, char **arguments) {
  quern::test::Checks checks;
  if (!checks.equal(count, 2))
    return checks.status();
  std::ifstream file(arguments[1], std::ios::binary);
  std::string json(std::istreambuf_iterator<char>(file), {});
  checkTokenizer(checks, json);
  checkChat(checks);
  return checks.status();
}
