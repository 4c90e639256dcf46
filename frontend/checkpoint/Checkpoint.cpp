//===- Checkpoint.cpp - Tensors of one or more files ----------------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/Checkpoint.h"

#include "frontend/checkpoint/ComputedRows.h"
#include "frontend/checkpoint/Experts.h"
#include "frontend/checkpoint/HfConfig.h"
#include "frontend/checkpoint/MappedFile.h"
#include "frontend/checkpoint/MedusaHeads.h"
#include "frontend/checkpoint/Mounts.h"
#include "frontend/checkpoint/StoredTensor.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"

#include <cassert>
#include <cstring>

using namespace llvm;
using namespace quern::frontend;

int64_t TensorInfo::elements() const {
  int64_t product = 1;
  for (int64_t extent : shape)
    product *= extent;
  return product;
}

int64_t TensorInfo::rows() const { return shape.size() < 2 ? 1 : shape.front(); }

int64_t TensorInfo::rowElements() const { return elements() / rows(); }

Mount quern::frontend::parseMount(StringRef argument) {
  auto isNameCharacter = [](char c) { return isAlnum(c) || c == '_' || c == '-' || c == '.'; };
  auto [prefix, path] = argument.split('=');
  bool isMount =
      argument.contains('=') && !prefix.empty() && isAlnum(prefix.front()) && llvm::all_of(prefix, isNameCharacter);
  if (!isMount || sys::fs::exists(argument))
    return {"", argument.str()};
  return {prefix.str(), path.str()};
}

Checkpoint::Checkpoint() = default;
Checkpoint::Checkpoint(Checkpoint &&) = default;
Checkpoint &Checkpoint::operator=(Checkpoint &&) = default;
Checkpoint::~Checkpoint() = default;

/// Where row `row` in Hugging Face order lies among interleaved rows: with d
/// rows per head, row j + c d/2 of a head (c = 0, 1) is its row 2j + c.
static int64_t interleavedRow(int64_t row, int64_t rows, int64_t heads) {
  int64_t headRows = rows / heads, half = headRows / 2;
  int64_t head = row / headRows, within = row % headRows;
  return head * headRows + 2 * (within % half) + within / half;
}

Error Checkpoint::add(const Mount &mount, bool wantConfig) {
  Expected<MountedSource> source = openSource(mount.path, mount.prefix);
  if (!source)
    return source.takeError();
  // Says how this mount stores its tensors, too.
  ModelConfig config;
  bool isNamed = !mount.prefix.empty();
  if (!wantConfig && !isNamed) {
    config = modelConfig;
  } else if (source->hasConfig()) {
    Expected<ModelConfig> own = source->readConfig();
    if (!own)
      return own.takeError();
    config = std::move(*own);
    if (isNamed)
      modelConfig.nest(mount.prefix, config);
    if (wantConfig)
      modelConfig.fillFrom(config);
    llvm::append_range(allWarnings, source->listConfigWarnings());
  }
  if (Error error = source->arrange(config))
    return error;
  if (Error error = describeHeads(mount, *source, config))
    return error;
  for (MountedFile &file : source->files) {
    for (StoredTensor &stored : file.tensors) {
      TensorInfo tensor{mount.prefix.empty() ? stored.name : mount.prefix + "." + stored.name,
                        stored.shape,
                        stored.type,
                        uint32_t(files.size()),
                        stored.offset,
                        stored.interleavedHeads,
                        stored.computed,
                        {}};
      allTensors.push_back(std::move(tensor));
    }
    files.push_back(std::move(file.file));
  }
  if (imageConfig.empty())
    imageConfig = source->findImageConfig();
  if (!textSource && source->hasText())
    textSource = std::make_unique<MountedSource>(std::move(*source));
  return Error::success();
}

/// Says of Medusa's heads what models of them read: `medusa_head.medusa_num_heads`,
/// `medusa_head.medusa_num_layers` and `medusa_head.tied`.
Error Checkpoint::describeHeads(const Mount &mount, MountedSource &source, const ModelConfig &config) {
  std::string prefix = (medusaMount + ".").str();
  bool isMount = mount.prefix == medusaMount;
  if (!isMount && !mount.prefix.empty())
    return Error::success();
  // Whole models have that in front of the names of heads, and so may what is cut from one.
  for (MountedFile &file : source.files)
    for (StoredTensor &tensor : file.tensors)
      if (isMount && StringRef(tensor.name).starts_with(prefix))
        tensor.name.erase(0, prefix.size());
  Expected<std::optional<MedusaHeads>> heads = findMedusaHeads(source.files, isMount ? "" : prefix, config);
  if (!heads)
    return heads.takeError();
  if (!*heads)
    return Error::success();
  modelConfig.set(prefix + "medusa_num_heads", (*heads)->heads);
  modelConfig.set(prefix + "medusa_num_layers", (*heads)->layers);
  modelConfig.set(prefix + "tied", (*heads)->tied);
  return Error::success();
}

/// Sorts the tensors by name and refuses two of one name.
Error Checkpoint::index() {
  llvm::sort(allTensors, [](const TensorInfo &a, const TensorInfo &b) { return a.name < b.name; });
  for (size_t i = 1; i < allTensors.size(); ++i)
    if (allTensors[i - 1].name == allTensors[i].name)
      return refuse("tensor " + inBackticks(allTensors[i].name) + " is in " + describePlace(allTensors[i - 1]) +
                    " and in " + describePlace(allTensors[i]) + "; mount one of the files under another name");
  return Error::success();
}

