//===- DraftGuesser.h - guesses of a smaller model ------------------------------------------------===//

#ifndef QUERN_RUNTIME_LLM_DRAFTGUESSER_H
#define QUERN_RUNTIME_LLM_DRAFTGUESSER_H

#include "runtime/llm/Engine.h"
#include "runtime/llm/Guesser.h"

#include <memory>
#include <optional>
#include <string>

namespace quern::runtime {

/// What a draft must share with the model that it guesses for: the texts of the first `count` tokens, as a number; none
/// where the model has no tokenizer.
Result<std::optional<uint64_t>> digestVocabulary(const Session &session, int64_t count);

/// Answers requests for guesses on descriptor 0, on descriptor 1, until there are no more:
///
///   VOCABULARY                   the other model's; answered by an object with `format`, `vocabulary`, `digest` and
///                                `context`
///   SEQUENCE KEEP MOST TOKEN...  forgets the tokens of a sequence from number KEEP on, reads the others, and answers
///                                the at most MOST likeliest ones that follow one by one
///
/// each request and each answer on a line.
Result<void> serveGuesses(const Session &session, Engine &engine);

/// The tokens that another compiled model finds likeliest (Leviathan et al. 2023; Chen et al. 2023). It runs as a
/// process of its own, which ends with this one.
class DraftGuesser : public Guesser {
public:
  /// Runs the compiled model `path` for the sequences of `engine`, the engine of `session`. Refused where it is none,
  /// or one of another vocabulary.
  static Result<std::unique_ptr<Guesser>> create(const std::string &path, const Session &session, const Engine &engine);
  ~DraftGuesser() override;

  size_t getMostGuesses() const override { return mostGuesses; }
  bool hasSizes() const override { return true; }
  Result<void> guess(int64_t sequence, std::span<const int32_t> tokens, size_t most, TokenTree &tree) override;

private:
  static constexpr size_t mostGuesses = 16;

  DraftGuesser(const std::string &path, int64_t sequences) : path(path), known(static_cast<size_t>(sequences)) {}
  Result<void> start(unsigned threads);
  Result<void> greet(const Session &session, const Engine &engine);
  Result<std::string> ask(const std::string &request);
  Error ended(const std::string &found) const;

  std::string path;
  /// The end of a connection whose other end is the process's standard input and output; -1: there is none.
  int connection = -1;
  int process = -1;
  int64_t vocabulary = 0, context = 0;
  /// The tokens of each sequence that the process knows.
  std::vector<std::vector<int32_t>> known;
  /// What it has written behind the last answer.
  std::string rest;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LLM_DRAFTGUESSER_H
