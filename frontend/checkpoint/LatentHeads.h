//===- LatentHeads.h - Keys and values of DeepSeek's heads ------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// GGUF has `kv_b_proj` [heads (dn + dv), rank], whose rows alternate between the
// keys and the values of a head, in two: `k_b_proj` [heads, rank, dn], transposed,
// and `v_b_proj` [heads, dv, rank].
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_LATENTHEADS_H
#define QUERN_FRONTEND_CHECKPOINT_LATENTHEADS_H

#include "frontend/checkpoint/Mounts.h"

#include "llvm/Support/Error.h"

namespace quern::frontend {

/// Makes `kv_b_proj` of each pair in `file`: of the storage type of both where that
/// is one of plain numbers, else f32, in which blocks have their exact values.
llvm::Error joinLatentHeads(MountedFile &file);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_LATENTHEADS_H
