//===- Tokenizer.h - text to tokens and back
//---------------------------------------------------===//

#ifndef QUERN_RUNTIME_LLM_TOKENIZER_H
#define QUERN_RUNTIME_LLM_TOKENIZER_H

#include "quern/Result.h"
#include "quern/Runtime.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct quern_tokenizer;

namespace quern::runtime {

/// A model's vocabulary (runtime/llm/text) with what its description says of it.
class Tokenizer {
public:
  /// The tokenizer of a session's model; refused when it has none.
  static Result<Tokenizer> create(const Session &session);
  /// The tokenizer that the text of a tokenizer.json describes.
  static Result<Tokenizer> create(std::span<const uint8_t> json, const TextDescription &description);

  /// Token ids, without a beginning-of-text token. `parseSpecial`: text that spells a special token becomes that token.
  /// Bytes that are not UTF-8 count as U+FFFD.
  Result<std::vector<int32_t>> encode(std::string_view text, bool parseSpecial) const;

  /// A prompt's tokens: those of the text, special ones recognised, after a beginning-of-text token if the model wants
  /// one. An empty prompt is the beginning-of-text token alone; refused if there is none.
  Result<std::vector<int32_t>> encodePrompt(std::string_view text) const;

  /// The bytes that a token stands for in a text: none for special tokens and for ids beyond the vocabulary, which a
  /// model with a padded vocabulary may give.
  std::string decode(int32_t token) const;

private:
  struct Release {
    void operator()(quern_tokenizer *tokenizer) const;
  };
  Tokenizer() = default;

  std::unique_ptr<quern_tokenizer, Release> tokenizer;
  TextDescription description;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LLM_TOKENIZER_H
