//===- Signature.cpp - what makes an entry a causal language model -----------------------------===//

#include "runtime/llm/Signature.h"

namespace quern::runtime {

/// The symbol of an i32 vector (or a vector of positions) whose size is symbolic, or -1.
static int32_t getVectorSymbol(const Operand &operand, bool isPosition) {
  size_t rank = isPosition ? 2 : 1;
  if (operand.dtype != DType::I32 || operand.isPosition != isPosition || operand.shape.size() != rank)
    return -1;
  return operand.shape[0].symbol;
}

/// Whether `operand` is f32[n, size] of a symbolic number of rows.
static bool areRows(const Operand &operand) {
  return operand.dtype == DType::F32 && operand.shape.size() == 2 && operand.shape[0].symbol >= 0 &&
         operand.shape[1].symbol < 0;
}

std::optional<LanguageModelSignature> matchLanguageModel(const Entry &entry) {
  if (entry.role != "language_model" || entry.inputs.size() != 3 || entry.results.empty() || entry.results.size() > 2)
    return std::nullopt;
  int32_t tokens = getVectorSymbol(entry.inputs[0], false);
  int32_t positions = getVectorSymbol(entry.inputs[1], true);
  int32_t wanted = getVectorSymbol(entry.inputs[2], false);
  if (tokens < 0 || positions != tokens || wanted < 0 || wanted == tokens)
    return std::nullopt;
  const Operand &logits = entry.results[0];
  if (!areRows(logits) || logits.shape[0].symbol != wanted)
    return std::nullopt;
  int64_t hiddenSize = 0;
  if (entry.results.size() == 2) {
    const Operand &hidden = entry.results[1];
    if (!areRows(hidden) || hidden.shape[0].symbol != wanted)
      return std::nullopt;
    hiddenSize = hidden.shape[1].size;
  }
  return LanguageModelSignature{static_cast<uint32_t>(tokens), static_cast<uint32_t>(wanted), logits.shape[1].size,
                                hiddenSize};
}

std::optional<GuesserSignature> matchGuesser(const Entry &entry) {
  if (entry.role != "guesser" || entry.inputs.size() != 1 || entry.results.size() != 1 || !areRows(entry.inputs[0]))
    return std::nullopt;
  const Operand &hidden = entry.inputs[0], &tokens = entry.results[0];
  if (tokens.dtype != DType::I32 || tokens.shape.size() != 3 || tokens.shape[0].symbol != hidden.shape[0].symbol ||
      tokens.shape[1].symbol >= 0 || tokens.shape[2].symbol >= 0)
    return std::nullopt;
  int64_t bound = entry.symbols[static_cast<size_t>(hidden.shape[0].symbol)].bound;
  return GuesserSignature{hidden.shape[1].size, tokens.shape[1].size, tokens.shape[2].size, bound};
}

} // namespace quern::runtime
