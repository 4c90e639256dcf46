/// Texts that are written with guesses are those that are written without; what is accepted by how likely it is.
///
///   guesses            the checks
///   guesses typical    reads cases of typical acceptance, prints the path of each; see check_typical.py

#include "Check.h"
#include "ToySession.h"
#include "runtime/llm/Generate.h"
#include "runtime/llm/GuessPolicy.h"

#include <iostream>
#include <string_view>

using namespace quern::runtime;
using namespace quern::test;

namespace {

/// Grows trees of any form, whose tokens are often those that the model finds likeliest.
class RandomGuesser : public Guesser {
public:
  explicit RandomGuesser(uint64_t seed) : random(seed) {}
  size_t getMostGuesses() const override { return toyStep - 1; }
  bool hasSizes() const override { return true; }
  void note(int64_t, int64_t) override { ++notes; }
  Result<void> prepare() override {
    ++prepared;
    return {};
  }
  Result<void> guess(int64_t, std::span<const int32_t> tokens, size_t most, TokenTree &tree) override {
    for (size_t count = draw(most + 1); count > 0; --count) {
      auto parent = static_cast<int32_t>(draw(tree.getSize()));
      std::vector<int32_t> way(tokens.begin(), tokens.end() - 1);
      for (uint64_t left = tree.getAncestors(static_cast<size_t>(parent)); left; left &= left - 1)
        way.push_back(tree.getTokens()[static_cast<size_t>(std::countr_zero(left))]);
      tree.add(draw(4) ? predictToy(way) : static_cast<int32_t>(draw(toyVocab)), parent);
      ++guesses;
    }
    return {};
  }

  int notes = 0, prepared = 0, guesses = 0;

private:
  size_t draw(size_t below) { return random.nextInteger() % below; }
  RandomGenerator random;
};

struct Written {
  std::vector<Collector> collectors;
  std::vector<Continuation> texts;
};

/// Prompts that begin in one way and differ in lengths and in how they are sampled.
void write(Checks &checks, Written &written, int64_t sequences, uint64_t seed, const GenerateOptions &options) {
  constexpr size_t count = 7;
  std::unique_ptr<Session> session = makeSession(1);
  Engine engine = Engine::create(*session, {.sequences = sequences}).value();
  RandomGenerator random(seed);
  written.collectors.resize(count);
  for (Collector &collector : written.collectors) {
    SamplerOptions sampling;
    sampling.isGreedy = random.nextInteger() % 2;
    sampling.temperature = 0.1f;
    sampling.repetitionPenalty = random.nextInteger() % 2 ? 1.0f : 1.3f;
    sampling.seed = random.nextInteger();
    std::vector<int32_t> prompt(1 + random.nextInteger() % 9);
    for (int32_t &token : prompt)
      token = static_cast<int32_t>(random.nextInteger() % toyVocab);
    // Long texts stop to be guessed where guesses do not pay.
    constexpr int64_t most = 48;
    int64_t length = random.nextInteger() % 2 ? most : 1 + random.nextInteger() % most;
    written.texts.push_back({std::move(prompt), Sampler(sampling), &collector, length});
  }
  const int32_t stop[] = {7, 19};
  checks.that(static_cast<bool>(generate(engine, written.texts, stop, options)));
}

void testSameTexts(Checks &checks) {
  int held = 0, guesses = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed)
    for (int64_t sequences : {1, 2, 3}) {
      Written plain, guessed;
      write(checks, plain, sequences, seed, {});
      RandomGuesser guesser(seed);
      LookupGuesser lookup;
      GenerateOptions options;
      options.guesser = &guesser;
      if (seed % 5 == 0)
        options.guesser = &lookup;
      if (seed % 2)
        options.slack = 0.3;
      write(checks, guessed, sequences, seed, options);
      for (size_t i = 0; i < plain.texts.size(); ++i) {
        checks.that(plain.collectors[i].tokens == guessed.collectors[i].tokens);
        const TextSteps &steps = guessed.texts[i].steps;
        auto tokens = static_cast<int64_t>(guessed.collectors[i].tokens.size());
        int64_t more = 0;
        for (int64_t count : steps.accepted)
          more += count;
        checks.equal(steps.steps + more, tokens);
        held += static_cast<int>(more);
      }
      guesses += guesser.guesses;
    }
  checks.that(held > 500);
  checks.that(guesses > held);
}

void testLookup(Checks &checks) {
  LookupGuesser lookup;
  TokenTree tree;
  auto guess = [&](std::vector<int32_t> tokens, size_t most) {
    tree.reset(tokens.back());
    checks.that(static_cast<bool>(lookup.guess(0, tokens, most, tree)));
    checks.that(tree.isChain());
    return std::vector<int32_t>(tree.getTokens().begin() + 1, tree.getTokens().end());
  };
  using Tokens = std::vector<int32_t>;
  checks.that(guess({1, 2, 3, 4, 1, 2}, 8) == Tokens{3, 4, 1, 2});
  checks.that(guess({1, 2, 3, 4, 1, 2}, 2) == Tokens{3, 4});
  // The longest run counts, of equal ones the latest.
  checks.that(guess({5, 1, 2, 8, 1, 2, 9, 5, 1, 2}, 1) == Tokens{8});
  checks.that(guess({1, 2, 8, 1, 2, 9, 1, 2}, 1) == Tokens{9});
  checks.that(guess({6, 6, 6}, 3) == Tokens{6});
  checks.that(guess({1, 2, 3, 2}, 3).empty());
  checks.that(guess({4}, 3).empty());
}

