/// Tokenizer and chat template behind one small C interface, implemented in Rust (`src/`).
///
/// Ownership: everything a function hands out (ids, bytes, error messages) was allocated with `malloc`
/// and belongs to the caller, who releases it with `free`. Handles go back to `quern_tokenizer_free`.
/// Everything a function takes stays the caller's and is read only during the call.
///
/// Text is a pointer and a number of bytes, without a terminating zero; the pointer may be null when
/// the number is 0. Bytes that are not UTF-8 are read as U+FFFD, one per maximal invalid part (the
/// rule of the Unicode standard, section 3.9).
///
/// Errors: a function that can fail takes `char **error`. On failure it returns null or false, leaves
/// its other outputs empty and, unless `error` is null, stores a zero-terminated message there; on
/// success it stores null. No input makes these functions crash or end the process, but for
/// `quern_chat_render`.
///
/// Threads: every function may be called from several threads at once, also on one tokenizer.
#ifndef QUERN_RUNTIME_LLM_TEXT_QUERN_TEXT_H
#define QUERN_RUNTIME_LLM_TEXT_QUERN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Lets `tell` be called where an allocation of this library fails. It may end the process; when it returns, the
/// library aborts. The first call counts.
void quern_text_on_out_of_memory(void (*tell)(void));

/// A vocabulary with its splitting rules, as a Hugging Face `tokenizer.json` describes it.
typedef struct quern_tokenizer quern_tokenizer;

/// Token ids; `data` is null when `size` is 0. Release `data` with `free`.
typedef struct quern_ids {
  int32_t *data;
  size_t size;
} quern_ids;

/// Bytes, without a terminating zero; `data` is null when `size` is 0. Release `data` with `free`.
typedef struct quern_bytes {
  uint8_t *data;
  size_t size;
} quern_bytes;

/// Reads the text of a `tokenizer.json`. Its `truncation`, `padding` and `post_processor` sections are
/// ignored: a prompt is never shortened or filled up, and what stands around it is the caller's. So is
/// `dropout`: the same text has the same tokens. Null on failure.
quern_tokenizer *quern_tokenizer_new(const uint8_t *json, size_t size, char **error);

/// Reads a `tokenizer.json` with more care than `quern_tokenizer_new`, and tries it on texts of many
/// kinds, about 200 KB together; false, with what is wrong, if it would fail on some text. `note` is
/// what its user should know, such as a member that counts for nothing; mostly empty. It may take any
/// time and memory, or the stack: to be called where that is bounded.
bool quern_tokenizer_try(const uint8_t *json, size_t size, quern_bytes *note, char **error);

/// Releases a tokenizer; null is allowed.
void quern_tokenizer_free(quern_tokenizer *tokenizer);

/// Text to token ids.
/// `parse_special`: text that spells a special token (`<|im_end|>`) becomes that token; when false it
/// is plain text, which is what text typed by a user should be.
/// Nothing is put around a text: that is the caller's.
bool quern_tokenizer_encode(const quern_tokenizer *tokenizer, const uint8_t *text, size_t size, bool parse_special,
                            quern_ids *ids, char **error);

/// The bytes that one token stands for, for output that arrives token by token; they need not be whole
/// UTF-8 characters. Byte-level vocabularies are mapped back to bytes, SentencePiece's `<0xAB>` is the
/// byte 0xAB and its `▁` a space; an added token stands for its own text. False if `id` is not in the
/// vocabulary.
bool quern_tokenizer_token_bytes(const quern_tokenizer *tokenizer, int32_t id, quern_bytes *bytes);

/// The bytes of all tokens joined, without the space that some tokenizers put in front of a text.
/// Ids that are not in the vocabulary are left out, special tokens too when `skip_special`.
void quern_tokenizer_decode(const quern_tokenizer *tokenizer, const int32_t *ids, size_t count, bool skip_special,
                            quern_bytes *text);

/// Number of tokens, added tokens included.
size_t quern_tokenizer_vocab_size(const quern_tokenizer *tokenizer);

/// Whether `id` is a special (control) token.
bool quern_tokenizer_is_special(const quern_tokenizer *tokenizer, int32_t id);

/// The id of the token spelt exactly so in the vocabulary, or -1.
int32_t quern_tokenizer_token_to_id(const quern_tokenizer *tokenizer, const uint8_t *token, size_t size);

/// Renders a Jinja chat template as Hugging Face's `apply_chat_template` does. `messages_json` is a
/// JSON array of objects with `role` and `content`. The template sees `messages`, `bos_token`,
/// `eos_token`, `add_generation_prompt`, `tools` and `documents` (both none), `strftime_now` and
/// `raise_exception`, whose message becomes the error; `*is_raised` says that it is one. The line ends
/// of the template may be any.
///
/// A template is a stranger's program. Its steps are counted, but no counter holds the stack and the
/// time of all that it may do: call this in a process that may end (runtime/Guarded.h).
bool quern_chat_render(const uint8_t *chat_template, size_t template_size, const uint8_t *messages_json,
                       size_t messages_size, const uint8_t *bos, size_t bos_size, const uint8_t *eos, size_t eos_size,
                       bool add_generation_prompt, quern_bytes *text, bool *is_raised, char **error);

#ifdef __cplusplus
}
#endif

#endif
