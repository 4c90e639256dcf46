/// Sessions on programs written by hand: the right program, the right results, and every wrong input refused.

#include "Check.h"
#include "ToySession.h"
#include "runtime/llm/Generate.h"

#include <cstring>
#include <string>

using namespace quern::runtime;
using namespace quern::test;

namespace {

Tensor makeIntegers(std::vector<int64_t> shape, const std::vector<int32_t> &values) {
  Tensor tensor(DType::I32, std::move(shape));
  std::copy(values.begin(), values.end(), tensor.get<int32_t>().begin());
  return tensor;
}

Tensor makeFloats(std::vector<int64_t> shape, float value) {
  Tensor tensor(DType::F32, std::move(shape));
  for (size_t i = 0; i < tensor.get<float>().size(); ++i)
    tensor.get<float>()[i] = value + static_cast<float>(i);
  return tensor;
}

Result<std::vector<Tensor>> runOn(Session &session, uint32_t entry, const std::vector<Tensor> &inputs) {
  std::vector<TensorView> views;
  for (const Tensor &input : inputs)
    views.push_back(input.view());
  return session.run(entry, views);
}

std::vector<Tensor> makeList(Tensor a, Tensor b, Tensor c) {
  std::vector<Tensor> list;
  list.push_back(std::move(a));
  list.push_back(std::move(b));
  list.push_back(std::move(c));
  return list;
}

std::vector<Tensor> makeList(Tensor a, Tensor b) {
  std::vector<Tensor> list;
  list.push_back(std::move(a));
  list.push_back(std::move(b));
  return list;
}

/// A run that is refused for a reason that says `reason`.
void refuses(Checks &checks, Session &session, uint32_t entry, const std::vector<Tensor> &inputs,
             const std::string &reason, std::source_location where = std::source_location::current()) {
  int before = getToyCounts().programs;
  Result<std::vector<Tensor>> results = runOn(session, entry, inputs);
  if (checks.that(!results, where) && !checks.that(results.error().message.find(reason) != std::string::npos, where))
    checks.equal(results.error().message, reason, where);
  checks.equal(getToyCounts().programs, before, where);
}

void testInputs(Checks &checks) {
  std::unique_ptr<Session> session = makeSession(2);
  auto tokens = [](std::vector<int32_t> values) {
    auto size = static_cast<int64_t>(values.size());
    return makeIntegers({size}, values);
  };
  // The first fields of each position; the others are 0.
  auto positionsOf = [](size_t fields, std::vector<int32_t> values) {
    size_t size = values.size() / fields;
    std::vector<int32_t> all(size * QUERN_POSITION_FIELDS);
    for (size_t i = 0; i < values.size(); ++i)
      all[i / fields * QUERN_POSITION_FIELDS + i % fields] = values[i];
    return makeIntegers({static_cast<int64_t>(size), QUERN_POSITION_FIELDS}, all);
  };
  auto positions = [&](std::vector<int32_t> values) { return positionsOf(3, std::move(values)); };
  checks.that(
      static_cast<bool>(runOn(*session, 0, makeList(tokens({5, 319}), positions({0, 0, 0, 1, 1, 0}), tokens({1})))));
  refuses(checks, *session, 0, makeList(tokens({5, 320}), positions({0, 0, 0, 1, 1, 0}), tokens({1})),
          "input `tokens` has the index 320 at 1, expected 0 to 319");
  refuses(checks, *session, 0, makeList(tokens({-1}), positions({0, 0, 0}), tokens({0})), "the index -1 at 0");
  refuses(checks, *session, 0, makeList(tokens({5}), positions({0, 768, 0}), tokens({0})),
          "input `at` has the cache row 768 at 0, expected 0 to 767");
  refuses(checks, *session, 0, makeList(tokens({5}), positions({600, 0, 0}), tokens({0})), "the position 600 at 0");
  refuses(checks, *session, 0, makeList(tokens({5}), positions({0, 600, 0}), tokens({0})),
          "input `at` has the row 600 at 0, expected at most 599: a sequence has 600 rows, and its first is 0");
  refuses(checks, *session, 0, makeList(tokens({5}), positions({0, -1, 0}), tokens({0})), "the cache row -1 at 0");
  for (int32_t first : {-256, 16, 512})
    refuses(checks, *session, 0, makeList(tokens({5}), positions({0, 300, first}), tokens({0})),
            "input `at` has the first row " + std::to_string(first) +
                " at 0, expected a multiple of 256 from 0 to the token's cache row, 300");
  checks.that(static_cast<bool>(
      runOn(*session, 0, makeList(tokens({5, 5}), positions({19, 19, 0, 0, 256, 256}), tokens({0})))));
  checks.that(static_cast<bool>(runOn(*session, 0, makeList(tokens({5}), positions({0, 767, 512}), tokens({0})))));
  // Bit 4 is its own, so that the tree begins four rows before; bit 32 + 4 thirty-six.
  checks.that(
      static_cast<bool>(runOn(*session, 0, makeList(tokens({5}), positionsOf(5, {3, 260, 256, 19, 0}), tokens({0})))));
  refuses(checks, *session, 0, makeList(tokens({5}), positionsOf(5, {3, 259, 256, 19, 0}), tokens({0})),
          "input `at` has the tree row 255 at 0, expected 256 or more, the first row of its sequence");
  refuses(checks, *session, 0, makeList(tokens({5}), positionsOf(5, {3, 280, 256, 19, 16}), tokens({0})),
          "the tree row 244 at 0");
  refuses(checks, *session, 0, makeList(tokens({5, 5}), positions({0, 0, 0, 1, 1, 0}), tokens({2})),
          "input `want` has the index 2 at 0, expected 0 to 1");
  refuses(checks, *session, 0, makeList(tokens({5, 5}), positions({0, 0, 0}), tokens({0})),
          "has the size 1 on axis 0, but `s` is 2 in another input");
  refuses(checks, *session, 0,
          makeList(makeIntegers({9}, std::vector<int32_t>(9)), positions(std::vector<int32_t>(27)), tokens({0})),
          "input `tokens` has the size 9 on axis 0, expected `s` from 1 to 8");
  refuses(checks, *session, 0, makeList(tokens({}), positions({}), tokens({0})), "has the size 0 on axis 0");
  refuses(checks, *session, 0, makeList(tokens({5}), makeIntegers({1}, {0}), tokens({0})),
          "input `at` has the shape [1], expected [s, 5]");
  refuses(checks, *session, 0, makeList(makeFloats({1}, 5), positions({0, 0, 0}), tokens({0})),
          "input `tokens` has elements of type f32, expected i32");
  refuses(checks, *session, 1, makeList(makeFloats({2, 3}, 0), makeFloats({1}, 0)),
          "input `x` has the size 3 on axis 1, expected 4");
  refuses(checks, *session, 1, {}, "got 0 inputs, expected 2");
  refuses(checks, *session, 2, makeList(makeFloats({10}, 0), makeIntegers({2}, {9, 10})),
          "the index 10 at 1, expected 0 to 9");
}

void testResults(Checks &checks) {
  for (unsigned threads : {1u, 2u, 7u}) {
    std::unique_ptr<Session> session = makeSession(threads);
    checks.equal(session->getThreadCount(), threads);
    checks.equal(session->getTarget().name, "plain");
    Result<std::vector<Tensor>> results = runOn(*session, 1, makeList(makeFloats({999, 4}, 1), makeFloats({1}, 3)));
    if (!checks.that(static_cast<bool>(results)))
      return;
    std::span<const float> values = (*results)[0].get<float>();
    for (size_t i = 0; i < values.size(); ++i)
      if (!checks.equal(values[i], (1.0f + static_cast<float>(i)) * 3))
        break;
    // A kernel's error: its message and code, our fault; the next run is not disturbed.
    Result<std::vector<Tensor>> failed = runOn(*session, 1, makeList(makeFloats({50, 4}, 1), makeFloats({1}, -3)));
    checks.that(!failed);
    checks.equal(failed.error().message, "the entry `scale` failed with code -7: the factor is negative");
    checks.that(failed.error().kind == ErrorKind::Internal);
    checks.that(static_cast<bool>(runOn(*session, 1, makeList(makeFloats({50, 4}, 1), makeFloats({1}, 3)))));
  }
}

void testOutputs(Checks &checks) {
  std::unique_ptr<Session> session = makeSession(2);
  std::vector<Tensor> inputs = makeList(makeFloats({2, 4}, 1), makeFloats({1}, 3));
  const TensorView views[] = {inputs[0].view(), inputs[1].view()};
  Tensor small = makeFloats({1, 4}, 0);
  const MutableTensorView output[] = {small.mutableView()};
  Result<void> done = session->run(1, views, output);
  checks.that(!done && done.error().message.find("has room for [1, 4], expected [2, 4]") != std::string::npos);
  checks.that(!session->run(1, views, {}));
}

/// The `count` tokens that follow `prompt`.
std::vector<int32_t> continueToy(std::vector<int32_t> prompt, int count) {
  auto size = static_cast<std::ptrdiff_t>(prompt.size());
  for (int i = 0; i < count; ++i)
    prompt.push_back(predictToy(prompt));
  prompt.erase(prompt.begin(), prompt.begin() + size);
  return prompt;
}

/// The text after `prompt`, one of its own.
Result<void> generateOne(Engine &engine, std::vector<int32_t> prompt, int64_t newTokens,
                         std::span<const int32_t> stopTokens, TokenSink &sink) {
  Continuation text{std::move(prompt), Sampler(SamplerOptions()), &sink, newTokens};
  return generate(engine, {&text, 1}, stopTokens);
}

void testGenerate(Checks &checks) {
  std::vector<int32_t> prompt = {4, 8, 15, 16, 23, 42, 108, 7, 9, 11, 2};
  // Steps of every size give the same text: the prompt takes two steps, or eleven.
  for (std::optional<int64_t> batch :
       {std::optional<int64_t>(), std::optional<int64_t>(1), std::optional<int64_t>(3)}) {
    std::unique_ptr<Session> session = makeSession(2);
    Engine engine = Engine::create(*session, {batch}).value();
    checks.equal(engine.getContextSize(), toyContext);
    Collector collector;
    int single = getToyCounts().single;
    checks.that(static_cast<bool>(generateOne(engine, prompt, 20, {}, collector)));
    checks.that(collector.tokens == continueToy(prompt, 20));
    // 19 of the new tokens are fed, each by the program for single tokens.
    checks.equal(getToyCounts().single - single, batch == 1 ? 30 : 19);
  }
}

/// Several texts at a time are what each is alone, whoever ends first and whoever takes its place.
void testParallel(Checks &checks) {
  const std::vector<std::vector<int32_t>> prompts = {{4, 8, 15}, {16}, {23, 42, 108, 7, 9}, {11, 2}};
  const int64_t counts[] = {9, 2, 0, 6};
  for (int64_t sequences : {1, 2, 3}) {
    std::unique_ptr<Session> session = makeSession(2);
    Engine engine = Engine::create(*session, {.sequences = sequences}).value();
    checks.equal(engine.getSequenceCount(), sequences);
    checks.equal(engine.getContextSize(), toyContext);
    std::vector<Collector> collectors(prompts.size());
    std::vector<Continuation> texts;
    for (size_t i = 0; i < prompts.size(); ++i)
      texts.push_back({prompts[i], Sampler(SamplerOptions()), &collectors[i], counts[i]});
    int pairs = getToyCounts().pairs;
    GenerateOptions options;
    if (sequences == 3)
      options.slack = 0.3;
    checks.that(static_cast<bool>(generate(engine, texts, {}, options)));
    for (size_t i = 0; i < prompts.size(); ++i)
      checks.that(collectors[i].tokens == continueToy(prompts[i], static_cast<int>(counts[i])));
    checks.equal(getToyCounts().pairs > pairs, sequences > 1);
  }
  std::unique_ptr<Session> session = makeSession(2);
  // A sequence that is full says so; the others go on.
  Engine engine = Engine::create(*session, {.sequences = 2}).value();
  const std::vector<int32_t> full(toyContext, 1), one = {5};
  checks.that(static_cast<bool>(engine.read(full, 1)));
  checks.that(!engine.run(std::vector<StepPiece>{{0, one, 1}, {1, one, 1}}));
  checks.that(static_cast<bool>(engine.run(std::vector<StepPiece>{{0, one, 1}})));
  checks.equal(engine.getSize(0), 1);
  checks.equal(engine.getSize(1), toyContext);
}

/// Texts that begin alike share what they begin with, beside each other and one after the other; a store of few pages
/// lets some of them wait. What each gives stays the same.
void testShared(Checks &checks) {
  std::vector<int32_t> common;
  for (int32_t i = 0; i < 300; ++i)
    common.push_back(i * 7 % toyVocab);
  std::vector<std::vector<int32_t>> prompts;
  for (int32_t i : {4, 8, 15, 16, 4}) {
    prompts.push_back(common);
    prompts.back().push_back(i);
  }
  prompts.push_back({4, 8});
  for (int64_t rows : {3 * toyContext, 768, 600}) {
    std::unique_ptr<Session> session = makeSession(2);
    Engine engine = Engine::create(*session, {.sequences = 3, .rows = rows, .share = true}).value();
    checks.equal(engine.getContextSize(), toyContext);
    std::vector<Collector> collectors(prompts.size());
    std::vector<Continuation> texts;
    for (size_t i = 0; i < prompts.size(); ++i)
      texts.push_back({prompts[i], Sampler(SamplerOptions()), &collectors[i], 250});
    Result<void> done = generate(engine, texts, {});
    checks.equal(done ? "" : done.error().message, "");
    for (size_t i = 0; i < prompts.size(); ++i) {
      checks.that(collectors[i].tokens == continueToy(prompts[i], 250));
      // What all begin with; in a store without a page more than one text takes, whole pages of it.
      int64_t known = i == 0 || i == 5 ? 0 : rows == 3 * toyContext ? 300 : 256;
      checks.equal(texts[i].steps.known, known);
    }
    checks.equal(engine.getStore()->getUsedPages(), 0);
    checks.that(engine.getStore()->getKeptPages() > 0 && engine.getStore()->isConsistent());
  }
  // A text that could never have room.
  std::unique_ptr<Session> session = makeSession(2);
  Engine engine = Engine::create(*session, {.sequences = 2, .rows = 256}).value();
  checks.equal(engine.getContextSize(), 256);
  checks.that(!engine.begin(0, {}, 257) && engine.begin(0, {}, 256) && !engine.begin(1, {}, 1));
  engine.end(0);
  checks.that(engine.begin(1, {}, 1).has_value());
  checks.that(static_cast<bool>(engine.read(std::vector<int32_t>(200, 1), 1)));
  Result<void> full = engine.read(std::vector<int32_t>(2, 1), 0);
  checks.that(!full);
  checks.equal(full.error().message, "a text of 2 tokens finds no room: other texts have 256 rows of the caches, in "
                                     "pages of 256");
}

void testStop(Checks &checks) {
  std::unique_ptr<Session> session = makeSession(2);
  Engine engine = Engine::create(*session).value();
  const std::vector<int32_t> prompt = {4};
  const int32_t stop[] = {predictToy(prompt)};
  Collector collector;
  checks.that(static_cast<bool>(generateOne(engine, prompt, 20, stop, collector)));
  checks.equal(collector.tokens.size(), 1u);
  // The context ends: 1 + 599 tokens are fed, the 601st is not.
  Collector whole;
  checks.that(static_cast<bool>(generateOne(engine, prompt, 600, {}, whole)));
  checks.equal(whole.tokens.size(), 600u);
  Collector more;
  Result<void> tooMany = generateOne(engine, prompt, 601, {}, more);
  checks.that(!tooMany);
  checks.equal(tooMany.error().message, "601 tokens do not fit into the context of 600");
}

void testStates(Checks &checks) {
  std::unique_ptr<Session> session = makeSession(2);
  checks.equal(session->getStateRows().value(), toyContext);
  Engine engine = Engine::create(*session).value();
  const std::vector<int32_t> tokens = {1, 2, 3};
  checks.that(static_cast<bool>(engine.read(tokens)));
  float first = engine.getLogits(0)[0];
  engine.rewind(2);
  checks.that(static_cast<bool>(engine.read(std::vector<int32_t>{3})));
  float second = engine.getLogits(0)[0];
  checks.equal(first, second);
  session->resetStates();
  engine.rewind(2);
  // The rows before are zeros now.
  const std::vector<int32_t> zeros = {0, 0, 3};
  checks.that(static_cast<bool>(engine.read(std::vector<int32_t>{3})));
  float third = engine.getLogits(0)[0];
  checks.equal(third, -static_cast<float>((toyVocab - predictToy(zeros)) % toyVocab) / 16.0f);
}

void testCreate(Checks &checks) {
  SessionOptions options;
  auto refuse = [&](const Image &image, const std::string &reason,
                    std::source_location where = std::source_location::current()) {
    Result<std::unique_ptr<Session>> session = Session::create(image, options);
    if (checks.that(!session, where) && !checks.that(session.error().message.find(reason) != std::string::npos, where))
      checks.equal(session.error().message, reason, where);
  };
  refuse({&quern_programs, getToyDescription(), std::span(toyWeights).first(100)},
         "the weights take 1280 bytes, the file has 100");
  refuse({&quern_programs, "{}", toyWeights}, "description is not valid");
  options.threads = 0;
  refuse({&quern_programs, getToyDescription(), toyWeights}, "the number of threads is 0");
  options.threads = 1;
  options.target = "future";
  refuse({&quern_programs, getToyDescription(), toyWeights}, "`teleport`");
}

void testProfile(Checks &checks) {
  std::unique_ptr<Session> session = makeSession(2);
  Engine engine = Engine::create(*session).value();
  checks.that(static_cast<bool>(engine.read(std::vector<int32_t>{1, 2})));
  session->setProfiling(true);
  checks.that(static_cast<bool>(engine.read(std::vector<int32_t>{1, 2})));
  checks.that(static_cast<bool>(engine.read(std::vector<int32_t>{3})));
  const std::vector<KernelLaunch> &launches = session->getLaunches();
  if (!checks.that(launches.size() == 2))
    return;
  // Two tokens in the general program, behind two that were fed before, then one in the program for a single token.
  checks.that(launches[0].program == 2 && launches[1].program == 0);
  checks.that(launches[0].begin <= launches[0].end && launches[0].end <= launches[1].begin);
  checks.that(launches[0].bytes == 1280 + 8 * 2 && launches[0].operations == 10 * 2 * 4);
  checks.that(launches[1].bytes == 1280 + 8 && launches[1].operations == 10 * 5);
}

} // namespace

int main() {
  Checks checks;
  testInputs(checks);
  testResults(checks);
  testOutputs(checks);
  testGenerate(checks);
  testParallel(checks);
  testShared(checks);
  testStop(checks);
  testStates(checks);
  testCreate(checks);
  testProfile(checks);
  return checks.status();
}
