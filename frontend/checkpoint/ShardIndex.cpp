//===- ShardIndex.cpp - Tables of sharded safetensors files ---------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/Json.h"
#include "frontend/checkpoint/Safetensors.h"

#include <set>

using namespace llvm;
using namespace quern::frontend;
using nlohmann::json;

/// A shard lies beside its index: a plain file name, no folder and no way out.
static bool isPlainFileName(StringRef name) {
  return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
         name.find_first_of("/\\:") == StringRef::npos && name.find('\0') == StringRef::npos;
}

Expected<std::map<std::string, std::string>> quern::frontend::parseShardIndex(StringRef text, StringRef path) {
  Expected<json> tree = parseJson(text, path);
  if (!tree)
    return tree.takeError();
  const json *table = nullptr;
  if (tree->is_object() && tree->contains("weight_map"))
    table = &tree->at("weight_map");
  if (!table || !table->is_object() || table->empty())
    return refuse("`" + path + "`: expected an object `weight_map` with at least one tensor");
  std::map<std::string, std::string> index;
  for (auto &[name, shard] : table->items()) {
    if (!shard.is_string())
      return refuse("`" + path + "`: tensor " + inBackticks(name) + ": found " + describeJson(shard) +
                    ", expected the name of a file");
    const std::string &file = shard.get_ref<const std::string &>();
    if (!isPlainFileName(file))
      return refuse("`" + path + "`: tensor " + inBackticks(name) + ": found shard " + inBackticks(file) +
                    ", expected the name of a file beside the index");
    index.emplace(name, file);
  }
  return index;
}

Error quern::frontend::checkShard(const std::map<std::string, std::string> &index, StringRef shard,
                                  ArrayRef<StoredTensor> tensors, StringRef indexPath) {
  std::set<StringRef> present;
  for (const StoredTensor &tensor : tensors) {
    present.insert(tensor.name);
    auto entry = index.find(tensor.name);
    if (entry == index.end())
      return refuse("`" + indexPath + "`: tensor " + inBackticks(tensor.name) + " of shard " + inBackticks(shard) +
                    " is missing from `weight_map`");
    if (entry->second != shard)
      return refuse("`" + indexPath + "`: tensor " + inBackticks(tensor.name) + ": found in shard " +
                    inBackticks(shard) + ", expected in " + inBackticks(entry->second));
  }
  for (const auto &[name, file] : index)
    if (file == shard && !present.count(name))
      return refuse("`" + indexPath + "`: tensor " + inBackticks(name) + " is missing from shard " +
                    inBackticks(shard));
  return Error::success();
}
