//===- Chat.cpp - conversations to text, by a model's chat template ----------------------------===//

#include "runtime/llm/Chat.h"

#include "runtime/llm/text/quern_text.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

namespace quern::runtime {

static const uint8_t *getBytes(std::string_view text) { return reinterpret_cast<const uint8_t *>(text.data()); }

Result<std::string> renderChatUnguarded(const ChatTemplate &chat, std::string_view messages, bool addGenerationPrompt,
                                        bool &isRaised) {
  quern_bytes text = {};
  char *error = nullptr;
  bool isRendered = quern_chat_render(getBytes(chat.source), chat.source.size(), getBytes(messages), messages.size(),
                                      getBytes(chat.bos), chat.bos.size(), getBytes(chat.eos), chat.eos.size(),
                                      addGenerationPrompt, &text, &isRaised, &error);
  if (!isRendered) {
    Error refused{error ? error : "no reason given"};
    std::free(error);
    return refused;
  }
  std::string result(reinterpret_cast<const char *>(text.data), text.size);
  std::free(text.data);
  return result;
}

Result<std::string> renderChat(const ChatTemplate &chat, std::string_view messages) {
  bool isRaised = false;
  return runGuarded([&] { return renderChatUnguarded(chat, messages, /*addGenerationPrompt=*/true, isRaised); },
                    chatLimits);
}

Result<std::string> renderUserMessage(const TextDescription &description, std::string_view message) {
  if (!description.chatTemplate)
    return Error{"the model has no chat template; leave `--chat` out"};
  using Json = nlohmann::json;
  Json messages = Json::array({{{"role", "user"}, {"content", message}}});
  std::string json = messages.dump(-1, ' ', false, Json::error_handler_t::replace);
  ChatTemplate chat = {*description.chatTemplate, description.bos.value_or(""), description.eos.value_or("")};
  Result<std::string> text = renderChat(chat, json);
  if (!text)
    return Error{"could not render the chat template: " + text.error().message};
  return text;
}

} // namespace quern::runtime
