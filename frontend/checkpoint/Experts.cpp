//===- Experts.cpp - Weights of experts, stacked or each by itself --------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/Experts.h"

#include "frontend/checkpoint/ComputedRows.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <map>

using namespace llvm;
using namespace quern::frontend;

namespace {

enum class Form { Stacked, Joined, Renamed };

/// A row of Experts.def.
struct HolderRow {
  Form form;
  StringLiteral modelType;
  StringLiteral stored;
  /// One name, or two for halves.
  StringLiteral huggingFace, second = "";
};

/// The matrices of experts, one after the other.
class StackRows final : public ComputedRows {
public:
  StackRows(ArrayRef<const TensorInfo *> experts, function_ref<ArrayRef<uint8_t>(const TensorInfo &)> bytesOf) {
    for (const TensorInfo *expert : experts)
      parts.push_back({expert->computed, expert->computed ? ArrayRef<uint8_t>() : bytesOf(*expert)});
    rows = experts.front()->rows();
  }

  void compute(int64_t expert, MutableArrayRef<uint8_t> bytes) const override {
    const Part &part = parts[expert];
    if (!part.computed) {
      llvm::copy(part.stored, bytes.begin());
      return;
    }
    int64_t groups = rows / part.computed->groupRows(), size = bytes.size() / groups;
    for (int64_t group = 0; group < groups; ++group)
      part.computed->compute(group, bytes.slice(group * size, size));
  }

private:
  /// What computes an expert's rows, or where they lie.
  struct Part {
    std::shared_ptr<const ComputedRows> computed;
    ArrayRef<uint8_t> stored;
  };
  std::vector<Part> parts;
  int64_t rows;
};

/// The experts' tensors of one name, but for their numbers.
struct ExpertGroup {
  /// By number.
  std::map<uint64_t, std::pair<const MountedFile *, const StoredTensor *>> experts;
};

} // namespace

static constexpr HolderRow rows[] = {
#define QUERN_STACKED(modelType, stored, ...) {Form::Stacked, modelType, stored, __VA_ARGS__},
#define QUERN_JOINED(modelType, stored, ...) {Form::Joined, modelType, stored, __VA_ARGS__},
#define QUERN_RENAMED(modelType, stored, huggingFace) {Form::Renamed, modelType, stored, huggingFace},
#include "frontend/checkpoint/Experts.def"
};

/// `pattern` with the number of an expert in place of its `*`, if it has one.
static std::string nameExpert(StringRef pattern, uint64_t expert) {
  auto [before, after] = pattern.split('*');
  return pattern.contains('*') ? (before + Twine(expert) + after).str() : pattern.str();
}

Expected<std::vector<StoredTensor>> quern::frontend::splitStack(const StoredTensor &stack,
                                                                ArrayRef<std::string> names) {
  int64_t parts = names.size();
  if (stack.shape.size() != 3)
    return refuse("found shape " + printShape(stack.shape) + ", expected 3 dimensions, of experts and their matrices");
  int64_t experts = stack.shape[0], rows = stack.shape[1] / parts;
  if (experts > maxExperts)
    return refuse("found shape " + printShape(stack.shape) + ", expected at most " + Twine(maxExperts) + " experts");
  if (stack.shape[1] % parts != 0)
    return refuse("found shape " + printShape(stack.shape) + ", expected an even number of rows, the halves of two " +
                  "matrices");
  uint64_t bytes = stack.bytes / uint64_t(experts * parts);
  std::vector<StoredTensor> result;
  result.reserve(experts * parts);
  for (int64_t expert = 0; expert < experts; ++expert)
    for (auto [part, name] : enumerate(names)) {
      StoredTensor matrix = stack;
      matrix.name = nameExpert(name, expert);
      matrix.shape = {rows, stack.shape[2]};
      matrix.offset = stack.offset + (expert * parts + part) * bytes;
      matrix.bytes = bytes;
      result.push_back(std::move(matrix));
    }
  return result;
}