/// Reorders the elements of vectors with interleaved heads.
Error Checkpoint::straightenVectors() {
  for (TensorInfo &tensor : allTensors) {
    if (tensor.interleavedHeads == 0 || tensor.shape.size() != 1)
      continue;
    const StorageTraits &traits = getTraits(tensor.type);
    if (traits.block)
      return refuse(describePlace(tensor) + ": tensor " + inBackticks(tensor.name) + ": found a vector of `" +
                    traits.name + "` blocks, expected plain numbers");
    ArrayRef<uint8_t> stored = row(tensor, 0);
    std::vector<uint8_t> ordered(stored.size());
    int64_t count = tensor.shape.front(), width = traits.unitBytes;
    for (int64_t i = 0; i < count; ++i)
      std::memcpy(ordered.data() + i * width, stored.data() + interleavedRow(i, count, tensor.interleavedHeads) * width,
                  width);
    straightened.emplace(tensor.name, std::move(ordered));
    tensor.interleavedHeads = 0;
  }
  return Error::success();
}

Expected<Checkpoint> Checkpoint::open(ArrayRef<Mount> mounts, StringRef configFile) {
  Checkpoint result;
  if (mounts.empty())
    return refuse("found no weights, expected at least one file or directory");
  if (!configFile.empty()) {
    Expected<ModelConfig> config = readHfConfig(configFile);
    if (!config)
      return config.takeError();
    result.modelConfig = std::move(*config);
  }
  // Those without a name are the model itself.
  bool isDescribed = !configFile.empty();
  for (bool isNamed : {false, true}) {
    for (const Mount &mount : mounts)
      if (mount.prefix.empty() != isNamed)
        if (Error error = result.add(mount, /*wantConfig=*/!isDescribed))
          return error;
    isDescribed |= !result.modelConfig.origin().empty();
  }
  setConfigDefaults(result.modelConfig);
  if (Error error = result.index())
    return error;
  if (Error error = result.straightenVectors())
    return error;
  result.stacks = makeStacks(result.allTensors, [&](const TensorInfo &tensor) { return result.rawData(tensor); });
  return result;
}

/// The tensor of that name among those, which are ordered by it, or null.
static const TensorInfo *findByName(ArrayRef<TensorInfo> tensors, StringRef name) {
  auto place =
      llvm::lower_bound(tensors, name, [](const TensorInfo &tensor, StringRef name) { return tensor.name < name; });
  return place != tensors.end() && place->name == name ? place : nullptr;
}

const TensorInfo *Checkpoint::lookup(StringRef name) const {
  const TensorInfo *tensor = findByName(allTensors, name);
  return tensor ? tensor : findByName(stacks, name);
}

int64_t Checkpoint::rowBytes(const TensorInfo &tensor) const {
  const StorageTraits &traits = getTraits(tensor.type);
  return tensor.rowElements() / traits.unitElements * traits.unitBytes;
}

ArrayRef<uint8_t> Checkpoint::computedRow(const TensorInfo &tensor, int64_t row) const {
  int64_t groupRows = tensor.computed->groupRows(), bytes = rowBytes(tensor), group = row / groupRows;
  if (computed.rows != tensor.computed.get() || computed.group != group) {
    computed.rows = tensor.computed.get();
    computed.group = group;
    computed.bytes.resize(groupRows * bytes);
    computed.rows->compute(group, computed.bytes);
  }
  return ArrayRef(computed.bytes).slice(row % groupRows * bytes, bytes);
}

ArrayRef<uint8_t> Checkpoint::row(const TensorInfo &tensor, int64_t row) const {
  assert(row >= 0 && row < tensor.rows() && "a row of the tensor");
  if (tensor.shape.size() == 1)
    if (auto ordered = straightened.find(tensor.name); ordered != straightened.end())
      return ordered->second;
  if (tensor.computed)
    return computedRow(tensor, row);
  int64_t stored = row;
  if (tensor.interleavedHeads && tensor.shape.size() > 1)
    stored = interleavedRow(row, tensor.rows(), tensor.interleavedHeads);
  int64_t bytes = rowBytes(tensor);
  return files[tensor.file]->bytes().slice(tensor.offset + stored * bytes, bytes);
}

ArrayRef<uint8_t> Checkpoint::rawData(const TensorInfo &tensor) const {
  assert(isDirect(tensor) && "rows lie in another order than they are counted");
  ArrayRef<uint8_t> first = row(tensor, 0);
  return {first.data(), size_t(tensor.rows() * rowBytes(tensor))};
}

void Checkpoint::decodeRow(const TensorInfo &tensor, int64_t index, MutableArrayRef<float> values) const {
  decodeNumbers(tensor.type, row(tensor, index), values);
}

Expected<ArrayRef<uint8_t>> Checkpoint::readRow(StringRef name, int64_t index) {
  const TensorInfo *tensor = lookup(name);
  if (!tensor)
    return refuse("tensor " + inBackticks(name) + " is in none of the checkpoint's files");
  if (index < 0 || index >= tensor->rows())
    return refuse("tensor " + inBackticks(name) + ": found row " + Twine(index) + ", expected one of its " +
                  Twine(tensor->rows()));
  return row(*tensor, index);
}

StringRef Checkpoint::sourceFile(const TensorInfo &tensor) const { return files[tensor.file]->path(); }

std::string Checkpoint::describePlace(const TensorInfo &tensor) const {
  return ("`" + sourceFile(tensor) + "` at byte " + Twine(tensor.offset)).str();
}

Expected<std::optional<ImageAssets>> Checkpoint::readImage() const {
  if (imageConfig.empty())
    return std::nullopt;
  Expected<ImageAssets> image = readHfImage(imageConfig, modelConfig);
  if (!image)
    return image.takeError();
  return std::move(*image);
}

Expected<TextAssets> Checkpoint::readText() const {
  if (!textSource)
    return TextAssets();
  return textSource->readText();
}
