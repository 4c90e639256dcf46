//===- Chat.h - conversations to text, by a model's chat template ------------------------------===//

#ifndef QUERN_RUNTIME_LLM_CHAT_H
#define QUERN_RUNTIME_LLM_CHAT_H

#include "quern/Runtime.h"
#include "runtime/Guarded.h"

#include <string>
#include <string_view>

namespace quern::runtime {

/// What rendering may use that the counters of the text library let pass.
inline constexpr GuardLimits chatLimits = {.cpuSeconds = 1};

/// A Jinja template and what it knows.
struct ChatTemplate {
  std::string source;
  std::string bos;
  std::string eos;
};

/// The text of `messages`, a JSON array. `isRaised` says whether an error is the template's own refusal of the
/// conversation. A template can crash the process: this is to be called in one of its own.
Result<std::string> renderChatUnguarded(const ChatTemplate &chat, std::string_view messages, bool addGenerationPrompt,
                                        bool &isRaised);

/// The same in a process of its own, up to where the answer begins. That takes less than 2 ms while
/// this process has touched little memory, and up to 14 ms beside a heap of 100 MB, whose pages a
/// child gets entered one by one.
Result<std::string> renderChat(const ChatTemplate &chat, std::string_view messages);

/// The text of a conversation of one message by the user, up to where the answer begins, by a
/// model's own template. Refused when it has none. Bytes of `message` that are not UTF-8 count as
/// U+FFFD.
Result<std::string> renderUserMessage(const TextDescription &description, std::string_view message);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LLM_CHAT_H
