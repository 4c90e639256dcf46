//===- MedusaGuesser.h - guesses of a model's own heads -------------------------------------------===//

#ifndef QUERN_RUNTIME_LLM_MEDUSAGUESSER_H
#define QUERN_RUNTIME_LLM_MEDUSAGUESSER_H

#include "runtime/llm/Engine.h"
#include "runtime/llm/Guesser.h"

#include <memory>

namespace quern::runtime {

/// The heads of a model (Cai et al. 2024): each guesses one of the tokens behind the next one, from the row that the
/// output matrix reads.
class MedusaHeads {
public:
  /// The first guesser among the entries that reads rows of `hiddenSize`; none where there is none.
  static std::optional<MedusaHeads> find(Session &session, int64_t hiddenSize);

  const GuesserSignature &getSignature() const { return signature; }
  /// Their guesses for each of `count` rows, [rows, heads, guesses], into `tokens`.
  Result<void> run(std::span<const float> rows, int64_t count, std::vector<int32_t> &tokens);

private:
  MedusaHeads(Session &session, uint32_t entry, const GuesserSignature &signature);

  Session *session;
  uint32_t entry;
  GuesserSignature signature;
  /// f32[r, hidden], i32[r, heads, guesses] at their largest.
  Tensor rowValues, tokenValues;
};

/// Guesses by the heads of the engine's model, as the tree of its description says. They run for rows that texts go on
/// behind, all of a step at once.
class MedusaGuesser : public Guesser {
public:
  /// Refused where the model has no heads, or a tree that they cannot grow; null where its tree is but a root.
  static Result<std::unique_ptr<Guesser>> create(Session &session, const Engine &engine);

  size_t getMostGuesses() const override { return nodes.size(); }
  bool hasSizes() const override { return false; }
  void note(int64_t sequence, int64_t row) override;
  Result<void> prepare() override;
  Result<void> guess(int64_t sequence, std::span<const int32_t> tokens, size_t most, TokenTree &tree) override;

private:
  /// A token of the tree behind its root: the number of its parent, 0 for the root, and which guess of which head it
  /// is.
  struct Node {
    int32_t parent = 0;
    size_t head = 0, rank = 0;
  };
  /// What is known of a sequence.
  struct Row {
    std::vector<float> hidden;
    /// [heads, guesses]
    std::vector<int32_t> tokens;
    /// `tokens` are not those of `hidden` yet.
    bool isNew = false;
  };

  MedusaGuesser(MedusaHeads heads, const Engine &engine)
      : heads(std::move(heads)), engine(engine), rows(static_cast<size_t>(engine.getSequenceCount())) {}

  MedusaHeads heads;
  const Engine &engine;
  std::vector<Node> nodes;
  std::vector<Row> rows;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LLM_MEDUSAGUESSER_H
