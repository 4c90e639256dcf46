//===- Elaborator.h - evaluates a program into a graph ----------------------------------------===//
//
// Evaluation is inlining: a call evaluates the callee's body with its parameters bound, a loop its
// body once per element. What is static is computed, what is a tensor is emitted. Values of
// configurations that are not known stay symbolic, and then nothing is emitted.
//===------------------------------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_ELABORATOR_H
#define QUERN_FRONTEND_ELABORATOR_H

#include "frontend/Budget.h"
#include "frontend/Builtins.h"
#include "frontend/Diagnostics.h"
#include "frontend/Frontend.h"
#include "frontend/Instances.h"
#include "frontend/Program.h"
#include "frontend/Routing.h"
#include "frontend/TensorTable.h"

#include <deque>

namespace quern::frontend {

/// How deep expressions and statements may nest through calls; the stack holds this with room to spare.
inline constexpr unsigned maxEvaluationDepth = 800;

/// How many ties and views may lead from a tensor to the one that holds its values.
inline constexpr unsigned maxTieLength = 64;

/// Where an expression is evaluated.
struct Frame {
  /// The module instance around it; null at file level and in free functions.
  Instance *self = nullptr;
  /// Null outside of a function.
  const FunctionDecl *function = nullptr;
  /// Parameters, symbolic dimensions and variables.
  llvm::StringMap<Value> locals = {};
  /// What `..` stands for in the signature; nothing where it is not in it.
  std::optional<Shape> rest = {};
  /// Set once the function returned.
  std::optional<Value> returned = {};
  /// Set where a statement of the function was lost to a syntax error, perhaps its `return`.
  bool isPartial = false;
  /// What it returned, as it is written; null for nothing.
  const Expr *returnedFrom = nullptr;
};

/// What a loop runs over: a range, or the elements of `list`.
struct LoopElements {
  size_t size;
  /// Where a range begins.
  Extent begin;
  SourceRange origin;
  std::shared_ptr<const std::vector<Value>> list = {};
  /// How many there are is not known; `size` is 1.
  bool isOpen = false;

  Value at(size_t i) const {
    return list ? (*list)[i] : Value(i ? Extent(*begin.constant() + int64_t(i)) : begin, origin);
  }
};

/// One argument of a call of a function or module.
struct CallArgument {
  Identifier name;
  Value value;
  SourceRange place;
};

/// Evaluates modules, functions and expressions of one program.
class Elaborator {
public:
  /// `isLoose`: parameters and settings are whatever they could be, so that no requirement is held
  /// against them.
  Elaborator(const Program &program, const ModelInputs &inputs, const FrontendOptions &options, Emitter &emitter,
             Budget &budget, DiagnosticEngine &diagnostics, bool isLoose = false);

