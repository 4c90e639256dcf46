//===- Fp8.h - FP8 weights with a scale per block ---------------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `NAME` of dtype F8_E4M3, shape [.., n, k], and `NAME_scale_inv`, F32 or BF16 of
// shape [.., ceil(n / blockRows), ceil(k / blockColumns)], are one tensor `NAME`:
// each number times the scale of its block. The product is rounded to f32 once
// and, where `config.json` says `dtype` bfloat16, from there to bf16: what
// transformers makes of it in a model of that dtype, and what DeepSeek's own
// conversion to bf16 gives. Scales that are powers of two lose nothing.
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_FP8_H
#define QUERN_FRONTEND_CHECKPOINT_FP8_H

#include "frontend/checkpoint/ModelConfig.h"
#include "frontend/checkpoint/Mounts.h"

#include "llvm/Support/Error.h"

#include <cstdint>
#include <vector>

namespace quern::frontend {

/// How the FP8 tensors of a checkpoint are scaled, and what they become.
struct Fp8Format {
  /// Rows and columns of numbers with one scale.
  int64_t blockRows = 128, blockColumns = 128;
  /// F32 or BF16.
  StorageType result = StorageType::F32;
};

/// What is appended to a tensor's name for its scales.
constexpr llvm::StringLiteral fp8ScaleSuffix = "_scale_inv";

/// The format that `quantization_config` and `dtype` of `config` ask for, or the
/// one that holds without them. Refuses other methods than `fp8` by name, and
/// static scales of activations.
llvm::Expected<Fp8Format> readFp8Format(const ModelConfig &config);

/// Joins the FP8 tensors of `files`, which are one checkpoint's, with their
/// scales, which vanish. Refuses those without scales, and scales of another
/// shape or dtype or that are no numbers.
llvm::Error scaleFp8(std::vector<MountedFile> &files, const Fp8Format &format);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_FP8_H
