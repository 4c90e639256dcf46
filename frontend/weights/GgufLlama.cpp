//===- GgufLlama.cpp - Tensors of GGUF's architecture llama ---------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/weights/GgufLlama.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace quern::frontend;

namespace {

/// A row of GgufLlama.def.
struct ModuleName {
  StringLiteral gguf;
  StringLiteral huggingFace;
  StringLiteral heads = "";
};

/// A translated name, and the metadata key of its interleaved heads, if any.
struct Translation {
  std::string name;
  StringRef heads;
};

} // namespace

static constexpr ModuleName globalModules[] = {
#define QUERN_GGUF_MODULE(gguf, huggingFace) {gguf, huggingFace},
#include "frontend/weights/GgufLlama.def"
};

static constexpr ModuleName layerModules[] = {
#define QUERN_GGUF_LAYER_MODULE(gguf, huggingFace, heads) {gguf, huggingFace, heads},
#include "frontend/weights/GgufLlama.def"
};

/// `blk.N.part` to N and `part`.
static bool splitLayer(StringRef module, StringRef &layer, StringRef &part) {
  if (!module.consume_front("blk."))
    return false;
  std::tie(layer, part) = module.split('.');
  return !layer.empty() && llvm::all_of(layer, llvm::isDigit);
}

/// The Hugging Face name of a stored name; the name itself if it is not known.
static Translation translate(StringRef stored) {
  auto [module, kind] = stored.rsplit('.');
  if (kind != "weight" && kind != "bias")
    return {stored.str(), ""};
  for (const ModuleName &row : globalModules)
    if (row.gguf == module)
      return {(row.huggingFace + "." + kind).str(), ""};
  StringRef layer, part;
  if (!splitLayer(module, layer, part))
    return {stored.str(), ""};
  for (const ModuleName &row : layerModules)
    if (row.gguf == part)
      return {("model.layers." + layer + "." + row.huggingFace + "." + kind).str(), row.heads};
  return {stored.str(), ""};
}

Error quern::frontend::checkArchitecture(const GgufFile &file) {
  Expected<std::optional<int64_t>> parts = file.getInt("split.count");
  if (!parts)
    return parts.takeError();
  if (parts->value_or(1) > 1)
    return file.refuseKey("split.count", "found one of " + Twine(**parts) +
                                             " parts of a model, expected a whole one; join them "
                                             "with `llama-gguf-split --merge`");
  Expected<std::optional<std::string>> name = file.getString("general.architecture");
  if (!name)
    return name.takeError();
  if (!*name)
    return file.refuseKey("general.architecture", "found nothing, expected `llama`");
  if (**name != "llama")
    return file.refuseKey("general.architecture", "found " + inBackticks(**name) + ", expected `llama`");
  return Error::success();
}

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

/// The number of heads under `key` if the rows of `tensor` can be theirs.
static Expected<int64_t> headsOf(const GgufFile &file, StringRef key, const StoredTensor &tensor) {
  Expected<std::optional<int64_t>> heads = getUniformInt(file, key);
  if (!heads)
    return heads.takeError();
  if (!*heads && key == "llama.attention.head_count_kv")
    return headsOf(file, "llama.attention.head_count", tensor);
  if (!*heads)
    return file.refuseKey(key, "found nothing, expected a number of heads");
  int64_t count = **heads, rows = tensor.shape.front();
  if (count < 1 || rows % count != 0 || rows / count % 2 != 0)
    return file.refuseKey(key, "found " + Twine(count) + ", expected heads of an even number of " + "rows among the " +
                                   Twine(rows) + " of tensor " + inBackticks(tensor.name));
  if (tensor.shape.size() > 2)
    return refuse("`" + file.path() + "`: tensor " + inBackticks(tensor.name) + ": found shape " +
                  printShape(tensor.shape) + ", expected 1 or 2 dimensions");
  return count;
}

Expected<std::vector<StoredTensor>> quern::frontend::readGgufTensors(const GgufFile &file) {
  if (Error error = checkArchitecture(file))
    return error;
  std::vector<StoredTensor> result(file.tensors().begin(), file.tensors().end());
  for (StoredTensor &tensor : result) {
    Translation translation = translate(tensor.name);
    if (!translation.heads.empty()) {
      Expected<int64_t> heads = headsOf(file, ("llama." + translation.heads).str(), tensor);
      if (!heads)
        return heads.takeError();
      tensor.interleavedHeads = *heads;
    }
    tensor.name = std::move(translation.name);
  }
  return result;
}
