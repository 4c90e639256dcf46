//===- ComputedRows.h - Rows that no file stores as they are asked for *- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_COMPUTEDROWS_H
#define QUERN_FRONTEND_CHECKPOINT_COMPUTEDROWS_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>

namespace quern::frontend {

/// The rows of one tensor, computed from a file's bytes when they are asked for.
/// Views mapped files, which must outlive it.
class ComputedRows {
public:
  virtual ~ComputedRows() = default;

  /// Rows that are computed together; the tensor has a whole number of such groups.
  virtual int64_t groupRows() const { return 1; }

  /// Writes the rows of group `group` in the tensor's storage type; `bytes` is
  /// exactly as long as they are.
  virtual void compute(int64_t group, llvm::MutableArrayRef<uint8_t> bytes) const = 0;
};

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_COMPUTEDROWS_H
