//===- GgufFamily.cpp - Which models a GGUF architecture stands for -------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/GgufFamily.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace quern::frontend;

/// What a row of GgufFamilies.def asks of files of its architecture.
using Condition = Expected<bool>(const GgufModel &);

namespace {

struct FamilyRow {
  StringLiteral architecture;
  StringLiteral modelType;
  Condition *holds;
};

} // namespace

static Expected<bool> isAny(const GgufModel &) { return true; }

static Expected<bool> isDense(const GgufModel &model) {
  Expected<std::optional<int64_t>> experts = model.getUniformInt("expert_count");
  if (!experts)
    return experts.takeError();
  return experts->value_or(0) == 0;
}

static Expected<bool> hasSharedExpert(const GgufModel &model) {
  Expected<std::optional<int64_t>> width = model.getUniformInt("expert_shared_feed_forward_length");
  if (!width)
    return width.takeError();
  return width->value_or(0) != 0;
}

/// Files that do not say how scores are made of the router's numbers have the
/// correction of a sigmoid's, or it is softmax.
static Expected<bool> hasSigmoidRouter(const GgufModel &model) {
  static constexpr StringLiteral name = "expert_gating_func";
  Expected<std::optional<int64_t>> function = model.getUniformInt(name);
  if (!function)
    return function.takeError();
  if (function->value_or(0) < 0 || function->value_or(0) > 2)
    return model.file.refuseKey(model.key(name), "found " + Twine(**function) + ", expected 1, softmax, or 2, sigmoid");
  bool isCorrected = llvm::any_of(model.file.tensors(), [](const StoredTensor &tensor) {
    StringRef layer, part;
    return splitLayer(tensor.name, layer, part) && part == "exp_probs_b.bias";
  });
  return function->value_or(0) == 0 ? isCorrected : **function == 2;
}

static const FamilyRow families[] = {
#define QUERN_GGUF_FAMILY(Family, architecture, modelType, condition) {architecture, modelType, condition},
#include "frontend/checkpoint/GgufFamilies.def"
};

Expected<std::optional<int64_t>> quern::frontend::getUniformInt(const GgufFile &file, StringRef key) {
  const GgufValue *value = file.find(key);
  std::optional<std::vector<int64_t>> list;
  if (value)
    list = value->asInts();
  if (!list)
    return file.getInt(key);
  if (list->empty() || !llvm::all_equal(*list))
    return file.refuseKey(key, "found " + StringRef(list->empty() ? "an empty list" : "a list of different numbers") +
                                   ", expected the same in every layer");
  return list->front();
}

Expected<std::optional<int64_t>> GgufModel::getUniformInt(StringRef name) const {
  return frontend::getUniformInt(file, key(name));
}

const StoredTensor *GgufModel::findTensor(StringRef name) const {
  ArrayRef<StoredTensor> tensors = file.tensors();
  auto found = llvm::find_if(tensors, [&](const StoredTensor &t) { return t.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

bool quern::frontend::splitLayer(StringRef name, StringRef &layer, StringRef &part) {
  if (!name.consume_front("blk."))
    return false;
  std::tie(layer, part) = name.split('.');
  return !layer.empty() && llvm::all_of(layer, llvm::isDigit);
}

static std::string listArchitectures() {
  std::vector<std::string> names;
  for (const FamilyRow &row : families)
    if (std::string name = inBackticks(row.architecture); !llvm::is_contained(names, name))
      names.push_back(std::move(name));
  return join(names, ", ");
}

Expected<GgufModel> quern::frontend::readFamily(const GgufFile &file) {
  Expected<std::optional<int64_t>> parts = file.getInt("split.count");
  if (!parts)
    return parts.takeError();
  if (parts->value_or(1) > 1)
    return file.refuseKey("split.count", "found one of " + Twine(**parts) +
                                             " parts of a model, expected a whole one; join them "
                                             "with `llama-gguf-split --merge`");
  static constexpr StringLiteral key = "general.architecture";
  Expected<std::optional<std::string>> name = file.getString(key);
  if (!name)
    return name.takeError();
  for (size_t i = 0; *name && i < std::size(families); ++i) {
    if (families[i].architecture != **name)
      continue;
    GgufModel model{file, 1u << i, families[i].modelType, **name};
    Expected<bool> holds = families[i].holds(model);
    if (!holds)
      return holds.takeError();
    if (*holds)
      return model;
  }
  return file.refuseKey(key, "found " + (*name ? inBackticks(**name) : "nothing") + ", expected one of " +
                                 listArchitectures());
}
