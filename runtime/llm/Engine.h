//===- Engine.h - steps of a causal language model over sequences --------------------------------===//

#ifndef QUERN_RUNTIME_LLM_ENGINE_H
#define QUERN_RUNTIME_LLM_ENGINE_H

#include "quern/Positions.h"
#include "quern/Runtime.h"
#include "runtime/llm/PageStore.h"
#include "runtime/llm/Signature.h"

#include <algorithm>

namespace quern::runtime {

/// The next tokens of a sequence in a step, and of how many of their rows, the last ones, logits are wanted.
struct StepPiece {
  int64_t sequence = 0;
  std::span<const int32_t> tokens;
  int64_t wanted = 0;
  /// Of tokens that are a tree: those on the way to each (TokenTree.h). Empty: each follows the one before it.
  std::span<const uint64_t> ancestors = {};
};

/// How an engine is made.
struct EngineOptions {
  /// Rows of a step at most; none: as many as the entry takes.
  std::optional<int64_t> batch = {};
  /// Sequences at a time.
  int64_t sequences = 1;
  /// Cache rows of all sequences together, in whole pages; none: as many as all may have.
  std::optional<int64_t> rows = {};
  /// Whether texts that begin alike share what they begin with.
  bool share = false;
};

/// Runs the language-model entry of a session on steps of rows of any mix of sequences and lengths. What a sequence
/// gives does not depend on the others, nor on how its tokens are cut into pieces: token i of a sequence stands at
/// position i and writes the i-th of its rows. So does a path of a tree, once `keep` has chosen it: until then the
/// tokens of a tree have one row each, one behind the other. Rows lie in pages, which sequences take as they grow and
/// share where they begin alike (PageStore.h). The buffers are made once, so that a step allocates nothing of the size
/// of the vocabulary.
class Engine {
public:
  /// For the session's first entry of that form, whose caches it makes anew. `session` outlives the engine. Caches
  /// without pages are one sequence's: something in the model reads all of their rows.
  static Result<Engine> create(Session &session, const EngineOptions &options = {});

  int64_t getVocabSize() const { return signature.vocabSize; }
  /// How many tokens a sequence may have.
  int64_t getContextSize() const { return contextSize; }
  int64_t getSequenceCount() const { return std::ssize(texts); }
  /// The most rows of a step, and the most of them that it gives logits of.
  int64_t getMaxRows() const { return maxRows; }
  int64_t getMaxWanted() const { return std::min(maxRows, maxWanted); }

  /// Tokens of a sequence so far.
  int64_t getSize(int64_t sequence = 0) const { return std::ssize(texts[static_cast<size_t>(sequence)]); }
  /// Begins a text of at most `rows` tokens in a sequence: how many of its first ones, which are `tokens`, need not be
  /// read, since a text before or beside it began with them. No value, and no text, where its rows could find no
  /// pages until other sequences end.
  std::optional<int64_t> begin(int64_t sequence, std::span<const int32_t> tokens, int64_t rows);
  /// Ends a sequence's text; its pages are others' to take.
  void end(int64_t sequence);
  /// Begins a text of at most `rows` tokens in the sequence `to` with those of the sequence `from`. False where there
  /// are no pages for it.
  bool fork(int64_t from, int64_t to, int64_t rows);
  /// Forgets the tokens of a sequence from `size` on, if it has as many.
  void rewind(int64_t size, int64_t sequence = 0);
  /// Of the last `count` tokens of a sequence, which are a tree, keeps those numbered `path`, each an ancestor of the
  /// next, and forgets the others.
  void keep(int64_t sequence, int64_t count, std::span<const int32_t> path);
  /// The pages; null where the caches have none.
  const PageStore *getStore() const { return store ? &*store : nullptr; }

  /// One step: `pieces`, of at least one token each, of different sequences, and of no more rows than a step takes.
  /// Refused as a whole where one does not fit into its sequence.
  Result<void> run(std::span<const StepPiece> pieces);
  /// The same tokens of one sequence in as many steps as they need, with the logits of the last one, number 0.
  Result<void> read(std::span<const int32_t> tokens, int64_t sequence = 0);

  /// The logits, [vocabulary], of wanted row `row` of the last step, counted through its pieces; valid until the next.
  std::span<const float> getLogits(int64_t row) const {
    auto size = static_cast<size_t>(signature.vocabSize);
    return logits.get<float>().subspan(static_cast<size_t>(row) * size, size);
  }

  /// Elements of what guessers read of a wanted row; 0 where the entry does not give it.
  int64_t getHiddenSize() const { return signature.hiddenSize; }
  /// That of wanted row `row` of the last step, [hidden].
  std::span<const float> getHidden(int64_t row) const {
    auto size = static_cast<size_t>(signature.hiddenSize);
    return hidden.get<float>().subspan(static_cast<size_t>(row) * size, size);
  }

private:
  Engine(Session &session, uint32_t entry, const LanguageModelSignature &signature);
  Result<void> makeStore(const EngineOptions &options);
  int64_t getFirstRow(int64_t sequence) const;
  Result<void> checkRoom(int64_t sequence, int64_t count) const;
  Result<void> preparePages(std::span<const StepPiece> pieces);
  void noteText(int64_t sequence);
  QuernPosition &getPosition(size_t row);
  void placeToken(const StepPiece &piece, size_t token, size_t row);
  Result<int64_t> place(std::span<const StepPiece> pieces);
  Result<void> call(int64_t rows, int64_t wanted);
  Result<void> checkLogits(int64_t wanted) const;

  Session *session;
  uint32_t entry;
  LanguageModelSignature signature;
  int64_t contextSize = 0;
  int64_t maxRows = 0;
  int64_t maxWanted = 0;
  /// The tokens of each sequence so far, and how many of them are no guesses.
  std::vector<std::vector<int32_t>> texts;
  std::vector<int64_t> settled;
  /// None where the caches have no pages.
  std::optional<PageStore> store;
  /// i32[s], positions[s], i32[r], f32[r, vocabulary], f32[r, hidden] at their largest; a step uses the front.
  Tensor tokenValues, positionValues, wantedValues, logits, hidden;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LLM_ENGINE_H
