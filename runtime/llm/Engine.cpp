//===- Engine.cpp - steps of a causal language model over sequences ------------------------------===//

#include "runtime/llm/Engine.h"

#include "runtime/vision/Signature.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace quern::runtime {

Engine::Engine(Session &session, uint32_t entry, const LanguageModelSignature &signature)
    : session(&session), entry(entry), signature(signature) {}

Result<Engine> Engine::create(Session &session, const EngineOptions &options) {
  const std::vector<Entry> &entries = session.getDescription().entries;
  for (size_t i = 0; i < entries.size(); ++i) {
    std::optional<LanguageModelSignature> signature = matchLanguageModel(entries[i]);
    if (!signature)
      continue;
    // What a step leaves in a variable would depend on how a text is cut into steps.
    for (const State &state : session.getDescription().states)
      if (!state.rows)
        return Error{"the model keeps the variable `" + state.name +
                     "`; texts are written by models whose states are "
                     "caches. Give tensors to `--run " +
                     entries[i].name + "`"};
    Engine engine(session, static_cast<uint32_t>(i), *signature);
    int64_t bound = entries[i].symbols[signature->tokens].bound;
    engine.maxRows = std::clamp<int64_t>(options.batch.value_or(bound), 1, bound);
    engine.maxWanted = entries[i].symbols[signature->wanted].bound;
    engine.contextSize = session.getStateRows().value_or(bound);
    int64_t sequences = session.hasPages() || !session.getStateRows() ? options.sequences : 1;
    engine.texts.resize(static_cast<size_t>(sequences));
    engine.settled.resize(static_cast<size_t>(sequences));
    if (session.hasPages())
      if (Result<void> made = engine.makeStore(options); !made)
        return made.error();
    engine.tokenValues = Tensor(DType::I32, {bound});
    engine.positionValues = Tensor(DType::I32, {bound, QUERN_POSITION_FIELDS});
    engine.wantedValues = Tensor(DType::I32, {engine.maxWanted});
    engine.logits = Tensor(DType::F32, {1, signature->vocabSize});
    engine.hidden = Tensor(DType::F32, {1, signature->hiddenSize});
    return engine;
  }
  for (const Entry &entry : entries)
    if (matchClassifier(entry))
      return Error{
          "the model classifies images, but it was compiled without a `preprocessor_config.json` beside its weights, "
          "which says how they are prepared; compile it with one, or give tensors to `--run " +
          entry.name + "`"};
  return Error{"the model has no entry of a language model, (i32[s], position[s], i32[r]) -> f32[r, vocabulary]"};
}

/// Makes the caches anew, with room for what `options` ask for.
Result<void> Engine::makeStore(const EngineOptions &options) {
  int64_t one = countPages(contextSize), all = one * getSequenceCount();
  if (all > std::numeric_limits<int32_t>::max() / QUERN_PAGE_ROWS)
    return Error{std::to_string(getSequenceCount()) + " texts at a time of up to " + std::to_string(contextSize) +
                 " tokens have more rows than are counted, expected fewer texts"};
  int64_t asked = options.rows ? std::min(countPages(*options.rows), all) : all;
  Result<int64_t> given = session->resizePages(asked);
  // What is not asked for may be more than the system gives.
  while (!given && !options.rows && asked > one) {
    asked = std::max(one, asked / 2);
    given = session->resizePages(asked);
  }
  if (!given)
    return given.error();
  PageStore::Options pages;
  pages.pages = std::min(asked, *given), pages.pageRows = QUERN_PAGE_ROWS;
  pages.sequences = getSequenceCount(), pages.sequenceRows = contextSize;
  pages.kept = options.share ? one : 0;
  store.emplace(pages);
  contextSize = std::min(contextSize, pages.pages * QUERN_PAGE_ROWS);
  session->setPages(store->getTable());
  return {};
}

/// The row that a sequence begins at.
int64_t Engine::getFirstRow(int64_t sequence) const {
  return store ? sequence * store->getSequencePages() * QUERN_PAGE_ROWS : 0;
}

/// Whether `count` more tokens of a sequence fit into its rows.
Result<void> Engine::checkRoom(int64_t sequence, int64_t count) const {
  int64_t size = getSize(sequence) + count;
  if (size > contextSize)
    return Error{std::to_string(size) + " tokens do not fit into the context of " + std::to_string(contextSize)};
  return {};
}

/// What the next call knows of row `row`.
QuernPosition &Engine::getPosition(size_t row) {
  return reinterpret_cast<QuernPosition *>(positionValues.get<int32_t>().data())[row];
}