/// What a simulated text took, and what it has.
struct Simulated {
  double seconds = 0;
  int64_t tokens = 0, guessing = 0;
};

/// Writes `tokens` tokens, where a step of n rows takes 1 + cost (n - 1) and guesses for it `guessCost`; of what is
/// guessed all or nothing holds.
Simulated simulate(GuessPolicy &policy, int64_t tokens, double cost, double guessCost, bool holds) {
  Simulated result;
  while (result.tokens < tokens) {
    size_t count = policy.chooseCount(1);
    double seconds = 1 + cost * static_cast<double>(count) + (count > 0 ? guessCost : 0);
    policy.noteStep(1 + count, seconds);
    result.seconds += seconds;
    ++result.tokens;
    if (count == 0)
      continue;
    ++result.guessing;
    result.tokens += holds ? static_cast<int64_t>(count) : 0;
    policy.noteGuesses(static_cast<int>(count), holds ? static_cast<int>(count) : 0);
  }
  return result;
}

void testPolicy(Checks &checks) {
  // What always holds and costs little is guessed in full, but for the first steps.
  GuessPolicy cheap(16, true);
  simulate(cheap, 100, 0.1, 0, true);
  checks.equal(cheap.chooseCount(1), size_t(16));
  // So is a tree, whose first guess alone is tried before.
  GuessPolicy tree(16, false);
  checks.that(simulate(tree, 200, 0.1, 0.25, true).seconds < 100);
  checks.equal(tree.chooseCount(1), size_t(16));
  // What never holds is guessed seldom.
  GuessPolicy vain(16, true);
  simulate(vain, 100, 0.3, 0, false);
  checks.that(simulate(vain, 1000, 0.3, 0, false).guessing <= 6);
  // What begins to hold is guessed again, after the longest wait.
  simulate(vain, 4000, 0.3, 0, false);
  simulate(vain, 1100, 0.3, 0, true);
  checks.that(vain.chooseCount(1) > 0);
  // What holds and costs more than it gives is not.
  GuessPolicy dear(63, false);
  simulate(dear, 20, 2, 0, true);
  checks.that(simulate(dear, 200, 2, 0, true).guessing < 100);
}

/// Guesses that never hold make no text of 128 tokens or more 2 % longer, whatever they and rows cost.
void testVain(Checks &checks) {
  for (bool hasSizes : {false, true})
    for (size_t most : {1, 4, 16, 63})
      for (double cost : {0.0, 0.02, 0.1, 0.3, 1.0})
        for (double guessCost : {0.0, 0.05, 0.25})
          for (int64_t tokens : {128, 512, 4096}) {
            GuessPolicy policy(most, hasSizes);
            Simulated result = simulate(policy, tokens, cost, guessCost, false);
            checks.that(result.seconds <= static_cast<double>(tokens) * 1.02);
          }
}

void testTree(Checks &checks) {
  TokenTree tree;
  tree.reset(9);
  checks.that(tree.isChain());
  checks.equal(tree.add(5, 0), 1);
  checks.that(tree.isChain());
  checks.equal(tree.add(6, 0), 2);
  checks.equal(tree.add(5, 1), 3);
  checks.that(!tree.isChain());
  checks.equal(tree.getAncestors(3), uint64_t(0b1011));
  checks.equal(tree.getDepth(3), 2);
  checks.equal(tree.getDepth(0), 0);
  checks.equal(tree.findChild(0, 6).value_or(-1), 2);
  checks.equal(tree.findChild(1, 5).value_or(-1), 3);
  checks.that(!tree.findChild(2, 5));
}

/// Of each case: temperature, epsilon, delta, how many tokens and how large the vocabulary is; parents and tokens; the
/// logits behind each.
int runTypical() {
  float temperature = 0;
  TypicalAcceptance acceptance;
  size_t count = 0, vocabulary = 0;
  while (std::cin >> temperature >> acceptance.epsilon >> acceptance.delta >> count >> vocabulary) {
    std::vector<int32_t> parents(count), tokens(count);
    for (size_t i = 0; i < count; ++i)
      std::cin >> parents[i] >> tokens[i];
    std::vector<float> logits(count * vocabulary);
    for (float &logit : logits)
      std::cin >> logit;
    TokenTree tree;
    tree.reset(tokens[0]);
    for (size_t i = 1; i < count; ++i)
      tree.add(tokens[i], parents[i]);
    SamplerOptions options;
    options.isGreedy = false;
    options.temperature = temperature;
    std::vector<int32_t> path = Sampler(options).acceptTypical(tree, acceptance, [&](int32_t node) {
      return std::span<const float>(logits).subspan(static_cast<size_t>(node) * vocabulary, vocabulary);
    });
    for (int32_t node : path)
      std::cout << node << ' ';
    std::cout << std::endl;
  }
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  if (argc > 1 && argv[1] == std::string_view("typical"))
    return runTypical();
  Checks checks;
  testTree(checks);
  testLookup(checks);
  testPolicy(checks);
  testVain(checks);
  testSameTexts(checks);
  return checks.status();
}
