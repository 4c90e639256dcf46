//===- GgufTensors.cpp - Tensors of GGUF files under Hugging Face names ---===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/Experts.h"
#include "frontend/checkpoint/GgufFamily.h"
#include "frontend/checkpoint/GgufModel.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace quern::frontend;
using namespace quern::frontend::gguf_families;

namespace {

/// How a row of GgufFamilies.def has its tensor stored.
enum class Form { Global, Layer, LayerTensor, LayerRow, Stack };

/// A row of GgufFamilies.def.
struct TensorRow {
  uint32_t families;
  Form form;
  StringLiteral gguf;
  /// One name, or two for the halves of a stack's matrices.
  StringLiteral huggingFace, second = "";
  /// The metadata key of the number of interleaved heads, or "".
  StringLiteral heads = "";
};

/// What a stored name means.
struct Translation {
  /// Null for names that the family does not know.
  const TensorRow *row = nullptr;
  /// Hugging Face names; a stack's with `*` for the expert's number.
  SmallVector<std::string, 2> names;
};

} // namespace

static constexpr TensorRow rows[] = {
#define QUERN_GGUF_MODULE(families, gguf, huggingFace) {families, Form::Global, gguf, huggingFace},
#define QUERN_GGUF_LAYER_MODULE(families, gguf, huggingFace, heads)                                                    \
  {families, Form::Layer, gguf, huggingFace, "", heads},
#define QUERN_GGUF_LAYER_TENSOR(families, gguf, huggingFace) {families, Form::LayerTensor, gguf, huggingFace},
#define QUERN_GGUF_LAYER_ROW(families, gguf, huggingFace) {families, Form::LayerRow, gguf, huggingFace},
#define QUERN_GGUF_STACK(families, gguf, ...) {families, Form::Stack, gguf, __VA_ARGS__},
#include "frontend/checkpoint/GgufFamilies.def"
};

/// Whether `part` is `pattern`, in which a `*` at the end stands for `number`.
static bool matches(StringRef part, StringRef pattern, StringRef &number) {
  if (!pattern.consume_back("*"))
    return part == pattern;
  number = part.substr(pattern.size());
  return part.starts_with(pattern) && !number.empty() && llvm::all_of(number, llvm::isDigit);
}

/// The names that `row` gives the tensor `stored`; none if it is another's.
static SmallVector<std::string, 2> applyRow(const TensorRow &row, StringRef stored) {
  StringRef layer, part = stored, number;
  if (row.form != Form::Global && !splitLayer(stored, layer, part))
    return {};
  std::string prefix = row.form == Form::Global ? "" : ("model.layers." + layer + ".").str();
  if (row.form == Form::LayerTensor)
    return part == row.gguf ? SmallVector<std::string, 2>{prefix + row.huggingFace.str()}
                            : SmallVector<std::string, 2>();
  auto [module, kind] = part.rsplit('.');
  bool isKind = kind == "weight" || (kind == "bias" && row.form != Form::Stack && row.form != Form::LayerRow);
  if (!isKind || !matches(module, row.gguf, number))
    return {};
  SmallVector<std::string, 2> names;
  for (StringRef name : {StringRef(row.huggingFace), StringRef(row.second)}) {
    auto [before, after] = name.split('*');
    bool hasNumber = !number.empty() && name.contains('*');
    if (!name.empty())
      names.push_back(prefix + (hasNumber ? before + number + after : name).str() + "." + kind.str());
  }
  return names;
}

static Translation translate(const GgufModel &model, StringRef stored) {
  for (const TensorRow &row : rows) {
    if (!model.isOf(row.families))
      continue;
    if (SmallVector<std::string, 2> names = applyRow(row, stored); !names.empty())
      return {&row, std::move(names)};
  }
  return {};
}

/// The number of heads under `name` if the rows of `tensor` can be theirs.
static Expected<int64_t> headsOf(const GgufModel &model, StringRef name, const StoredTensor &tensor) {
  std::string key = model.key(name);
  Expected<std::optional<int64_t>> heads = model.getUniformInt(name);
  if (!heads)
    return heads.takeError();
  if (!*heads && name == "attention.head_count_kv")
    return headsOf(model, "attention.head_count", tensor);
  if (!*heads)
    return model.file.refuseKey(key, "found nothing, expected a number of heads");
  int64_t count = **heads, rows = tensor.shape.front();
  if (count < 1 || rows % count != 0 || rows / count % 2 != 0)
    return model.file.refuseKey(key, "found " + Twine(count) + ", expected heads of an even number of " +
                                         "rows among the " + Twine(rows) + " of tensor " + inBackticks(tensor.name));
  if (tensor.shape.size() > 2)
    return refuse("`" + model.file.path() + "`: tensor " + inBackticks(tensor.name) + ": found shape " +
                  printShape(tensor.shape) + ", expected 1 or 2 dimensions");
  return count;
}

/// The matrices of a stack of experts, appended to `result`.
static Error appendStack(const GgufModel &model, StoredTensor tensor, ArrayRef<std::string> names,
                         std::vector<StoredTensor> &result) {
  Expected<std::optional<int64_t>> experts = model.getUniformInt("expert_count");
  if (!experts)
    return experts.takeError();
  std::string label = "`" + model.file.path().str() + "`: tensor " + inBackticks(tensor.name) + ": ";
  // Writers leave out extents of 1.
  if (*experts == 1 && tensor.shape.size() == 2)
    tensor.shape.insert(tensor.shape.begin(), 1);
  Expected<std::vector<StoredTensor>> matrices = splitStack(tensor, names);
  if (!matrices)
    return refuse(label + toString(matrices.takeError()));
  if (*experts && **experts != tensor.shape.front())
    return refuse(label + "found shape " + printShape(tensor.shape) + ", expected a first extent of " +
                  Twine(**experts) + ", `" + model.key("expert_count") + "`");
  llvm::append_range(result, std::move(*matrices));
  return Error::success();
}

/// A vector, or a matrix of one row, as the latter.
static Error makeRow(const GgufFile &file, StoredTensor &tensor) {
  if (tensor.shape.size() == 1)
    tensor.shape.insert(tensor.shape.begin(), 1);
  if (tensor.shape.size() == 2 && tensor.shape.front() == 1)
    return Error::success();
  return refuse("`" + file.path() + "`: tensor " + inBackticks(tensor.name) + ": found shape " +
                printShape(tensor.shape) + ", expected one row");
}

Expected<std::vector<StoredTensor>> quern::frontend::readGgufTensors(const GgufFile &file) {
  Expected<GgufModel> model = readFamily(file);
  if (!model)
    return model.takeError();
  std::vector<StoredTensor> result;
  for (StoredTensor tensor : file.tensors()) {
    auto [row, names] = translate(*model, tensor.name);
    if (row && row->form == Form::Stack) {
      if (Error error = appendStack(*model, tensor, names, result))
        return error;
      continue;
    }
    if (row && row->form == Form::LayerRow)
      if (Error error = makeRow(file, tensor))
        return error;
    if (row && !row->heads.empty()) {
      Expected<int64_t> heads = headsOf(*model, row->heads, tensor);
      if (!heads)
        return heads.takeError();
      tensor.interleavedHeads = *heads;
    }
    if (row)
      tensor.name = std::move(names.front());
    result.push_back(std::move(tensor));
  }
  return result;
}
