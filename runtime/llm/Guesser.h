//===- Guesser.h - guesses how texts go on --------------------------------------------------------===//

#ifndef QUERN_RUNTIME_LLM_GUESSER_H
#define QUERN_RUNTIME_LLM_GUESSER_H

#include "quern/Result.h"
#include "runtime/llm/TokenTree.h"

namespace quern::runtime {

/// Guesses how texts go on. A guess costs time at most: what a model would not have written is never written.
class Guesser {
public:
  virtual ~Guesser() = default;

  /// How many tokens it guesses at a time at most, 1 to `maxTreeTokens` - 1.
  virtual size_t getMostGuesses() const = 0;
  /// Whether it can guess any fewer, or all that it can, the first one alone, or none.
  virtual bool hasSizes() const = 0;

  /// The text of a sequence goes on behind wanted row `row` of the engine's last step.
  virtual void note([[maybe_unused]] int64_t sequence, [[maybe_unused]] int64_t row) {}
  /// Called once before the guesses for a step.
  virtual Result<void> prepare() { return {}; }
  /// Grows `tree`, whose root is the last of `tokens`, the text of a sequence, by at most `most` tokens.
  virtual Result<void> guess(int64_t sequence, std::span<const int32_t> tokens, size_t most, TokenTree &tree) = 0;
};

/// Guesses that what stood behind the last tokens before will stand there again (Saxena 2023): behind the latest of the
/// longest run of tokens that the text ends with, of two to four.
class LookupGuesser : public Guesser {
public:
  size_t getMostGuesses() const override { return mostGuesses; }
  bool hasSizes() const override { return true; }
  Result<void> guess(int64_t sequence, std::span<const int32_t> tokens, size_t most, TokenTree &tree) override;

private:
  static constexpr size_t mostGuesses = 16, longestRun = 4, shortestRun = 2;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LLM_GUESSER_H
