//===- Tokenizer.cpp - text to tokens and back
//-------------------------------------------------===//

#include "runtime/llm/Tokenizer.h"

#include "runtime/llm/text/quern_text.h"

#include <cstdlib>

namespace quern::runtime {

namespace {
/// Memory that the text library handed out.
template <typename T> using Owned = std::unique_ptr<T, decltype(&std::free)>;
} // namespace

static const uint8_t *getBytes(std::string_view text) { return reinterpret_cast<const uint8_t *>(text.data()); }

static std::string_view getText(const quern_bytes &bytes) {
  return {reinterpret_cast<const char *>(bytes.data), bytes.size};
}

/// The library's message, after what was being done.
static Error takeError(const char *what, char *message) {
  Owned<char> owned(message, std::free);
  return Error{std::string(what) + ": " + (message ? message : "no reason given")};
}

void Tokenizer::Release::operator()(quern_tokenizer *pointer) const { quern_tokenizer_free(pointer); }

Result<Tokenizer> Tokenizer::create(const Session &session) {
  const std::optional<TextDescription> &text = session.getDescription().text;
  if (!text)
    return Error{"the model has no tokenizer; give token ids with `--prompt-tokens`"};
  return create(session.getData().subspan(text->tokenizerOffset, text->tokenizerBytes), *text);
}

Result<Tokenizer> Tokenizer::create(std::span<const uint8_t> json, const TextDescription &description) {
  Tokenizer result;
  char *error = nullptr;
  result.tokenizer.reset(quern_tokenizer_new(json.data(), json.size(), &error));
  if (!result.tokenizer)
    return takeError("could not read the tokenizer", error);
  result.description = description;
  return result;
}

Result<std::vector<int32_t>> Tokenizer::encode(std::string_view text, bool parseSpecial) const {
  quern_ids ids = {};
  char *error = nullptr;
  if (!quern_tokenizer_encode(tokenizer.get(), getBytes(text), text.size(), parseSpecial, &ids, &error))
    return takeError("could not split the text into tokens", error);
  Owned<int32_t> owned(ids.data, std::free);
  return std::vector<int32_t>(ids.data, ids.data + ids.size);
}

Result<std::vector<int32_t>> Tokenizer::encodePrompt(std::string_view text) const {
  Result<std::vector<int32_t>> tokens = encode(text, /*parseSpecial=*/true);
  if (!tokens)
    return tokens;
  bool wantsBos = description.addBos || tokens->empty();
  // A prompt that spells the token itself does not get it twice.
  if (wantsBos && description.bosId && (tokens->empty() || tokens->front() != *description.bosId))
    tokens->insert(tokens->begin(), *description.bosId);
  if (tokens->empty())
    return Error{"the prompt is empty, and the model has no beginning-of-text token to start from"};
  return tokens;
}

std::string Tokenizer::decode(int32_t token) const {
  quern_bytes bytes = {};
  if (quern_tokenizer_is_special(tokenizer.get(), token) ||
      !quern_tokenizer_token_bytes(tokenizer.get(), token, &bytes))
    return {};
  Owned<uint8_t> owned(bytes.data, std::free);
  return std::string(getText(bytes));
}

} // namespace quern::runtime