static const HolderRow *findRow(StringRef modelType, StringRef name) {
  auto found = llvm::find_if(
      rows, [&](const HolderRow &row) { return row.modelType == modelType && name.ends_with(row.stored); });
  return found == std::end(rows) ? nullptr : found;
}

/// What the tensor that `row` is about holds; an error does not name it.
static Expected<std::vector<StoredTensor>> takeApart(const HolderRow &row, const StoredTensor &tensor, StringRef suffix,
                                                     const Fp8Format &format) {
  std::string prefix = StringRef(tensor.name).drop_back(row.stored.size() + suffix.size()).str();
  SmallVector<std::string, 2> names;
  for (StringRef name : {StringRef(row.huggingFace), StringRef(row.second)})
    if (!name.empty())
      names.push_back((prefix + name + suffix).str());
  StoredTensor stack = tensor;
  if (row.form == Form::Renamed) {
    stack.name = names.front();
    return std::vector<StoredTensor>{std::move(stack)};
  }
  if (row.form == Form::Joined) {
    if (tensor.shape.size() != 2)
      return refuse("found shape " + printShape(tensor.shape) + ", expected 2 dimensions");
    stack.shape.insert(stack.shape.begin(), 1);
  }
  Expected<std::vector<StoredTensor>> parts = splitStack(stack, names);
  // A block of scales lies in one matrix.
  if (parts && tensor.type == StorageType::F8_E4M3 && names.size() > 1 &&
      parts->front().shape.front() % format.blockRows != 0)
    return refuse("found shape " + printShape(tensor.shape) + ", expected halves of a multiple of the " +
                  Twine(format.blockRows) + " rows of a block");
  return parts;
}

Error quern::frontend::splitStacks(std::vector<MountedFile> &files, const ModelConfig &config,
                                   const Fp8Format &format) {
  const ConfigValue *type = config.find("model_type");
  if (!type || !type->asString())
    return Error::success();
  for (MountedFile &file : files) {
    std::vector<StoredTensor> result;
    result.reserve(file.tensors.size());
    for (StoredTensor &tensor : file.tensors) {
      StringRef name = tensor.name, suffix = name.consume_back(fp8ScaleSuffix) ? fp8ScaleSuffix : StringLiteral("");
      const HolderRow *row = findRow(*type->asString(), name);
      if (!row) {
        result.push_back(std::move(tensor));
        continue;
      }
      Expected<std::vector<StoredTensor>> parts = takeApart(*row, tensor, suffix, format);
      if (!parts)
        return refuse("`" + file.file->path() + "`: tensor " + inBackticks(tensor.name) + ": " +
                      toString(parts.takeError()));
      llvm::append_range(result, std::move(*parts));
    }
    file.tensors = std::move(result);
  }
  return Error::success();
}

/// `a.experts.E.b` to `a.experts.*.b` and E; none of other names.
static std::optional<std::pair<std::string, uint64_t>> splitExpert(StringRef name) {
  static constexpr StringLiteral folder = ".experts.";
  size_t at = name.rfind(folder);
  if (at == StringRef::npos)
    return std::nullopt;
  StringRef before = name.take_front(at + folder.size());
  auto [number, after] = name.drop_front(before.size()).split('.');
  uint64_t expert;
  if (after.empty() || number.getAsInteger(10, expert))
    return std::nullopt;
  return std::pair((before + "*." + after).str(), expert);
}

/// The number of experts that `config` says, by any of its names, and that name.
static std::optional<std::pair<StringRef, int64_t>> findExpertCount(const ModelConfig &config) {
  for (StringRef key : {"num_local_experts", "num_experts", "n_routed_experts"})
    if (const ConfigValue *value = config.find(key); value && value->asInt() && *value->asInt() > 0)
      return std::pair(key, *value->asInt());
  return std::nullopt;
}