/// Where token `token` of `piece` stands, which is row `row` of the next call.
void Engine::placeToken(const StepPiece &piece, size_t token, size_t row) {
  int64_t size = getSize(piece.sequence), first = getFirstRow(piece.sequence);
  uint64_t ancestors = piece.ancestors.empty() ? 0 : piece.ancestors[token];
  int64_t before = ancestors ? std::popcount(ancestors) - 1 : static_cast<int64_t>(token);
  getPosition(row) = {.position = static_cast<int32_t>(size + before),
                      .row = static_cast<int32_t>(first + size + static_cast<int64_t>(token)),
                      .first = static_cast<int32_t>(first),
                      .ancestors_low = static_cast<int32_t>(static_cast<uint32_t>(ancestors)),
                      .ancestors_high = static_cast<int32_t>(static_cast<uint32_t>(ancestors >> 32))};
}

/// Makes the rows of `pieces` those of the next call, one behind the other: how many logits are wanted of.
Result<int64_t> Engine::place(std::span<const StepPiece> pieces) {
  std::span<int32_t> tokens = tokenValues.get<int32_t>(), rows = wantedValues.get<int32_t>();
  size_t row = 0, wanted = 0;
  for (const StepPiece &piece : pieces) {
    auto count = static_cast<int64_t>(piece.tokens.size());
    if (Result<void> fits = checkRoom(piece.sequence, count); !fits)
      return fits.error();
    for (int64_t i = 0; i < count; ++i, ++row) {
      tokens[row] = piece.tokens[static_cast<size_t>(i)];
      placeToken(piece, static_cast<size_t>(i), row);
      if (i >= count - piece.wanted)
        rows[wanted++] = static_cast<int32_t>(row);
    }
  }
  if (wanted == 0) // an entry gives at least one row of logits, wanted or not
    rows[wanted++] = static_cast<int32_t>(row - 1);
  return static_cast<int64_t>(wanted);
}

/// One call of the entry over the rows that were placed.
Result<void> Engine::call(int64_t rows, int64_t wanted) {
  if (logits.getShape()[0] < wanted) {
    logits = Tensor(DType::F32, {wanted, signature.vocabSize});
    hidden = Tensor(DType::F32, {wanted, signature.hiddenSize});
  }
  const int64_t tokenShape[] = {rows};
  const int64_t positionShape[] = {rows, QUERN_POSITION_FIELDS};
  const int64_t wantedShape[] = {wanted};
  const int64_t logitShape[] = {wanted, signature.vocabSize};
  const int64_t hiddenShape[] = {wanted, signature.hiddenSize};
  const TensorView inputs[] = {{DType::I32, tokenShape, tokenValues.view().data},
                               {DType::I32, positionShape, positionValues.view().data},
                               {DType::I32, wantedShape, wantedValues.view().data}};
  const MutableTensorView outputs[] = {{DType::F32, logitShape, logits.mutableView().data},
                                       {DType::F32, hiddenShape, hidden.mutableView().data}};
  std::span<const MutableTensorView> results(outputs, signature.hiddenSize ? 2 : 1);
  if (Result<void> done = session->run(entry, inputs, results); !done)
    return done;
  return checkLogits(wanted);
}

/// Refuses the last call's logits if one is no number, and says why as far as that shows.
Result<void> Engine::checkLogits(int64_t wanted) const {
  std::span<const float> values = logits.get<float>().first(static_cast<size_t>(wanted * signature.vocabSize));
  bool found = false; // all are looked at: so the loop runs on vectors
  for (float value : values)
    found |= value != value;
  if (!found)
    return {};
  auto isNumber = [](float value) { return value == value; };
  int64_t place = (std::find_if_not(values.begin(), values.end(), isNumber) - values.begin()) / signature.vocabSize;
  int32_t row = wantedValues.get<int32_t>()[static_cast<size_t>(place)];
  int32_t position = static_cast<const QuernPosition *>(positionValues.view().data)[row].position;
  std::string message =
      "the model's logits after token " + std::to_string(position) + " of the text hold what is no number";
  if (const State *state = session->findOverflow())
    return Error{message + ": the cache `" + state->name +
                 "` was given a number beyond f16, whose largest is 65504; compile the "
                 "model with `--cache bf16` or `--cache f32`"};
  return Error{message + ": a value on the way to them was beyond f32"};
}

std::optional<int64_t> Engine::begin(int64_t sequence, std::span<const int32_t> tokens, int64_t rows) {
  for (int64_t other = 0; other < getSequenceCount(); ++other)
    noteText(other);
  rewind(0, sequence);
  std::optional<int64_t> known = store ? store->begin(sequence, tokens, rows) : 0;
  if (!known)
    return std::nullopt;
  std::span<const int32_t> begun = tokens.first(static_cast<size_t>(*known));
  texts[static_cast<size_t>(sequence)].assign(begun.begin(), begun.end());
  settled[static_cast<size_t>(sequence)] = *known;
  return known;
}

