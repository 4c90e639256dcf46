//===- FiniteCheck.h - Weights that are no numbers --------------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_FINITECHECK_H
#define QUERN_FRONTEND_CHECKPOINT_FINITECHECK_H

#include "frontend/checkpoint/Checkpoint.h"

namespace quern::frontend {

/// Refuses a tensor of which a number, or a block's scale or minimum, is
/// infinite or NaN: its file, its name and the place are in the message. Reads
/// plain numbers once, of blocks their scales alone.
llvm::Error checkFinite(const Checkpoint &checkpoint, const TensorInfo &tensor);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_FINITECHECK_H