/// Refuses a group with a hole, or of which one differs from the first.
static Error checkGroup(StringRef pattern, const ExpertGroup &group, const ModelConfig &config) {
  auto count = findExpertCount(config);
  uint64_t expected = count ? count->second : group.experts.rbegin()->first + 1;
  std::string byConfig =
      count ? (" of the " + Twine(expected) + " experts of `" + config.fileKey(count->first) + "`").str() : "";
  auto [firstFile, first] = group.experts.begin()->second;
  for (const auto &[expert, place] : group.experts) {
    auto [file, tensor] = place;
    std::string label = ("`" + file->file->path() + "`: tensor " + inBackticks(tensor->name) + ": ").str();
    if (expert >= expected)
      return refuse(label + "found expert " + Twine(expert) + ", expected one" + byConfig);
    if (tensor->shape != first->shape || tensor->type != first->type)
      return refuse(label + "found " + getTraits(tensor->type).name + " of shape " + printShape(tensor->shape) +
                    ", expected " + getTraits(first->type).name + " of shape " + printShape(first->shape) + " as " +
                    inBackticks(first->name) + " is");
  }
  for (uint64_t expert = 0; expert < expected && group.experts.size() < expected; ++expert)
    if (!group.experts.count(expert))
      return refuse("`" + firstFile->file->path() + "`: found no tensor " + inBackticks(nameExpert(pattern, expert)) +
                    " beside " + inBackticks(first->name) + ", expected one" + (count ? byConfig : " of every expert"));
  return Error::success();
}

Error quern::frontend::checkExperts(const std::vector<MountedFile> &files, const ModelConfig &config) {
  std::map<std::string, ExpertGroup> groups;
  for (const MountedFile &file : files)
    for (const StoredTensor &tensor : file.tensors)
      if (auto split = splitExpert(tensor.name))
        groups[split->first].experts.try_emplace(split->second, &file, &tensor);
  for (const auto &[pattern, group] : groups)
    if (Error error = checkGroup(pattern, group, config))
      return error;
  return Error::success();
}

/// Whether the experts follow each other in a file.
static bool areTogether(ArrayRef<const TensorInfo *> experts, uint64_t bytes) {
  for (size_t i = 0; i < experts.size(); ++i) {
    const TensorInfo &expert = *experts[i];
    if (expert.computed || expert.file != experts[0]->file || expert.offset != experts[0]->offset + i * bytes)
      return false;
  }
  return true;
}

std::vector<TensorInfo> quern::frontend::makeStacks(ArrayRef<TensorInfo> tensors,
                                                    function_ref<ArrayRef<uint8_t>(const TensorInfo &)> bytesOf) {
  std::map<std::string, std::map<uint64_t, const TensorInfo *>> groups;
  for (const TensorInfo &tensor : tensors)
    if (auto split = splitExpert(tensor.name))
      groups[split->first].emplace(split->second, &tensor);
  std::vector<TensorInfo> stacks;
  for (const auto &[pattern, group] : groups) {
    auto experts = llvm::to_vector(llvm::make_second_range(group));
    TensorInfo stack = *experts.front();
    auto isLike = [&](const TensorInfo *expert) {
      return expert->shape == stack.shape && expert->type == stack.type && expert->interleavedHeads == 0;
    };
    if (group.rbegin()->first + 1 != group.size() || stack.shape.size() >= maxRank || !llvm::all_of(experts, isLike))
      continue;
    const StorageTraits &traits = getTraits(stack.type);
    if (!areTogether(experts, stack.elements() / traits.unitElements * traits.unitBytes))
      stack.computed = std::make_shared<StackRows>(experts, bytesOf);
    stack.name = pattern;
    stack.shape.insert(stack.shape.begin(), experts.size());
    for (const TensorInfo *expert : experts)
      stack.parts.push_back(expert->name);
    stacks.push_back(std::move(stack));
  }
  return stacks;
}