  /// Reads every configuration field and checks the requirements of the files; failure where one does not hold for the
  /// configuration that is given.
  mlir::LogicalResult readConfig();
  /// Elaborates `root`, holds it against the checkpoint and emits its entries.
  void runRoot(const ModuleDecl &root);
  /// Checks `module` on its own, its parameters unknown. Only while nothing is emitted.
  void checkModule(const ModuleDecl &module);
  /// Checks a free function in the same way.
  void checkFunction(const FunctionDecl &function, Instance *self);
  /// Whether some instance of `module` was elaborated.
  bool wasReached(const ModuleDecl &module) const { return reached.contains(&module); }

private:
  //===- Static tree (ElaborateTree.cpp) -----------------------------------------------------===//
  /// Pays for one more node of the tree, which is called `path`; false when that takes too much.
  bool payMember(SourceRange place, llvm::StringRef path);
  Instance *instantiate(const ModuleDecl &module, std::string path, const MemberDecl *member, SourceRange place,
                        llvm::StringMap<Value> arguments);
  Node *buildMember(Instance &owner, const MemberDecl &member);
  /// The last part of a path: what `named` says, else `part`; nothing after an error.
  std::optional<std::string> namePart(const MemberClauses &clauses, std::string part, Frame &frame);
  /// The nodes of one type of a member; `frame` holds its owner and the variables of the arrays around.
  Node *buildNode(Frame &frame, const MemberDecl &member, const TypeExpr &type, std::string path, SourceRange place);
  Node *buildTensor(Frame &frame, const MemberDecl &member, const TensorType &type, std::string path,
                    SourceRange place);
  Node *buildArray(Frame &frame, const MemberDecl &member, const ArrayType &type, std::string path, SourceRange place);
  Node *buildForArray(Frame &frame, const MemberDecl &member, const ForArrayType &type, std::string path,
                      SourceRange place);
  /// An array of `size` elements; `build` makes the one at an index.
  Node *buildElements(const MemberDecl &member, std::string path, SourceRange place, size_t size, bool isOpen,
                      llvm::function_ref<Node *(size_t, llvm::StringRef)> build);
  Node *buildInstance(Frame &frame, const MemberDecl &member, const NamedType &type, std::string path,
                      SourceRange place);
  /// Gives the variables of an array's `for` what they are in its element `i`.
  bool bindElement(const ForArrayType &type, const LoopElements &elements, size_t i, Frame &frame);
  void linkMember(Instance &owner, const MemberDecl &member, Node &node);
  /// Ties and views of `node`, and of the elements of the array that it is by `type`.
  void linkNode(Frame &frame, const MemberClauses &clauses, const TypeExpr &type, Node &node);
  void linkElements(Frame &frame, const TypeExpr &type, Node &node);
  /// Whether `node` may be tied to `target`, or a view of it; reports a circle or a long way.
  bool canLead(const TensorNode &node, const TensorNode &target, SourceRange place);
  /// Stops at a tensor whose values are too many ties and views away.
  Value failTieLength(llvm::StringRef path, SourceRange place);
  void tie(Node &node, const Node &target, SourceRange place);
  void start(Node &node, const Node &target, SourceRange place);
  /// The value of a state; the first time it is read it is declared.
  Value stateValue(const TensorNode &state, SourceRange place);
  void view(Frame &frame, Node &node, const Node &target, const IndexExpr &part);
  void viewTensor(Frame &frame, TensorNode &node, const TensorNode &target, const IndexExpr &part);
  /// The node that `expr`, a path of members and indices, names; reports others.
  Node *resolveNode(const Expr &expr, Frame &frame);
  Node *memberNode(Instance &instance, llvm::StringRef name);
  bool bindParameters(const ModuleDecl &module, llvm::ArrayRef<Argument> arguments, Frame &caller, SourceRange place,
                      llvm::StringMap<Value> &bound);
  void requireTensors();

  //===- Entries (ElaborateEntry.cpp) --------------------------------------------------------===//
  void emitEntry(const FunctionDecl &entry, Instance &root);
  bool bindEntryParameters(const FunctionDecl &entry, Frame &frame, mlir::Block *body);
  std::optional<Tensor> entryTensor(const Parameter &parameter, Frame &frame, mlir::Block *body);
  mlir::ArrayAttr resultNames(const Frame &frame, size_t count);
  bool isInterfaceElement(mlir::Type element, SourceRange place);
  mlir::DictionaryAttr entryBounds(const FunctionDecl &entry, Frame &frame);
  void bindUnknown(const FunctionDecl &function, Frame &frame);
  std::optional<Value> unknownArgument(const TypeExpr &type, llvm::StringRef name, Frame &frame);

