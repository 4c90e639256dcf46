//===- ChatTrial.cpp - which chat template a binary gets, and whether it works ----------------===//

#include "tools/driver/ChatTrial.h"

#include "tools/driver/Compiler.h"

#include "frontend/checkpoint/StoredTensor.h"
#include "runtime/llm/Chat.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/WithColor.h"

using namespace quern::runtime;

namespace quern::tool {

namespace {

struct Conversation {
  const char *name;
  const char *messages;
  bool addGenerationPrompt;
};

} // namespace

/// The first is what `--chat` has; a template is made for the others, too.
static constexpr Conversation conversations[] = {
    {"one message", R"([{"role": "user", "content": "Hello"}])", true},
    {"several messages",
     R"([{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}, {"role": "user", "content": "Bye"}])",
     true},
    {"a system message", R"([{"role": "system", "content": "Be short"}, {"role": "user", "content": "Hello"}])", true},
    {"an answer", R"([{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}])", false},
};

/// Renders all conversations. The first that fails is the error; what is given is why the template refuses the first
/// one itself, or nothing.
static Result<std::string> runTrial(const ChatTemplate &chat) {
  std::string refusal;
  for (const Conversation &conversation : conversations) {
    bool isRaised = false;
    Result<std::string> text =
        renderChatUnguarded(chat, conversation.messages, conversation.addGenerationPrompt, isRaised);
    if (!text && !isRaised)
      return Error{text.error().message + " (in a conversation of " + conversation.name + ")"};
    if (!text && &conversation == conversations)
      refusal = text.error().message;
  }
  return refusal;
}

static std::string listNames(const frontend::TextAssets &text) {
  std::string names;
  for (const frontend::ChatTemplate &chat : text.chatTemplates)
    names += (names.empty() ? "" : ", ") + frontend::inBackticks(chat.name);
  return names.empty() ? "none" : names;
}

llvm::FailureOr<std::optional<std::string>> chooseChatTemplate(const frontend::TextAssets &text,
                                                               llvm::StringRef wanted) {
  llvm::StringRef name = wanted.empty() ? "default" : wanted;
  auto chat = llvm::find_if(text.chatTemplates, [&](const auto &other) { return other.name == name; });
  if (chat == text.chatTemplates.end()) {
    if (!wanted.empty() && wanted != noChatTemplate)
      return refuse("`--chat-template`: found " + frontend::inBackticks(wanted) + ", the checkpoint has " +
                    listNames(text));
    if (wanted.empty() && !text.chatTemplates.empty())
      llvm::WithColor::warning(llvm::errs(), "quern")
          << text.chatTemplates.front().place << ": none of the chat templates is called `default`, and `--chat` will "
          << "have none; `--chat-template NAME` takes one of " << listNames(text) << '\n';
    return std::optional<std::string>();
  }
  ChatTemplate tried = {chat->source, text.bosToken, text.eosToken};
  Result<std::string> refusal = runGuarded([&] { return runTrial(tried); }, chatLimits);
  if (!refusal)
    return refuse(chat->place + ": the chat template fails: " + refusal.error().message +
                  "; `--chat-template none` compiles without it");
  if (!refusal->empty())
    llvm::WithColor::warning(llvm::errs(), "quern")
        << chat->place
        << ": the chat template refuses a conversation of one message, so `--chat` will fail: " << *refusal << '\n';
  return std::optional(chat->source);
}

} // namespace quern::tool
