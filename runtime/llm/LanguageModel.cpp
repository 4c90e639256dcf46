//===- LanguageModel.cpp - the steps of a causal language model --------------------------------===//

#include "runtime/llm/LanguageModel.h"

#include "runtime/vision/Signature.h"

#include <algorithm>

namespace quern::runtime {

LanguageModel::LanguageModel(Session &session, uint32_t entry, const LanguageModelSignature &signature)
    : session(&session), entry(entry), signature(signature) {}

/// The sizes n, ascending, for which the target has a program for n tokens that gives n rows of logits.
static std::vector<int64_t> getBatches(const Target &target, uint32_t entry, const LanguageModelSignature &signature) {
  std::vector<int64_t> batches;
  for (const Program &program : target.programs) {
    int64_t tokens = 0, wanted = 0;
    for (auto [symbol, size] : program.when)
      (symbol == signature.tokens ? tokens : wanted) = size;
    if (program.entry == entry && tokens > 0 && tokens == wanted)
      batches.push_back(tokens);
  }
  std::sort(batches.begin(), batches.end());
  return batches;
}

Result<LanguageModel> LanguageModel::create(Session &session, std::optional<int64_t> batch, int64_t sequences) {
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
    LanguageModel model(session, static_cast<uint32_t>(i), *signature);
    int64_t bound = entries[i].symbols[signature->tokens].bound;
    model.maxTokens = std::clamp<int64_t>(batch.value_or(bound), 1, bound);
    model.maxWanted = entries[i].symbols[signature->wanted].bound;
    model.contextSize = session.getStateRows(sequences).value_or(bound);
    if (!model.contextSize)
      return Error{"the context of " + std::to_string(*session.getStateRows()) + " tokens has no room for " +
                   std::to_string(sequences) + " sequences of " + std::to_string(QUERN_SEQUENCE_ROWS) + " or more"};
    model.positions.resize(static_cast<size_t>(sequences));
    model.batches = getBatches(session.getTarget(), model.entry, *signature);
    model.tokenValues = Tensor(DType::I32, {bound});
    model.positionValues.resize(static_cast<size_t>(bound));
    model.wantedValues = Tensor(DType::I32, {model.maxWanted});
    model.logits = Tensor(DType::F32, {1, signature->vocabSize});
    return model;
  }
  for (const Entry &entry : entries)
    if (matchClassifier(entry))
      return Error{
          "the model classifies images, but it was compiled without a `preprocessor_config.json` beside its weights, "
          "which says how they are prepared; compile it with one, or give tensors to `--run " +
          entry.name + "`"};
  return Error{"the model has no entry of a language model, (i32[s], position[s], i32[r]) -> f32[r, vocabulary]"};
}

/// Whether `count` more tokens of a sequence fit into the states.
Result<void> LanguageModel::checkRoom(int64_t sequence, int64_t count) const {
  int64_t size = getPosition(sequence) + count;
  if (size > contextSize)
    return Error{std::to_string(size) + " tokens do not fit into the context of " + std::to_string(contextSize)};
  return {};
}

/// Makes row `row` of the next step the token of a sequence at `position`.
void LanguageModel::place(int64_t row, int32_t token, int64_t sequence, int64_t position) {
  int64_t first = sequence * contextSize;
  tokenValues.get<int32_t>()[static_cast<size_t>(row)] = token;
  positionValues[static_cast<size_t>(row)] = {.position = static_cast<int32_t>(position),
                                              .row = static_cast<int32_t>(first + position),
                                              .first = static_cast<int32_t>(first)};
}

/// One run over the first `count` rows that were placed, with the logits of those from `firstWanted` on. Rows from
/// `ownRows` on repeat one before.
Result<void> LanguageModel::run(int64_t count, int64_t firstWanted, int64_t ownRows) {
  int64_t wanted = count - firstWanted;
  if (logits.getShape()[0] < wanted)
    logits = Tensor(DType::F32, {wanted, signature.vocabSize});
  std::span<int32_t> rows = wantedValues.get<int32_t>();
  for (int64_t i = 0; i < wanted; ++i)
    rows[static_cast<size_t>(i)] = static_cast<int32_t>(firstWanted + i);
  const int64_t tokenShape[] = {count};
  const int64_t positionShape[] = {count, QUERN_POSITION_FIELDS};
  const int64_t wantedShape[] = {wanted};
  const int64_t logitShape[] = {wanted, signature.vocabSize};
  const TensorView inputs[] = {{DType::I32, tokenShape, tokenValues.view().data},
                               {DType::I32, positionShape, positionValues.data()},
                               {DType::I32, wantedShape, wantedValues.view().data}};
  const MutableTensorView outputs[] = {{DType::F32, logitShape, logits.mutableView().data}};
  if (Result<void> done = session->run(entry, inputs, outputs, ownRows); !done)
    return done;
  return checkLogits(firstWanted, getLogits(wanted));
}