  //===- Functions and statements (ElaborateFunction.cpp) ------------------------------------===//
  Value callFunction(const FunctionDecl &function, Instance *self, llvm::ArrayRef<CallArgument> arguments,
                     SourceRange range, llvm::StringRef name);
  bool bindArguments(const FunctionDecl &function, Frame &frame, llvm::ArrayRef<CallArgument> arguments,
                     SourceRange range, llvm::StringRef name);
  bool bindArgument(const Parameter &parameter, Frame &frame, const Value &value, SourceRange place,
                    llvm::StringRef callee);
  void runBlock(const Block &block, Frame &frame);
  void runStatement(const Stmt &stmt, Frame &frame);
  void runAssign(const AssignStmt &stmt, Frame &frame);
  void runIf(const IfStmt &stmt, Frame &frame);
  void runFor(const ForStmt &stmt, Frame &frame);
  /// Checks both branches where the condition is not known.
  void runBothBranches(const IfStmt &stmt, Frame &frame);
  /// Reports a requirement that does not hold, `of` where one is given; false where it did.
  bool checkRequirement(const Requirement &requirement, SourceRange range, Frame &frame, llvm::StringRef of = "");
  Value finishFunction(const FunctionDecl &function, Frame &frame, SourceRange range);
  /// A value of the declared result `type`, for what follows a call with an error; poison where the
  /// type alone does not say.
  Value assumeResult(const TypeExpr &type, Frame &frame, SourceRange place);
  bool isSettled(const Expr &dim, const Frame &frame) const;
  /// Holds `value` against the declared result `type`.
  Value checkResult(const TypeExpr &type, const Value &value, Frame &frame, SourceRange place);
  /// The elements that a loop runs over; nothing after an error.
  std::optional<LoopElements> iterate(const Expr &iterable, Frame &frame);
  std::optional<LoopElements> iterateRange(const RangeExpr &range, Frame &frame);
  bool bindLoop(llvm::ArrayRef<Identifier> variables, const Value &element, SourceRange place, Frame &frame);

  //===- Expressions (ElaborateExpr.cpp) -----------------------------------------------------===//
  Value evaluate(const Expr &expr, Frame &frame);
  Value evaluateInner(const Expr &expr, Frame &frame);
  Value evaluateString(const StringExpr &expr, Frame &frame);
  Value evaluateMember(const MemberExpr &expr, Frame &frame);
  Value evaluateIndex(const IndexExpr &expr, Frame &frame);
  Value evaluateSequence(llvm::ArrayRef<Expr *> elements, bool isList, SourceRange range, Frame &frame);
  Value evaluateIf(const IfExpr &expr, Frame &frame);
  Value evaluateFor(const ForExpr &expr, Frame &frame);
  Value evaluateReshape(const ReshapeExpr &expr, Frame &frame);
  Value evaluateUnary(const UnaryExpr &expr, Frame &frame);
  Value evaluateBinary(const BinaryExpr &expr, Frame &frame);
  Value sliceAxes(const Value &base, const IndexExpr &expr, Frame &frame);
  /// The subscripts of `expr`, one per axis of `shape`; nothing after an error.
  std::optional<llvm::SmallVector<AxisSubscript, 4>> resolveSubscripts(const IndexExpr &expr, const Tensor &tensor,
                                                                       Frame &frame);
  /// `expr` as an integer, as a known integer, as a truth value; reports others. A truth value that
  /// is not known is nothing inside.
  std::optional<Extent> asExtent(const Value &value, SourceRange place, llvm::StringRef what);
  std::optional<Extent> evaluateExtent(const Expr &expr, Frame &frame, llvm::StringRef what);
  std::optional<int64_t> evaluateInteger(const Expr &expr, Frame &frame, llvm::StringRef what);
  std::optional<std::optional<bool>> evaluateCondition(const Expr &expr, Frame &frame);

  //===- Names (ElaborateName.cpp) -----------------------------------------------------------===//
  /// What `name` means in `frame`; nothing where it means nothing.
  std::optional<Value> lookUp(llvm::StringRef name, SourceRange place, Frame &frame);
  bool isBound(llvm::StringRef name, const Frame &frame) const;
  Value evaluateName(const NameExpr &expr, Frame &frame);
  Value nodeValue(Node &node, SourceRange place);
  Value tensorValue(const TensorNode &node, SourceRange place);
  Value constantValue(ConstantSlot &slot, const ConstantDecl &decl, llvm::StringRef parameter, Frame &frame,
                      SourceRange place);
  Value configValue(llvm::StringRef key, SourceRange place);
  Value readConfigField(const ConfigEntry &entry);
  Value unknownName(llvm::StringRef name, SourceRange place, const Frame &frame);

