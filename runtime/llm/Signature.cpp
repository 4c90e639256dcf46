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

std::optional<LanguageModelSignature> matchLanguageModel(const Entry &entry) {
  if (entry.role != "language_model" || entry.inputs.size() != 3 || entry.results.size() != 1)
    return std::nullopt;
  int32_t tokens = getVectorSymbol(entry.inputs[0], false);
  int32_t positions = getVectorSymbol(entry.inputs[1], true);
  int32_t wanted = getVectorSymbol(entry.inputs[2], false);
  if (tokens < 0 || positions != tokens || wanted < 0 || wanted == tokens)
    return std::nullopt;
  const Operand &logits = entry.results[0];
  if (logits.dtype != DType::F32 || logits.shape.size() != 2 || logits.shape[0].symbol != wanted ||
      logits.shape[1].symbol >= 0)
    return std::nullopt;
  return LanguageModelSignature{static_cast<uint32_t>(tokens), static_cast<uint32_t>(wanted), logits.shape[1].size};
}

} // namespace quern::runtime
