//===- GuessCommand.cpp - what runs behind `--speculate draft=` of another model ------------------===//

#include "runtime/cli/Command.h"
#include "runtime/llm/DraftGuesser.h"

namespace quern::runtime {

namespace {

class GuessCommand : public Command {
public:
  std::vector<Option> getOptions() override {
    return {
        Option("--guess", "answer requests for guesses on the standard input, as `--speculate draft=` of another model "
                          "makes them")
            .chooses(),
        Option("--parallel, -np", parallel, "N", {1, 1024}, "texts at a time, which share the context (1)"),
    };
  }
  Result<void> run(Session &session) override {
    Result<Engine> engine = Engine::create(session, {.sequences = parallel});
    return engine ? serveGuesses(session, *engine) : engine.error();
  }

private:
  int64_t parallel = 1;
};

} // namespace

std::unique_ptr<Command> makeGuessCommand() { return std::make_unique<GuessCommand>(); }

} // namespace quern::runtime
