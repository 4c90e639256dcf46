//===- Generate.cpp - continues sequences of tokens --------------------------------------------===//

#include "runtime/llm/Generate.h"

#include <algorithm>

namespace quern::runtime {

namespace {

/// The texts that are being continued, each in a sequence of the model of its own.
class Generator {
public:
  Generator(LanguageModel &model, std::span<Continuation> texts, std::span<const int32_t> stopTokens)
      : model(model), waiting(texts), stopTokens(stopTokens), running(static_cast<size_t>(model.getSequenceCount())) {}

  /// Begins the next texts where a sequence is free.
  Result<void> begin();
  /// Takes one more token of each text that is running; false when there is none.
  Result<bool> advance();

private:
  Result<void> choose(size_t sequence, std::span<const float> logits);

  LanguageModel &model;
  /// The texts that have not begun.
  std::span<Continuation> waiting;
  std::span<const int32_t> stopTokens;
  /// The text of each sequence, or null.
  std::vector<Continuation *> running;
};

} // namespace

/// Chooses the next token of a sequence's text, which may end with it.
Result<void> Generator::choose(size_t sequence, std::span<const float> logits) {
  Continuation &text = *running[sequence];
  Result<int32_t> token = text.sampler.sample(logits, text.tokens);
  if (!token)
    return token.error();
  text.tokens.push_back(*token);
  bool isStop = std::find(stopTokens.begin(), stopTokens.end(), *token) != stopTokens.end();
  if (--text.newTokens < 1 || isStop)
    running[sequence] = nullptr;
  return text.sink->take(*token);
}

Result<void> Generator::begin() {
  for (size_t sequence = 0; sequence < running.size(); ++sequence) {
    while (!running[sequence] && !waiting.empty()) {
      Continuation &text = waiting.front();
      waiting = waiting.subspan(1);
      if (text.newTokens < 1)
        continue;
      running[sequence] = &text;
      auto number = static_cast<int64_t>(sequence);
      model.rewind(0, number);
      Result<std::span<const float>> logits = model.feed(text.tokens, number);
      if (!logits)
        return logits.error();
      if (Result<void> chosen = choose(sequence, *logits); !chosen)
        return chosen;
    }
  }
  return {};
}

Result<bool> Generator::advance() {
  std::vector<NextToken> next;
  for (size_t sequence = 0; sequence < running.size(); ++sequence)
    if (running[sequence])
      next.push_back({static_cast<int64_t>(sequence), running[sequence]->tokens.back()});
  for (std::span<const NextToken> rest = next; !rest.empty();) {
    Result<int64_t> fed = model.feedEach(rest);
    if (!fed)
      return fed.error();
    auto vocabSize = static_cast<size_t>(model.getVocabSize());
    for (size_t i = 0; i < static_cast<size_t>(*fed); ++i) {
      std::span<const float> logits = model.getLogits(*fed).subspan(i * vocabSize, vocabSize);
      if (Result<void> chosen = choose(static_cast<size_t>(rest[i].sequence), logits); !chosen)
        return chosen.error();
    }
    rest = rest.subspan(static_cast<size_t>(*fed));
  }
  return !next.empty();
}

Result<void> generate(LanguageModel &model, std::span<Continuation> texts, std::span<const int32_t> stopTokens) {
  Generator generator(model, texts, stopTokens);
  while (true) {
    if (Result<void> begun = generator.begin(); !begun)
      return begun;
    Result<bool> advanced = generator.advance();
    if (!advanced || !*advanced)
      return advanced ? Result<void>() : advanced.error();
  }
}

} // namespace quern::runtime