  //===- Calls (ElaborateCall.cpp) -----------------------------------------------------------===//
  Value evaluateCall(const CallExpr &expr, Frame &frame);
  std::optional<llvm::SmallVector<CallArgument>> evaluateArguments(const CallExpr &expr, Frame &frame);
  Value callBuiltin(const Builtin &builtin, const CallExpr &expr, Frame &frame);
  /// Reports that `base`, the root module of the base, lacks the method that `expr` calls.
  Value failBaseMethod(const ModuleDecl &base, const MemberExpr &method, const CallExpr &expr, Frame &frame);
  Value callInstance(const Value &callee, const CallExpr &expr, Frame &frame);

  //===- Elements that rows choose (ElaborateRouting.cpp) ------------------------------------===//
  /// `array[chosen]`, `chosen` a tensor.
  Value chooseElements(ArrayNode &array, const Value &chosen, SourceRange place);
  /// Finds what stands in the place of each tensor of the first of `nodes` in the others; reports what is not alike.
  bool collectPeers(Routing &routing, llvm::ArrayRef<const Node *> nodes, SourceRange place);
  std::optional<Value> spreadArgument(const Routing &choice, const CallArgument &argument);
  Value callChosen(const ChosenModule &chosen, const FunctionDecl &call, llvm::ArrayRef<CallArgument> arguments,
                   SourceRange range);
  /// The value of `node`, a tensor of the first element, for the elements that rows choose.
  Value chosenTensor(const TensorNode &node, llvm::ArrayRef<const TensorNode *> peers, SourceRange place);
  /// The tensors of `peers`, one behind the other.
  Value stack(llvm::ArrayRef<const TensorNode *> peers, SourceRange place);

  //===- Shapes (Unify.cpp) ------------------------------------------------------------------===//
  enum class Match { Yes, No, Error };
  /// Holds `tensor` against `type`. Names that mean nothing yet are bound to dimensions where
  /// `bindsNames`, and an error otherwise. `expected` tells the type with all that is known of it.
  Match matchTensor(const TensorType &type, const Tensor &tensor, Frame &frame, bool bindsNames, std::string &expected);
  Match bindDims(llvm::ArrayRef<Expr *> pattern, llvm::ArrayRef<Extent> shape, Frame &frame);
  Match compareDims(llvm::ArrayRef<Expr *> pattern, llvm::ArrayRef<Extent> shape, Frame &frame);
  bool checkNewName(const NameExpr &name, Frame &frame);
  std::string describePattern(const TensorType &type, Frame &frame);

  //===- Shared
  //--------------------------------------------------------------------------------===//
  Value fail(SourceRange place, const llvm::Twine &message);
  /// Reports an error after which nothing more is evaluated.
  Value stop(SourceRange place, const llvm::Twine &message);
  /// Pays for `value`, a new list or string at `place`; poison when that takes too much.
  Value pay(Value value, SourceRange place);
  llvm::StringRef textOf(SourceRange range) const;

  const Program &program;
  ModelInputs inputs;
  const FrontendOptions &options;
  Emitter &emitter;
  Budget &budget;
  DiagnosticEngine &diagnostics;
  TensorTable table;
  bool isLoose;
  InstanceTree tree;
  llvm::StringMap<ConstantSlot> constants;
  llvm::StringMap<ConstantSlot> config;
  llvm::DenseSet<const ModuleDecl *> reached;
  /// Functions and modules that were found to lead to themselves.
  llvm::DenseSet<const Decl *> endless;
  /// Of all constants.
  int64_t tableElements = 0;
  std::deque<Routing> routings;
  /// The choice whose elements are being called; null outside of such a call.
  const Routing *routing = nullptr;
  /// The parameters that hold the tensors of all elements, by that of the first, and their values.
  llvm::DenseMap<const TensorNode *, std::pair<std::string, Value>> stacks;
  unsigned instanceDepth = 0, callDepth = 0, evaluationDepth = 0;
};

} // namespace quern::frontend

#endif // QUERN_FRONTEND_ELABORATOR_H
