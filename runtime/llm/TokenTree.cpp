//===- TokenTree.cpp - tokens that may follow a text ----------------------------------------------===//

#include "runtime/llm/TokenTree.h"

#include <algorithm>

namespace quern::runtime {

void TokenTree::reset(int32_t root) {
  tokens.assign(1, root);
  parents.assign(1, -1);
  ancestors.assign(1, 1);
}

int32_t TokenTree::add(int32_t token, int32_t parent) {
  size_t node = tokens.size();
  tokens.push_back(token);
  parents.push_back(parent);
  ancestors.push_back(ancestors[static_cast<size_t>(parent)] | uint64_t(1) << node);
  return static_cast<int32_t>(node);
}

int TokenTree::getDepth() const {
  int depth = 0;
  for (size_t node = 0; node < tokens.size(); ++node)
    depth = std::max(depth, getDepth(node));
  return depth;
}

bool TokenTree::isChain() const {
  for (size_t node = 1; node < parents.size(); ++node)
    if (parents[node] != static_cast<int32_t>(node) - 1)
      return false;
  return true;
}

std::optional<int32_t> TokenTree::findChild(int32_t node, int32_t token) const {
  for (size_t child = static_cast<size_t>(node) + 1; child < tokens.size(); ++child)
    if (parents[child] == node && tokens[child] == token)
      return static_cast<int32_t>(child);
  return std::nullopt;
}

} // namespace quern::runtime
