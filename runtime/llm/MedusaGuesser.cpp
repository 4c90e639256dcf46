//===- MedusaGuesser.cpp - guesses of a model's own heads -----------------------------------------===//

#include "runtime/llm/MedusaGuesser.h"

#include <algorithm>

namespace quern::runtime {

MedusaHeads::MedusaHeads(Session &session, uint32_t entry, const GuesserSignature &signature)
    : session(&session), entry(entry), signature(signature), rowValues(DType::F32, {1, signature.hiddenSize}),
      tokenValues(DType::I32, {1, signature.heads, signature.guesses}) {}

std::optional<MedusaHeads> MedusaHeads::find(Session &session, int64_t hiddenSize) {
  const std::vector<Entry> &entries = session.getDescription().entries;
  for (size_t i = 0; i < entries.size(); ++i)
    if (std::optional<GuesserSignature> signature = matchGuesser(entries[i]))
      if (signature->hiddenSize == hiddenSize && hiddenSize > 0)
        return MedusaHeads(session, static_cast<uint32_t>(i), *signature);
  return std::nullopt;
}

Result<void> MedusaHeads::run(std::span<const float> rows, int64_t count, std::vector<int32_t> &tokens) {
  tokens.clear();
  while (count > 0) {
    int64_t part = std::min(count, signature.maxRows);
    auto size = static_cast<size_t>(part * signature.hiddenSize);
    if (rowValues.getShape()[0] < part) {
      rowValues = Tensor(DType::F32, {part, signature.hiddenSize});
      tokenValues = Tensor(DType::I32, {part, signature.heads, signature.guesses});
    }
    std::ranges::copy(rows.first(size), rowValues.get<float>().begin());
    const int64_t rowShape[] = {part, signature.hiddenSize};
    const int64_t tokenShape[] = {part, signature.heads, signature.guesses};
    const TensorView inputs[] = {{DType::F32, rowShape, rowValues.view().data}};
    const MutableTensorView outputs[] = {{DType::I32, tokenShape, tokenValues.mutableView().data}};
    if (Result<void> done = session->run(entry, inputs, outputs); !done)
      return done;
    std::span<const int32_t> found = tokenValues.get<int32_t>();
    tokens.insert(tokens.end(), found.begin(), found.begin() + part * signature.heads * signature.guesses);
    rows = rows.subspan(size);
    count -= part;
  }
  return {};
}

Result<std::unique_ptr<Guesser>> MedusaGuesser::create(Session &session, const Engine &engine) {
  std::optional<MedusaHeads> heads = MedusaHeads::find(session, engine.getHiddenSize());
  if (!heads)
    return Error{"the model has no heads that guess; compile it with `medusa.qn` and heads"};
  std::unique_ptr<MedusaGuesser> guesser(new MedusaGuesser(std::move(*heads), engine));
  const GuesserSignature &signature = guesser->heads.getSignature();
  const std::vector<std::vector<int32_t>> &paths = session.getDescription().guessTree;
  for (const std::vector<int32_t> &path : paths) {
    auto depth = static_cast<int64_t>(path.size());
    if (depth > signature.heads || path.back() >= signature.guesses)
      return Error{"the model's tree is not one of its " + std::to_string(signature.heads) + " heads with " +
                       std::to_string(signature.guesses) + " guesses each",
                   ErrorKind::Internal};
    std::vector<int32_t> before(path.begin(), path.end() - 1);
    auto parent = before.empty() ? 0 : std::find(paths.begin(), paths.end(), before) - paths.begin() + 1;
    guesser->nodes.push_back(
        {static_cast<int32_t>(parent), static_cast<size_t>(depth - 1), static_cast<size_t>(path.back())});
  }
  if (paths.empty()) // as a calibration found it best
    return std::unique_ptr<Guesser>();
  return std::unique_ptr<Guesser>(std::move(guesser));
}

void MedusaGuesser::note(int64_t sequence, int64_t row) {
  Row &own = rows[static_cast<size_t>(sequence)];
  std::span<const float> hidden = engine.getHidden(row);
  own.hidden.assign(hidden.begin(), hidden.end());
  own.isNew = true;
}

Result<void> MedusaGuesser::prepare() {
  std::vector<float> hidden;
  std::vector<int32_t> tokens;
  for (const Row &row : rows)
    if (row.isNew)
      hidden.insert(hidden.end(), row.hidden.begin(), row.hidden.end());
  const GuesserSignature &signature = heads.getSignature();
  auto count = static_cast<int64_t>(hidden.size()) / signature.hiddenSize;
  if (Result<void> done = heads.run(hidden, count, tokens); !done)
    return done;
  auto next = tokens.begin();
  for (Row &row : rows) {
    if (!row.isNew)
      continue;
    row.tokens.assign(next, next + signature.heads * signature.guesses);
    next += signature.heads * signature.guesses;
    row.isNew = false;
  }
  return {};
}

Result<void> MedusaGuesser::guess(int64_t sequence, std::span<const int32_t>, size_t most, TokenTree &tree) {
  const std::vector<int32_t> &tokens = rows[static_cast<size_t>(sequence)].tokens;
  auto guesses = static_cast<size_t>(heads.getSignature().guesses);
  if (tokens.empty()) // a text of one token has no row yet
    return {};
  for (const Node &node : std::span(nodes).first(std::min(most, nodes.size())))
    tree.add(tokens[node.head * guesses + node.rank], node.parent);
  return {};
}

} // namespace quern::runtime
