//===- Experts.h - Weights of experts, stacked or each by itself *- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Models ask for a matrix [n, k] of each expert, by Hugging Face's name of it:
// `….experts.E.gate_proj.weight`, or, with `*` for the number, for all of them as
// one tensor [experts, n, k]. Files have one or the other. A stored stack becomes
// views of its parts, whatever its storage type; rows of what is asked for as a
// stack, an expert each, are the file's own bytes where they lie together there.
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_EXPERTS_H
#define QUERN_FRONTEND_CHECKPOINT_EXPERTS_H

#include "frontend/checkpoint/Checkpoint.h"
#include "frontend/checkpoint/Fp8.h"
#include "frontend/checkpoint/ModelConfig.h"
#include "frontend/checkpoint/Mounts.h"

#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace quern::frontend {

/// The most experts of one stack: each becomes a tensor, however small it is.
constexpr int64_t maxExperts = 4096;

/// The matrices of a stack [experts, p n, k]: of each expert p, with n rows each,
/// named by the p `names`, in which `*` stands for the expert's number. The
/// message of a refusal does not name the tensor.
llvm::Expected<std::vector<StoredTensor>> splitStack(const StoredTensor &stack, llvm::ArrayRef<std::string> names);

/// Replaces the stacks of `files`, which are safetensors, by their matrices, as
/// Experts.def says for the model type of `config`. FP8 is not scaled yet.
llvm::Error splitStacks(std::vector<MountedFile> &files, const ModelConfig &config, const Fp8Format &format);

/// Refuses experts of which one is missing or too many, by the number of them in
/// `config` if it says one, or is of another shape or storage type than the first.
llvm::Error checkExperts(const std::vector<MountedFile> &files, const ModelConfig &config);

/// All experts as one tensor for each name of theirs in `tensors`, which are
/// ordered by name; `bytesOf` gives what a file stores for a tensor. By ascending
/// name.
std::vector<TensorInfo> makeStacks(llvm::ArrayRef<TensorInfo> tensors,
                                   llvm::function_ref<llvm::ArrayRef<uint8_t>(const TensorInfo &)> bytesOf);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_EXPERTS_H
