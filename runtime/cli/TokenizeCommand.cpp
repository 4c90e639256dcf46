//===- TokenizeCommand.cpp - the token ids of a text ---------------------------------------------===//

#include "runtime/cli/Command.h"
#include "runtime/cli/Common.h"
#include "runtime/llm/Tokenizer.h"

namespace quern::runtime {

namespace {

class TokenizeCommand : public Command {
public:
  std::vector<Option> getOptions() override {
    return {
        Option("--tokenize", argument, "TEXT", "print the token ids of TEXT (`-`: standard input)").chooses(),
        Option("--no-special", noSpecial, "special tokens in TEXT are plain text"),
    };
  }
  Result<void> run(Session &session) override;

private:
  std::optional<std::string> argument;
  bool noSpecial = false;
};

} // namespace

Result<void> TokenizeCommand::run(Session &session) {
  Result<Tokenizer> tokenizer = Tokenizer::create(session);
  if (!tokenizer)
    return tokenizer.error();
  Result<std::string> text = readTextArgument(*argument);
  if (!text)
    return text.error();
  Result<std::vector<int32_t>> tokens = tokenizer->encode(*text, /*parseSpecial=*/!noSpecial);
  if (!tokens)
    return tokens.error();
  return print(formatTokens(*tokens) + "\n");
}

std::unique_ptr<Command> makeTokenizeCommand() { return std::make_unique<TokenizeCommand>(); }

} // namespace quern::runtime
