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

/// Sequences that arrive, begin as others did, grow by pieces, fork, go back and end, at random, in a store of `rows`
/// rows.
class Traffic {
public:
  Traffic(Checks &checks, int64_t sequences, int64_t rows)
      : checks(checks), session(makeSession(1)),
        engine(Engine::create(*session, {.sequences = sequences, .rows = rows, .share = true}).value()),
        isCrowded(rows < sequences * 3 * QUERN_PAGE_ROWS), random(static_cast<uint64_t>(sequences)),
        texts(static_cast<size_t>(sequences)) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i)
      step();
    checks.that(refused > 0 && begun > 0 && known > 0);
    checks.equal(forked > 0, texts.size() > 1);
    checks.equal(waited > 0, isCrowded);
    for (size_t i = 0; i < texts.size(); ++i)
      engine.end(static_cast<int64_t>(i));
    checks.equal(engine.getStore()->getUsedPages(), 0);
    checks.that(engine.getStore()->isConsistent());
  }

private:
  struct Text {
    std::vector<int32_t> tokens = {};
    /// Rows that it may have; 0: it has not begun.
    int64_t rows = 0;
    TokenTree tree = {};
  };

  size_t draw(size_t below) { return random.nextInteger() % below; }
  int64_t drawRows() { return 1 + static_cast<int64_t>(draw(static_cast<size_t>(engine.getContextSize()))); }

  /// Tokens that a text here began with, or had, and others.
  std::vector<int32_t> makePrompt() {
    const std::vector<int32_t> &from = draw(4) ? before : texts[draw(texts.size())].tokens;
    std::vector<int32_t> tokens(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(draw(from.size() + 1)));
    for (size_t more = draw(20); more > 0; --more)
      tokens.push_back(static_cast<int32_t>(draw(toyVocab)));
    return tokens;
  }

  /// Begins another text in a sequence; it may have to wait.
  void begin(size_t sequence) {
    Text &text = texts[sequence];
    std::vector<int32_t> prompt = makePrompt();
    if (prompt.size() > before.size() || draw(50) == 0)
      before = prompt;
    text.rows = std::min(std::ssize(prompt) + drawRows(), engine.getContextSize());
    prompt.resize(std::min(prompt.size(), static_cast<size_t>(text.rows)));
    std::optional<int64_t> found = engine.begin(static_cast<int64_t>(sequence), prompt, text.rows);
    ++(found ? begun : waited);
    text.tokens.clear();
    if (!found) {
      text.rows = 0;
      return;
    }
    known += *found;
    text.tokens.assign(prompt.begin(), prompt.begin() + *found);
    std::span<const int32_t> rest = std::span(prompt).subspan(static_cast<size_t>(*found));
    if (rest.empty())
      return;
    checks.that(static_cast<bool>(engine.read(rest, static_cast<int64_t>(sequence))));
    text.tokens = prompt;
    checkLogits(0, prompt);
  }

  void change(size_t sequence) {
    Text &text = texts[sequence];
    auto number = static_cast<int64_t>(sequence);
    size_t other = draw(texts.size());
    switch (draw(5)) {
    case 0:
      engine.end(number);
      text = {};
      return;
    case 1:
      if (other == sequence || texts[other].rows == 0)
        return;
      text.rows = std::min(std::ssize(texts[other].tokens) + drawRows(), engine.getContextSize());
      if (engine.fork(static_cast<int64_t>(other), number, text.rows)) {
        text.tokens = texts[other].tokens;
        // Of a step's several logits, tokens may be guesses, which a fork leaves out.
        text.tokens.resize(static_cast<size_t>(engine.getSize(number)));
        ++forked;
      } else {
        text = {};
      }
      return;
    case 2:
      if (isCrowded)
        return;
      text.tokens.resize(draw(text.tokens.size() + 1));
      engine.rewind(std::ssize(text.tokens), number);
      return;
    default:
      begin(sequence);
    }
  }

  void checkLogits(int64_t row, std::span<const int32_t> tokens) {
    std::span<const float> logits = engine.getLogits(row);
    auto found = std::max_element(logits.begin(), logits.end()) - logits.begin();
    checks.equal(static_cast<int32_t>(found), predictToy(tokens));
  }

  void step() {
    std::vector<std::vector<int32_t>> tokens(texts.size());
    std::vector<StepPiece> pieces;
    size_t rows = 0;
    bool fits = true;
    for (size_t first = draw(texts.size()), i = 0; i < texts.size() && rows < toyStep; ++i) {
      size_t sequence = (first + i) % texts.size();
      if (draw(40) == 0 || texts[sequence].rows == 0)
        change(sequence);
      if (draw(3) == 0)
        continue;
      Text &text = texts[sequence];
      std::vector<int32_t> &piece = tokens[sequence];
      piece.resize(1 + (draw(2) ? 0 : draw(toyStep - rows)));
      for (int32_t &token : piece)
        token = static_cast<int32_t>(draw(toyVocab));
      bool isFull = std::ssize(text.tokens) + std::ssize(piece) > engine.getContextSize();
      if (!isFull && std::ssize(text.tokens) + std::ssize(piece) > text.rows)
        continue;
      rows += piece.size();
      fits &= !isFull;
      pieces.push_back({static_cast<int64_t>(sequence), piece, static_cast<int64_t>(draw(piece.size() + 1))});
      if (draw(3) == 0)
        pieces.back().ancestors = grow(text.tree, piece);
    }
    if (pieces.empty())
      return;
    Result<void> done = engine.run(pieces);
    checks.equal(static_cast<bool>(done), fits);
    if (!done && fits)
      checks.equal(done.error().message, "");
    if (!fits) {
      ++refused;
      change(static_cast<size_t>(pieces.front().sequence));
      return;
    }
    int64_t row = 0;
    for (const StepPiece &piece : pieces) {
      std::vector<int32_t> &text = texts[static_cast<size_t>(piece.sequence)].tokens;
      if (!piece.ancestors.empty()) {
        row = checkTree(piece, row);
        continue;
      }
      text.insert(text.end(), piece.tokens.begin(), piece.tokens.end());
      checks.equal(engine.getSize(piece.sequence), std::ssize(text));
      for (int64_t i = piece.wanted; i > 0; --i)
        checkLogits(row++, std::span(text).first(text.size() - static_cast<size_t>(i) + 1));
    }
    if (draw(100) == 0)
      checks.that(engine.getStore()->isConsistent());
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
    std::vector<int32_t> &text = texts[static_cast<size_t>(piece.sequence)].tokens;
    const TokenTree &tree = texts[static_cast<size_t>(piece.sequence)].tree;
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
    for (size_t node = piece.tokens.size() - static_cast<size_t>(piece.wanted); node < piece.tokens.size(); ++node)
      checkLogits(row++, follow(getPath(node)));
    std::vector<int32_t> path = getPath(draw(piece.tokens.size()));
    engine.keep(piece.sequence, static_cast<int64_t>(piece.tokens.size()), path);
    text = follow(path);
    checks.equal(engine.getSize(piece.sequence), static_cast<int64_t>(text.size()));
    return row;
  }

  Checks &checks;
  std::unique_ptr<Session> session;
  Engine engine;
  /// There are fewer pages than all texts may have together, so that not every change is certain to find some.
  bool isCrowded;
  RandomGenerator random;
  std::vector<Text> texts;
  /// What many texts begin with.
  std::vector<int32_t> before;
  int64_t refused = 0, begun = 0, waited = 0, known = 0, forked = 0;
};

void testLimits(Checks &checks) {
  std::unique_ptr<Session> session = makeSession(1);
  Engine engine = Engine::create(*session).value();
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
  // With room for all that texts may have, and for less.
  for (auto [sequences, rows] : {std::pair(1, 768), {2, 1000}, {3, 2304}, {3, 1500}, {5, 1300}})
    Traffic(checks, sequences, rows).run(25000);
  return checks.status();
}