void Engine::end(int64_t sequence) {
  noteText(sequence);
  rewind(0, sequence);
  if (store)
    store->end(sequence);
}

bool Engine::fork(int64_t from, int64_t to, int64_t rows) {
  noteText(from);
  std::vector<int32_t> text = texts[static_cast<size_t>(from)];
  text.resize(static_cast<size_t>(settled[static_cast<size_t>(from)]));
  rewind(0, to);
  if (!store || !store->fork(from, to, std::ssize(text), rows))
    return false;
  settled[static_cast<size_t>(to)] = std::ssize(text);
  texts[static_cast<size_t>(to)] = std::move(text);
  return true;
}

void Engine::rewind(int64_t size, int64_t sequence) {
  auto place = static_cast<size_t>(sequence);
  size = std::min(size, getSize(sequence));
  texts[place].resize(static_cast<size_t>(size));
  settled[place] = std::min(settled[place], size);
  if (store)
    store->rewind(sequence, size);
}

/// Lets the store know what is read of a sequence's text.
void Engine::noteText(int64_t sequence) {
  auto place = static_cast<size_t>(sequence);
  if (store)
    store->note(sequence, std::span(texts[place]).first(static_cast<size_t>(settled[place])));
}

void Engine::keep(int64_t sequence, int64_t count, std::span<const int32_t> path) {
  std::vector<int32_t> &text = texts[static_cast<size_t>(sequence)];
  int64_t before = std::ssize(text) - count, first = getFirstRow(sequence) + before;
  // No row is written before it is read: a token has at least as many before it as are on the way to it.
  for (size_t i = 0; i < path.size(); ++i) {
    session->moveStateRow(first + path[i], first + static_cast<int64_t>(i));
    text[static_cast<size_t>(before) + i] = text[static_cast<size_t>(before + path[i])];
  }
  text.resize(static_cast<size_t>(before) + path.size());
  settled[static_cast<size_t>(sequence)] = std::ssize(text);
}

/// Gives the rows of `pieces` pages.
Result<void> Engine::preparePages(std::span<const StepPiece> pieces) {
  if (!store)
    return {};
  std::vector<PageStore::Copy> copies;
  for (const StepPiece &piece : pieces) {
    noteText(piece.sequence);
    int64_t size = getSize(piece.sequence), end = size + std::ssize(piece.tokens);
    bool hasRoom = store->prepare(piece.sequence, size, end, copies);
    for (const PageStore::Copy &copy : copies)
      session->copyPage(copy.from, copy.to);
    copies.clear();
    if (!hasRoom)
      return Error{"a text of " + std::to_string(end) + " tokens finds no room: other texts have " +
                   std::to_string(store->getUsedPages() * QUERN_PAGE_ROWS) + " rows of the caches, in pages of " +
                   std::to_string(QUERN_PAGE_ROWS)};
  }
  session->setPages(store->getTable());
  return {};
}

Result<void> Engine::run(std::span<const StepPiece> pieces) {
  int64_t rows = 0, asked = 0;
  for (const StepPiece &piece : pieces) {
    rows += static_cast<int64_t>(piece.tokens.size());
    asked += piece.wanted;
  }
  if (rows < 1 || rows > tokenValues.getElementCount() || asked > maxWanted)
    return Error{"a step has " + std::to_string(rows) + " rows and the logits of " + std::to_string(asked) +
                     ", expected 1 to " + std::to_string(tokenValues.getElementCount()) + " and at most " +
                     std::to_string(maxWanted),
                 ErrorKind::Internal};
  Result<int64_t> wanted = place(pieces);
  if (!wanted)
    return wanted.error();
  if (Result<void> prepared = preparePages(pieces); !prepared)
    return prepared;
  if (Result<void> done = call(rows, *wanted); !done)
    return done;
  for (const StepPiece &piece : pieces) {
    std::vector<int32_t> &text = texts[static_cast<size_t>(piece.sequence)];
    text.insert(text.end(), piece.tokens.begin(), piece.tokens.end());
    // Several tokens with logits may be guesses, until some are kept.
    if (piece.ancestors.empty() && piece.wanted <= 1)
      settled[static_cast<size_t>(piece.sequence)] = std::ssize(text);
  }
  return {};
}

Result<void> Engine::read(std::span<const int32_t> tokens, int64_t sequence) {
  if (Result<void> fits = checkRoom(sequence, static_cast<int64_t>(tokens.size())); !fits)
    return fits;
  while (!tokens.empty()) {
    size_t part = std::min(tokens.size(), static_cast<size_t>(maxRows));
    const StepPiece piece[] = {{sequence, tokens.first(part), part == tokens.size()}};
    if (Result<void> done = run(piece); !done)
      return done;
    tokens = tokens.subspan(part);
  }
  return {};
}

} // namespace quern::runtime
