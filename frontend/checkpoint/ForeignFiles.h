//===- ForeignFiles.h - Files given by mistake ------------------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Internal to the readers.
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_FOREIGNFILES_H
#define QUERN_FRONTEND_CHECKPOINT_FOREIGNFILES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>

namespace quern::frontend {

/// Refuses bytes of `path` that are of a known kind that nobody reads here: pointers
/// of Git LFS, web pages, pickles, archives (ForeignFiles.def), and files that are
/// empty or only zeros. Says what they are, what was `expected`, and what to do.
llvm::Error refuseForeign(llvm::ArrayRef<uint8_t> bytes, llvm::StringRef path, llvm::StringRef expected);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_FOREIGNFILES_H
