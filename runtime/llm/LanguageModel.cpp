//===- LanguageModel.cpp - the steps of a causal language model --------------------------------===//

#include "runtime/llm/LanguageModel.h"

#include "runtime/vision/Signature.h"

#include <algorithm>

namespace quern::runtime {

LanguageModel::LanguageModel(Session &session, uint32_t entry,
                             const LanguageModelSignature &signature)
    : session(&session), entry(entry), signature(signature) {}

Result<LanguageModel> LanguageModel::create(Session &session, std::optional<int64_t> batch) {
  const std::vector<Entry> &entries = session.getDescription().entries;
  for (size_t i = 0; i < entries.size(); ++i) {
    std::optional<LanguageModelSignature> signature = matchLanguageModel(entries[i]);
    if (!signature)
      continue;
    LanguageModel model(session, static_cast<uint32_t>(i), *signature);
    int64_t bound = entries[i].symbols[signature->tokens].bound;
    model.maxTokens = std::clamp<int64_t>(batch.value_or(bound), 1, bound);
    model.maxWanted = entries[i].symbols[signature->wanted].bound;
    model.contextSize = session.getStateRows().value_or(bound);
    model.tokenValues = Tensor(DType::I32, {model.maxTokens});
    model.positionValues = Tensor(DType::I32, {model.maxTokens, 2});
    model.wantedValues = Tensor(DType::I32, {model.maxWanted});
    model.logits = Tensor(DType::F32, {1, signature->vocabSize});
    return model;
  }
  for (const Entry &entry : entries)
    if (matchClassifier(entry))
      return Error{"the model classifies images, but it was compiled without a `preprocessor_config.json` beside its weights, "
                   "which says how they are prepared; compile it with one, or give tensors to `--run " + entry.name + "`"};
  return Error{"the model has no entry of a language model, (i32[s], position[s], i32[r]) -> f32[r, vocabulary]"};
}

/// One run over `tokens`, with the logits of the rows from `firstWanted` on.
Result<void> LanguageModel::step(std::span<const int32_t> tokens, int64_t firstWanted) {
  auto count = static_cast<int64_t>(tokens.size());
  int64_t wanted = count - firstWanted;
  if (position + count > contextSize)
    return Error{std::to_string(position + count) + " tokens do not fit into the context of " +
                 std::to_string(contextSize)};
  std::copy(tokens.begin(), tokens.end(), tokenValues.get<int32_t>().begin());
  std::span<int32_t> positions = positionValues.get<int32_t>();
  for (int64_t i = 0; i < count; ++i)
    positions[static_cast<size_t>(2 * i)] = positions[static_cast<size_t>(2 * i + 1)] =
        static_cast<int32_t>(position + i);
  std::span<int32_t> rows = wantedValues.get<int32_t>();
  for (int64_t i = 0; i < wanted; ++i)
    rows[static_cast<size_t>(i)] = static_cast<int32_t>(firstWanted + i);
  const int64_t tokenShape[] = {count};
  const int64_t positionShape[] = {count, 2};
  const int64_t wantedShape[] = {wanted};
  const int64_t logitShape[] = {wanted, signature.vocabSize};
  const TensorView inputs[] = {{DType::I32, tokenShape, tokenValues.view().data},
                               {DType::I32, positionShape, positionValues.view().data},
                               {DType::I32, wantedShape, wantedValues.view().data}};
  const MutableTensorView outputs[] = {{DType::F32, logitShape, logits.mutableView().data}};
  if (Result<void> done = session->run(entry, inputs, outputs); !done)
    return done;
  position += count;
  return {};
}

Result<std::span<const float>> LanguageModel::feed(std::span<const int32_t> tokens) {
  auto count = static_cast<int64_t>(tokens.size());
  if (position + count > contextSize)
    return Error{std::to_string(position + count) + " tokens do not fit into the context of " +
                 std::to_string(contextSize)};
  while (!tokens.empty()) {
    size_t part = std::min(tokens.size(), static_cast<size_t>(maxTokens));
    // An entry gives at least one row of logits, wanted or not.
    if (Result<void> done = step(tokens.first(part), static_cast<int64_t>(part) - 1); !done)
      return done.error();
    tokens = tokens.subspan(part);
  }
  return getLogits(1);
}

Result<int64_t> LanguageModel::feedForAllLogits(std::span<const int32_t> tokens) {
  int64_t part = std::min({static_cast<int64_t>(tokens.size()), maxTokens, maxWanted});
  if (logits.getShape()[0] < part)
    logits = Tensor(DType::F32, {part, signature.vocabSize});
  if (Result<void> done = step(tokens.first(static_cast<size_t>(part)), 0); !done)
    return done.error();
  return part;
}

} // namespace quern::runtime
