//===- Dot.cpp - modules as drawings -----------------------------------------------------------===//

#include "tools/driver/Dot.h"

#include "dialect/Dialect.h"
#include "dialect/Ops.h"
#include "dialect/Shapes.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace quern::tool {
namespace {

/// Draws one entry or program. Every node is a number, unique in the whole drawing.
class Drawing {
public:
  Drawing(llvm::raw_ostream &os, unsigned &lastNode) : os(os), lastNode(lastNode) {}

  void draw(FunctionOpInterface function);

private:
  /// A node with these lines of text; its number.
  unsigned addNode(llvm::ArrayRef<std::string> lines);
  void drawBlock(Block &block);
  /// A node that reads `inputs` and gives, or writes, `outputs`.
  void drawNode(llvm::StringRef name, ValueRange inputs, ValueRange outputs);
  void drawOp(Operation &op);
  void drawFused(FusedOp fused);
  /// Arrows from where `values` come from to `node`.
  void connect(ValueRange values, unsigned node);
  /// The names of those values that are parameters or states.
  std::string describeStored(ValueRange values) const;

  llvm::raw_ostream &os;
  unsigned &lastNode;
  /// The node that made each value, or wrote each buffer last.
  llvm::DenseMap<Value, unsigned> makers;
  /// Names of parameters and states.
  llvm::DenseMap<Value, std::string> stored;
  /// Drawn when the boxes are closed.
  std::string arrows;
};

} // namespace

/// `f32[s, 64]`
static std::string describeType(Type type) {
  if (auto buffer = dyn_cast<BufferType>(type))
    type = buffer.getTensor();
  auto tensor = dyn_cast<RankedTensorType>(type);
  std::string text;
  llvm::raw_string_ostream os(text);
  if (!tensor)
    os << type;
  else
    os << tensor.getElementType() << formatDims(getDims(tensor));
  return text;
}

static std::string quote(llvm::StringRef text) {
  std::string quoted;
  llvm::raw_string_ostream os(quoted);
  for (char c : text)
    os << (c == '"' || c == '\\' ? "\\" : "") << c;
  return quoted;
}

unsigned Drawing::addNode(llvm::ArrayRef<std::string> lines) {
  os << "    n" << ++lastNode << " [label=\"";
  llvm::interleave(lines, os, [&](const std::string &line) { os << quote(line); }, "\\n");
  os << "\"];\n";
  return lastNode;
}

void Drawing::connect(ValueRange values, unsigned node) {
  for (Value value : values)
    if (auto maker = makers.find(value); maker != makers.end())
      arrows += "    n" + std::to_string(maker->second) + " -> n" + std::to_string(node) + ";\n";
}

std::string Drawing::describeStored(ValueRange values) const {
  std::string names;
  for (Value value : values)
    if (auto name = stored.find(value); name != stored.end())
      names += (names.empty() ? "" : ", ") + name->second;
  return names;
}

void Drawing::drawFused(FusedOp fused) {
  os << "    subgraph cluster_n" << ++lastNode << " {\n    style=rounded;\n";
  Block &body = fused.getBody().front();
  drawBlock(body);
  os << "    }\n";
  for (auto [result, yielded] : llvm::zip_equal(fused.getResults(), body.getTerminator()->getOperands()))
    if (auto maker = makers.find(yielded); maker != makers.end())
      makers[result] = maker->second;
}

void Drawing::drawNode(llvm::StringRef name, ValueRange inputs, ValueRange outputs) {
  SmallVector<std::string> lines{name.str()};
  for (Value output : outputs)
    lines.push_back(describeType(output.getType()));
  if (std::string names = describeStored(inputs); !names.empty())
    lines.push_back(names);
  unsigned node = addNode(lines);
  connect(inputs, node);
  for (Value output : outputs)
    makers[output] = node;
}

void Drawing::drawOp(Operation &op) {
  auto call = dyn_cast<CallOp>(op);
  drawNode(call ? call.getKernel() : op.getName().stripDialect(), op.getOperands(), op.getResults());
}

void Drawing::drawBlock(Block &block) {
  for (Operation &op : block)
    llvm::TypeSwitch<Operation *>(&op)
        .Case<ParamOp, ParamBufferOp>([&](auto param) { stored[param.getResult()] = param.getParameter().str(); })
        .Case<StateRefOp, StateBufferOp>([&](auto state) { stored[state.getResult()] = state.getState().str(); })
        .Case<ArenaOp, YieldOp, EndOp>([](auto) {})
        .Case([&](AliasOp alias) {
          if (auto maker = makers.find(alias.getSource()); maker != makers.end())
            makers[alias.getResult()] = maker->second;
        })
        .Case([&](FusedOp fused) { drawFused(fused); })
        .Case([&](LaunchOp launch) { drawNode(launch.getKernel(), launch.getInputs(), launch.getOutputs()); })
        .Default([&](Operation *other) { drawOp(*other); });
}

void Drawing::draw(FunctionOpInterface function) {
  os << "  subgraph cluster_" << ++lastNode << " {\n    label=\"" << quote(function.getName()) << "\";\n";
  auto names = function->getAttrOfType<ArrayAttr>("arg_names");
  for (BlockArgument argument : function.getArguments()) {
    unsigned index = argument.getArgNumber();
    // A program's other arguments are its results.
    if (names && index < names.size())
      makers[argument] = addNode({cast<StringAttr>(names[index]).str(), describeType(argument.getType())});
  }
  drawBlock(function.getFunctionBody().front());
  os << arrows << "  }\n";
}

void printDot(ModuleOp module, llvm::raw_ostream &os) {
  os << "digraph quern {\n  node [shape=box];\n";
  unsigned lastNode = 0;
  for (auto function : module.getOps<FunctionOpInterface>())
    if (isa<EntryOp, ProgramOp>(function))
      Drawing(os, lastNode).draw(function);
  os << "}\n";
}

} // namespace quern::tool