/// Refuses the last run's logits, of the rows from `firstWanted` on, if one is no number, and says why as far as that
/// shows.
Result<void> LanguageModel::checkLogits(int64_t firstWanted, std::span<const float> values) const {
  bool found = false; // all are looked at: so the loop runs on vectors
  for (float value : values)
    found |= value != value;
  if (!found)
    return {};
  auto isNumber = [](float value) { return value == value; };
  int64_t row =
      firstWanted + (std::find_if_not(values.begin(), values.end(), isNumber) - values.begin()) / signature.vocabSize;
  int32_t position = positionValues[static_cast<size_t>(row)].position;
  std::string message =
      "the model's logits after token " + std::to_string(position) + " of the text hold what is no number";
  if (const State *state = session->findOverflow())
    return Error{message + ": the cache `" + state->name +
                 "` was given a number beyond f16, whose largest is 65504; compile the "
                 "model with `--cache bf16` or `--cache f32`"};
  return Error{message + ": a value on the way to them was beyond f32"};
}

/// One run over the next tokens of a sequence, with the logits of the rows from `firstWanted` on.
Result<void> LanguageModel::step(std::span<const int32_t> tokens, int64_t sequence, int64_t firstWanted) {
  auto count = static_cast<int64_t>(tokens.size());
  if (Result<void> fits = checkRoom(sequence, count); !fits)
    return fits;
  int64_t &position = positions[static_cast<size_t>(sequence)];
  for (int64_t i = 0; i < count; ++i)
    place(i, tokens[static_cast<size_t>(i)], sequence, position + i);
  if (Result<void> done = run(count, firstWanted, count); !done)
    return done;
  position += count;
  return {};
}

Result<std::span<const float>> LanguageModel::feed(std::span<const int32_t> tokens, int64_t sequence) {
  if (Result<void> fits = checkRoom(sequence, static_cast<int64_t>(tokens.size())); !fits)
    return fits.error();
  while (!tokens.empty()) {
    size_t part = std::min(tokens.size(), static_cast<size_t>(maxTokens));
    // An entry gives at least one row of logits, wanted or not.
    if (Result<void> done = step(tokens.first(part), sequence, static_cast<int64_t>(part) - 1); !done)
      return done.error();
    tokens = tokens.subspan(part);
  }
  return getLogits(1);
}

Result<int64_t> LanguageModel::feedEach(std::span<const NextToken> next) {
  bool hasBatches = !batches.empty() && batches.back() > 1;
  int64_t largest = hasBatches ? batches.back() : std::min(tokenValues.getElementCount(), maxWanted);
  int64_t taken = std::min(static_cast<int64_t>(next.size()), largest);
  auto size = std::lower_bound(batches.begin(), batches.end(), taken);
  int64_t rows = size == batches.end() ? taken : *size;
  // Rows without a token of their own repeat the last one: they write what it writes.
  for (int64_t row = 0; row < rows; ++row) {
    const NextToken &token = next[static_cast<size_t>(std::min(row, taken - 1))];
    if (Result<void> fits = checkRoom(token.sequence, 1); !fits)
      return fits.error();
    place(row, token.token, token.sequence, getPosition(token.sequence));
  }
  if (Result<void> done = run(rows, 0, taken); !done)
    return done.error();
  for (const NextToken &token : next.first(static_cast<size_t>(taken)))
    ++positions[static_cast<size_t>(token.sequence)];
  return taken;
}

Result<int64_t> LanguageModel::feedForAllLogits(std::span<const int32_t> tokens) {
  int64_t part = std::min({static_cast<int64_t>(tokens.size()), maxTokens, maxWanted});
  if (Result<void> done = step(tokens.first(static_cast<size_t>(part)), 0, 0); !done)
    return done.error();
  return part;
}

} // namespace quern::runtime
