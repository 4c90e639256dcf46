/// Steps of any mix of sequences: what each gives is what its tokens say, however they are cut and beside whom.

#include "runtime/llm/Engine.h"
#include "Check.h"
#include "ToySession.h"
#include "runtime/llm/Sampler.h"
#include "runtime/llm/TokenTree.h"

#include <algorithm>
#include <bit>

using namespace quern::runtime;
using namespace quern::test;

namespace {

/// Sequences that arrive, grow by pieces, go back and end, at random.
class Traffic {
public:
  Traffic(Checks &checks, int64_t sequences)
      : checks(checks), session(makeSession(1)), engine(Engine::create(*session, std::nullopt, sequences).value()),
        random(static_cast<uint64_t>(sequences)), texts(static_cast<size_t>(sequences)),
        trees(static_cast<size_t>(sequences)) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i)
      step();
    checks.that(refused > 0 || steps < 1000);
  }

private:
  size_t draw(size_t below) { return random.nextInteger() % below; }

  void forget(size_t sequence) {
    std::vector<int32_t> &text = texts[sequence];
    text.resize(draw(4) ? draw(text.size() + 1) : 0);
    engine.rewind(static_cast<int64_t>(text.size()), static_cast<int64_t>(sequence));
  }

  void step() {
    std::vector<std::vector<int32_t>> tokens(texts.size());
    std::vector<StepPiece> pieces;
    size_t rows = 0;
    bool fits = true;
    for (size_t begin = draw(texts.size()), i = 0; i < texts.size() && rows < toyStep; ++i) {
      size_t sequence = (begin + i) % texts.size();
      if (draw(8) == 0)
        forget(sequence);
      if (draw(3) == 0)
        continue;
      std::vector<int32_t> &piece = tokens[sequence];
      piece.resize(1 + (draw(2) ? 0 : draw(toyStep - rows)));
      for (int32_t &token : piece)
        token = static_cast<int32_t>(draw(toyVocab));
      rows += piece.size();
      fits &= texts[sequence].size() + piece.size() <= static_cast<size_t>(engine.getContextSize());
      pieces.push_back({static_cast<int64_t>(sequence), piece, static_cast<int64_t>(draw(piece.size() + 1))});
      if (draw(3) == 0)
        pieces.back().ancestors = grow(trees[sequence], piece);
    }
    if (pieces.empty())
      return;
    Result<void> done = engine.run(pieces);
    checks.equal(static_cast<bool>(done), fits);
    if (!fits) {
      ++refused;
      forget(static_cast<size_t>(pieces.front().sequence));
      return;
    }
    int64_t row = 0;
    for (const StepPiece &piece : pieces) {
      std::vector<int32_t> &text = texts[static_cast<size_t>(piece.sequence)];
      if (!piece.ancestors.empty()) {
        row = checkTree(piece, row);
        continue;
      }
      text.insert(text.end(), piece.tokens.begin(), piece.tokens.end());
      checks.equal(engine.getSize(piece.sequence), static_cast<int64_t>(text.size()));
      for (int64_t i = piece.wanted; i > 0; --i) {
        std::span<const int32_t> before = std::span(text).first(text.size() - static_cast<size_t>(i) + 1);
        std::span<const float> logits = engine.getLogits(row++);
        auto found = std::max_element(logits.begin(), logits.end()) - logits.begin();
        checks.equal(static_cast<int32_t>(found), predictToy(before));
      }
    }
  }

  /// Makes `tokens` a tree.
  std::span<const uint64_t> grow(TokenTree &tree, std::span<const int32_t> tokens) {
    tree.reset(tokens.front());
    for (size_t node = 1; node < tokens.size(); ++node)
      tree.add(tokens[node], static_cast<int32_t>(draw(node)));
    return tree.getAncestors();
  }

  /// What is behind a token of a tree is what is behind the way to it; then the sequence goes on behind one of them.
  /// The row behind the tree's.
  int64_t checkTree(const StepPiece &piece, int64_t row) {
    std::vector<int32_t> &text = texts[static_cast<size_t>(piece.sequence)];
    const TokenTree &tree = trees[static_cast<size_t>(piece.sequence)];
    auto getPath = [&](size_t node) {
      std::vector<int32_t> path;
      for (uint64_t left = tree.getAncestors(node); left; left &= left - 1)
        path.push_back(std::countr_zero(left));
      return path;
    };
    auto follow = [&](std::span<const int32_t> path) {
      std::vector<int32_t> way = text;
      for (int32_t node : path)
        way.push_back(piece.tokens[static_cast<size_t>(node)]);
      return way;
    };
    for (size_t node = piece.tokens.size() - static_cast<size_t>(piece.wanted); node < piece.tokens.size(); ++node) {
      std::span<const float> logits = engine.getLogits(row++);
      auto found = std::max_element(logits.begin(), logits.end()) - logits.begin();
      checks.equal(static_cast<int32_t>(found), predictToy(follow(getPath(node))));
    }
    std::vector<int32_t> path = getPath(draw(piece.tokens.size()));
    engine.keep(piece.sequence, static_cast<int64_t>(piece.tokens.size()), path);
    text = follow(path);
    checks.equal(engine.getSize(piece.sequence), static_cast<int64_t>(text.size()));
    return row;
  }

  Checks &checks;
  std::unique_ptr<Session> session;
  Engine engine;
  RandomGenerator random;
  /// The tokens of each sequence.
  std::vector<std::vector<int32_t>> texts;
  std::vector<TokenTree> trees;
  int refused = 0;
};

void testLimits(Checks &checks) {
  std::unique_ptr<Session> session = makeSession(1);
  Engine engine = Engine::create(*session, std::nullopt).value();
  checks.equal(engine.getMaxRows(), int64_t(toyStep));
  checks.equal(engine.getMaxWanted(), int64_t(toyStep));
  const std::vector<int32_t> many(toyStep + 1, 1);
  Result<void> large = engine.run(std::vector<StepPiece>{{0, many, 0}});
  checks.that(!large && large.error().kind == ErrorKind::Internal);
  checks.equal(large.error().message, "a step has 9 rows and the logits of 0, expected 1 to 8 and at most 8");
  checks.that(!engine.run({}));
  checks.equal(engine.getSize(), 0);
}

} // namespace

int main() {
  Checks checks;
  testLimits(checks);
  for (int64_t sequences : {1, 2, 3})
    Traffic(checks, sequences).run(35000);
  return checks.status();
}
