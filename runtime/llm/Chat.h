//===- Chat.h - conversations to text, by a model's chat template ------------------------------===//

#ifndef QUERN_RUNTIME_LLM_CHAT_H
#define QUERN_RUNTIME_LLM_CHAT_H

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

/// The same in a process of its own, up to where the answer begins.
Result<std::string> renderChat(const ChatTemplate &chat, std::string_view messages);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LLM_CHAT_H
