//===- Safetensors.h - Safetensors files and shard indices ------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_SAFETENSORS_H
#define QUERN_FRONTEND_CHECKPOINT_SAFETENSORS_H

#include "frontend/checkpoint/StoredTensor.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace quern::frontend {

/// The tensors of one file: a little-endian u64 header length, a JSON header,
/// the numbers. Refuses tensors that overlap, leave gaps, lie outside the file
/// or are not as long as their shape and type say. `bytes` is the whole file;
/// `path` is for messages.
llvm::Expected<std::vector<StoredTensor>> parseSafetensors(llvm::ArrayRef<uint8_t> bytes, llvm::StringRef path);

/// The table of a `model.safetensors.index.json`: tensor name to the name of the
/// shard beside the index that holds it. Refuses shard names with a folder.
llvm::Expected<std::map<std::string, std::string>> parseShardIndex(llvm::StringRef text, llvm::StringRef path);

/// Refuses unless the tensors of `shard` are exactly those that `index` says.
llvm::Error checkShard(const std::map<std::string, std::string> &index, llvm::StringRef shard,
                       llvm::ArrayRef<StoredTensor> tensors, llvm::StringRef indexPath);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_SAFETENSORS_H
