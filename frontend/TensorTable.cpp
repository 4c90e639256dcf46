//===- TensorTable.cpp - the agreement of a model with its checkpoint -------------------------===//

#include "frontend/TensorTable.h"
#include "frontend/Diagnostics.h"
#include "frontend/ElementNames.h"
#include "frontend/checkpoint/Checkpoint.h"
#include "frontend/checkpoint/StoredTensor.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace quern::frontend {

/// Tensors that files carry beside the weights, by the end of their names: nothing reads them.
static constexpr StringLiteral ignorable[] = {
    ".rotary_emb.inv_freq", // a table of rotary frequencies that older exports stored
    "rope_freqs.weight",    // the same in GGUF; wanted only where `rope_type` says "factors"
    ".num_batches_tracked", // how often a batch norm's statistics were updated in training
};

/// How many names one message lists.
static constexpr size_t maxNames = 10;

static std::string listNames(ArrayRef<std::string> names) {
  std::vector<std::string> quoted;
  for (StringRef name : names.take_front(maxNames))
    quoted.push_back(inBackticks(name));
  std::string text = join(quoted, ", ");
  if (names.size() > maxNames)
    text += " and " + std::to_string(names.size() - maxNames) + " more";
  return text;
}

/// The sizes in which `stored` and `expected`, of one rank, differ: found and wanted.
static std::vector<std::pair<std::string, std::string>> differences(ArrayRef<Extent> stored,
                                                                    ArrayRef<Extent> expected) {
  std::vector<std::pair<std::string, std::string>> result;
  if (stored.size() == expected.size())
    for (auto [found, wanted] : zip_equal(stored, expected))
      if (Extent::compare(found, wanted) == Equality::Different)
        result.push_back({found.str(), wanted.str()});
  return result;
}

void TensorTable::disagree(SourceRange place, SourceRange declaration, std::string key, std::string message,
                           StringRef name) {
  auto [it, isNew] = groupIndex.try_emplace({place.Start.getPointer(), std::move(key)}, groups.size());
  if (isNew)
    groups.push_back({place, declaration, std::move(message), {}, {}});
  groups[it->second].names.push_back(name.str());
}

mlir::Type TensorTable::require(StringRef name, ArrayRef<Extent> shape, SourceRange place, SourceRange declaration) {
  accepted.insert(name);
  if (!checkpoint)
    return mlir::Float32Type::get(context);
  const TensorInfo *tensor = checkpoint->lookup(name);
  ++wanted;
  if (tensor)
    accepted.insert_range(tensor->parts);
  if (!tensor) {
    disagree(place, declaration, "missing", "", name);
    return {};
  }
  Shape stored;
  for (int64_t dim : tensor->shape)
    stored.push_back(Extent(dim));
  if (compareShapes(stored, shape) == Equality::Different) {
    std::string found = formatShape(stored), expected = formatShape(shape);
    disagree(
        place, declaration, "shape " + found + expected,
        ("has shape " + Twine(found) + " in `" + checkpoint->sourceFile(*tensor) + "`; the model expects " + expected)
            .str(),
        name);
    Group &group = groups[groupIndex.at({place.Start.getPointer(), "shape " + found + expected})];
    group.differences = differences(stored, shape);
    return {};
  }
  mlir::Type element = elementOf(tensor->type, context);
  if (!element)
    disagree(place, declaration, "type " + getTraits(tensor->type).name.str(),
             "is stored as `" + getTraits(tensor->type).name.str() + "`; expected floats or quantised blocks", name);
  return element;
}

mlir::Type TensorTable::elementOfAccepted(StringRef name) const {
  if (!checkpoint)
    return mlir::Float32Type::get(context);
  const TensorInfo *tensor = checkpoint->lookup(name);
  return tensor ? elementOf(tensor->type, context) : mlir::Type();
}

std::vector<std::string> TensorTable::surplus() const {
  std::vector<std::string> names;
  for (const TensorInfo &tensor : checkpoint->tensors()) {
    StringRef name = tensor.name;
    bool isKnown = accepted.contains(name) || any_of(ignorable, [&](StringRef end) { return name.ends_with(end); });
    if (!isKnown)
      names.push_back(tensor.name);
  }
  return names;
}

void TensorTable::mergeCauses() {
  std::map<std::pair<std::string, std::string>, size_t> causes;
  std::vector<Group> merged;
  for (Group &group : groups) {
    auto known = find_if(group.differences, [&](const auto &pair) { return causes.contains(pair); });
    size_t target = known == group.differences.end() ? merged.size() : causes[*known];
    for (const auto &pair : group.differences)
      causes.try_emplace(pair, target);
    if (target == merged.size())
      merged.push_back(std::move(group));
    else
      append_range(merged[target].names, group.names);
  }
  groups = std::move(merged);
}

bool TensorTable::reportForeign(SourceRange root) {
  size_t missing = 0;
  std::vector<std::string> names;
  for (const Group &group : groups)
    if (group.message.empty()) {
      missing += group.names.size();
      append_range(names, group.names);
    }
  if (missing < 2 || missing != wanted)
    return false;
  names.resize(std::min<size_t>(names.size(), 3));
  std::vector<std::string> own = surplus();
  own.resize(std::min<size_t>(own.size(), 3));
  diagnostics.error(root, "the checkpoint has none of the " + Twine(missing) + " tensors of the model, such as " +
                              listNames(names) + (own.empty() ? "" : "; its own are such as " + listNames(own)));
  return true;
}

void TensorTable::report(SourceRange root, bool knowsAll) {
  if (checkpoint && reportForeign(root))
    return;
  mergeCauses();
  for (const Group &group : groups) {
    std::string message;
    if (group.message.empty())
      message = "the checkpoint lacks " + listNames(group.names);
    else
      message = "tensor " + inBackticks(group.names.front()) + " " + group.message;
    Diagnostic &error = diagnostics.error(group.place, message);
    if (group.declaration.isValid())
      error.note(group.declaration, "the tensor is declared here");
    if (!group.message.empty() && group.names.size() > 1)
      error.note({}, "likewise " + listNames(ArrayRef(group.names).drop_front()));
  }
  groups.clear();
  groupIndex.clear();
  if (!checkpoint || !knowsAll)
    return;
  std::vector<std::string> names = surplus();
  if (!names.empty())
    diagnostics.error(root, "the checkpoint has " + Twine(names.size()) + (names.size() == 1 ? " tensor" : " tensors") +
                                " that the model does not: " + listNames(names));
}

} // namespace quern::frontend
