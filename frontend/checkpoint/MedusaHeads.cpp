//===- MedusaHeads.cpp - How many Medusa heads a file has ---------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/MedusaHeads.h"

#include "frontend/checkpoint/StoredTensor.h"

#include "llvm/ADT/StringExtras.h"

#include <map>
#include <set>

using namespace llvm;
using namespace quern::frontend;

static constexpr StringLiteral headsKey = "medusa_num_heads", layersKey = "medusa_num_layers";
/// The most heads, and the most blocks of each.
static constexpr int64_t maxHeads = 64;

namespace {

/// The tensors of one head, by what comes behind its number: `0.linear.weight`.
struct Head {
  const MountedFile *file;
  std::set<std::string> names;
};

} // namespace

/// The value of `key`; no value where there is none.
static Expected<std::optional<int64_t>> readCount(const ModelConfig &config, StringRef key) {
  const ConfigValue *value = config.find(key);
  if (!value)
    return std::nullopt;
  if (!value->asInt() || *value->asInt() < 1 || *value->asInt() > maxHeads)
    return refuse("`" + config.origin() + "`: `" + key + "` is " + value->describe() +
                  ", expected an integer from 1 to " + Twine(maxHeads));
  return *value->asInt();
}

static std::map<int64_t, Head> collectHeads(const std::vector<MountedFile> &files, StringRef prefix) {
  std::map<int64_t, Head> heads;
  for (const MountedFile &file : files)
    for (const StoredTensor &tensor : file.tensors) {
      StringRef name = tensor.name;
      int64_t number;
      if (!name.consume_front(prefix) || name.consumeInteger(10, number) || number < 0 || !name.consume_front("."))
        continue;
      heads.try_emplace(number, Head{&file, {}}).first->second.names.insert(name.str());
    }
  return heads;
}

/// How many residual blocks `head` has, from the first on.
static int64_t countBlocks(const Head &head) {
  int64_t blocks = 0;
  while (head.names.count(itostr(blocks) + ".linear.weight"))
    ++blocks;
  return blocks;
}

/// Holds the tensors of head `number` against what each of the `expected` heads has.
static Error checkHead(const Head &head, StringRef name, const MedusaHeads &expected, const Twine &byConfig) {
  auto label = [&](StringRef tensor) {
    return ("`" + head.file->file->path() + "`: tensor " + inBackticks((name + "." + tensor).str()) + ": ").str();
  };
  std::set<std::string> wanted;
  for (int64_t layer = 0; layer < expected.layers; ++layer)
    for (StringRef part : {".linear.weight", ".linear.bias"})
      wanted.insert((Twine(layer) + part).str());
  if (!expected.tied)
    wanted.insert((Twine(expected.layers) + ".weight").str());
  for (const std::string &tensor : wanted)
    if (!head.names.count(tensor))
      return refuse(label(tensor) + "found none, expected one of every head, which has " + Twine(expected.layers) +
                    " residual blocks" + byConfig);
  for (const std::string &tensor : head.names)
    if (!wanted.count(tensor))
      return refuse(label(tensor) + "found it, expected none beside the " + Twine(expected.layers) +
                    " residual blocks of a head" + byConfig + (expected.tied ? "" : " and its output matrix"));
  return Error::success();
}

Expected<std::optional<MedusaHeads>> quern::frontend::findMedusaHeads(const std::vector<MountedFile> &files,
                                                                      StringRef prefix, const ModelConfig &config) {
  std::map<int64_t, Head> heads = collectHeads(files, prefix);
  if (heads.empty())
    return std::nullopt;
  Expected<std::optional<int64_t>> count = readCount(config, headsKey);
  if (!count)
    return count.takeError();
  Expected<std::optional<int64_t>> layers = readCount(config, layersKey);
  if (!layers)
    return layers.takeError();
  if (*count == 2 && !config.find("version") && heads.size() == 5)
    *count = std::nullopt;
  auto from = [&](const std::optional<int64_t> &value, StringRef key) {
    return value ? (" by `" + key + "` of `" + config.origin() + "`").str() : std::string();
  };
  const Head &first = heads.begin()->second;
  MedusaHeads found{count->value_or(heads.rbegin()->first + 1), layers->value_or(countBlocks(first)), false};
  if (found.heads > maxHeads || found.layers < 1)
    return refuse("`" + first.file->file->path() + "`: found " + Twine(heads.size()) + " heads, the first of " +
                  Twine(found.layers) + " residual blocks, expected 1 to " + Twine(maxHeads) +
                  " heads of at least one block");
  found.tied = none_of(
      heads, [&](const auto &head) { return head.second.names.count((Twine(found.layers) + ".weight").str()); });
  for (int64_t number = 0; number < found.heads; ++number)
    if (!heads.count(number))
      return refuse("`" + first.file->file->path() + "`: found no tensor " +
                    inBackticks((prefix + Twine(number) + ".0.linear.weight").str()) + ", expected those of " +
                    Twine(found.heads) + " heads" + from(*count, headsKey));
  for (const auto &[number, head] : heads) {
    std::string name = (prefix + Twine(number)).str();
    if (number >= found.heads)
      return refuse("`" + head.file->file->path() + "`: tensor " + inBackticks(name + "." + *head.names.begin()) +
                    ": found head " + Twine(number) + ", expected one of " + Twine(found.heads) +
                    from(*count, headsKey));
    if (Error error = checkHead(head, name, found, from(*layers, layersKey)))
      return error;
  }
  return found;
}
