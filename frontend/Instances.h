//===- Instances.h - the module tree of a model -----------------------------------------------===//
//
// What elaboration makes of a root module: one node per member, named by its path, which is the
// name of its tensor in the checkpoint. The nodes live in an InstanceTree and point at each other
// freely.
//===------------------------------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_INSTANCES_H
#define QUERN_FRONTEND_INSTANCES_H

#include "frontend/Values.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"
#include <deque>

namespace quern::frontend {

/// A constant of a file or of an instance; evaluated when it is first used.
struct ConstantSlot {
  enum class State { Untouched, Running, Done } state = State::Untouched;
  Value value;
  /// The parameter that holds a tensor; empty for a static value.
  std::string parameter;
};

enum class NodeKind { Module, Tensor, Array, Absent };

/// One member of an instance, or one element of an array of them.
struct Node {
  NodeKind kind;
  /// `model.layers.3.self_attn.q_proj`; empty for the root.
  std::string path;
  /// Null for the root.
  const MemberDecl *member;
  /// Where messages about its tensors point: the member in the model's own files that leads to it.
  SourceRange place;

protected:
  Node(NodeKind kind, std::string path, const MemberDecl *member, SourceRange place)
      : kind(kind), path(std::move(path)), member(member), place(place) {}
};

/// Which part of one axis a view takes.
struct ViewAxis {
  int64_t begin, size;
  /// Whether the axis, of size 1, disappears.
  bool drop;
};

/// A parameter or a state.
struct TensorNode : Node {
  bool isState;
  /// Of a variable: the element type that the model names; null for a cache, and for a parameter.
  mlir::Type element;
  /// Of a variable: the parameter whose values it has at first; null for zeros.
  const TensorNode *start = nullptr;
  Shape shape;
  /// The tensor that it is another name of.
  const TensorNode *tiedTo = nullptr;
  /// The tensor that it is a part of, with one entry per axis of that.
  const TensorNode *viewOf = nullptr;
  llvm::SmallVector<ViewAxis, 4> view;

  TensorNode(std::string path, const MemberDecl *member, SourceRange place, bool isState)
      : Node(NodeKind::Tensor, std::move(path), member, place), isState(isState) {}
  static bool classof(const Node *node) { return node->kind == NodeKind::Tensor; }
};

/// `[DecoderLayer; n]`, `[for i in 0..n: DecoderLayer(i)]`. While n is unknown, one element.
struct ArrayNode : Node {
  std::vector<Node *> elements;
  bool countKnown = true;

  ArrayNode(std::string path, const MemberDecl *member, SourceRange place)
      : Node(NodeKind::Array, std::move(path), member, place) {}
  static bool classof(const Node *node) { return node->kind == NodeKind::Array; }
};

/// A member whose `if` does not hold.
struct AbsentNode : Node {
  AbsentNode(std::string path, const MemberDecl *member, SourceRange place)
      : Node(NodeKind::Absent, std::move(path), member, place) {}
  static bool classof(const Node *node) { return node->kind == NodeKind::Absent; }
};

/// A module with its arguments.
struct Instance : Node {
  const ModuleDecl *decl;
  llvm::StringMap<Value> arguments;
  /// In the order of the declaration.
  llvm::MapVector<llvm::StringRef, Node *> members;
  llvm::StringMap<ConstantSlot> constants;

  Instance(std::string path, const MemberDecl *member, SourceRange place, const ModuleDecl *decl)
      : Node(NodeKind::Module, std::move(path), member, place), decl(decl) {}
  static bool classof(const Node *node) { return node->kind == NodeKind::Module; }
};

/// Owns the nodes; all tensors in the order of elaboration.
class InstanceTree {
public:
  template <typename T, typename... Args> T *create(Args &&...args) {
    auto node = std::make_unique<T>(std::forward<Args>(args)...);
    T *raw = node.get();
    owned<T>().push_back(std::move(node));
    return raw;
  }

  /// All parameters and states.
  const std::deque<std::unique_ptr<TensorNode>> &tensors() const { return tensorNodes; }

private:
  template <typename T> auto &owned() {
    if constexpr (std::is_same_v<T, TensorNode>)
      return tensorNodes;
    else if constexpr (std::is_same_v<T, ArrayNode>)
      return arrayNodes;
    else if constexpr (std::is_same_v<T, AbsentNode>)
      return absentNodes;
    else
      return instances;
  }

  std::deque<std::unique_ptr<TensorNode>> tensorNodes;
  std::deque<std::unique_ptr<ArrayNode>> arrayNodes;
  std::deque<std::unique_ptr<AbsentNode>> absentNodes;
  std::deque<std::unique_ptr<Instance>> instances;
};

} // namespace quern::frontend

#endif // QUERN_FRONTEND_INSTANCES_H
