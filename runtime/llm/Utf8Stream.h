//===- Utf8Stream.h - bytes that arrive in pieces, text that leaves in characters ---------------===//

#ifndef QUERN_RUNTIME_LLM_UTF8STREAM_H
#define QUERN_RUNTIME_LLM_UTF8STREAM_H

#include <string>
#include <string_view>

namespace quern::runtime {

/// Joins the bytes of tokens, which may end within a character, into UTF-8 text. A part that cannot become a character
/// turns into U+FFFD, one per maximal part (the Unicode standard, section 3.9, table 3-8).
class Utf8Stream {
public:
  /// The characters that `bytes` completes.
  std::string feed(std::string_view bytes);
  /// What is left at the end of the text: nothing, or U+FFFD for a character cut off.
  std::string finish();

private:
  /// The beginning of a character: three bytes at most.
  std::string pending;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LLM_UTF8STREAM_H
