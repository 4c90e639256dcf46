//===- TokenTree.h - tokens that may follow a text ------------------------------------------------===//

#ifndef QUERN_RUNTIME_LLM_TOKENTREE_H
#define QUERN_RUNTIME_LLM_TOKENTREE_H

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace quern::runtime {

/// The most tokens of a tree: positions know them by the bits of a word.
inline constexpr size_t maxTreeTokens = 64;

/// Tokens that may follow a text, each behind its parent; the first one is certain. A step reads them all, each behind
/// those on the way to it alone (Cai et al. 2024, section 3.1.2; Miao et al. 2024).
class TokenTree {
public:
  /// Begins anew with `root`.
  void reset(int32_t root);
  /// Puts `token` behind token number `parent`: its number. There are fewer than `maxTreeTokens`.
  int32_t add(int32_t token, int32_t parent);

  size_t getSize() const { return tokens.size(); }
  std::span<const int32_t> getTokens() const { return tokens; }
  /// The numbers of the tokens on the way to `node`, itself the last, as bits.
  uint64_t getAncestors(size_t node) const { return ancestors[node]; }
  /// The same of all tokens.
  std::span<const uint64_t> getAncestors() const { return ancestors; }
  int32_t getParent(size_t node) const { return parents[node]; }
  /// How many tokens are on the way to `node`, without itself.
  int getDepth(size_t node) const { return std::popcount(ancestors[node]) - 1; }
  /// The largest of these.
  int getDepth() const;
  /// Whether each token follows the one before it.
  bool isChain() const;
  /// The first token behind `node` that is `token`.
  std::optional<int32_t> findChild(int32_t node, int32_t token) const;

private:
  std::vector<int32_t> tokens, parents;
  std::vector<uint64_t> ancestors;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LLM_TOKENTREE_H
