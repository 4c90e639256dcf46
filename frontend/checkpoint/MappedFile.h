//===- MappedFile.h - A file mapped for reading -----------------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Internal to the readers.
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_MAPPEDFILE_H
#define QUERN_FRONTEND_CHECKPOINT_MAPPEDFILE_H

#include "runtime/Memory.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <memory>
#include <string>

namespace quern::frontend {

/// A regular file whose bytes are read when they are touched.
class MappedFile {
public:
  /// Opens `path`; refuses what is missing, unreadable or no regular file.
  static llvm::Expected<std::unique_ptr<MappedFile>> open(llvm::StringRef path);

  /// The path as it was given.
  llvm::StringRef path() const { return name; }

  /// All bytes of the file.
  llvm::ArrayRef<uint8_t> bytes() const { return {mapping.data(), size_t(mapping.size())}; }

private:
  explicit MappedFile(std::string name) : name(std::move(name)) {}

  std::string name;
  runtime::Mapping mapping;
};

/// The whole text of a small file; refuses more than `limit` bytes.
llvm::Expected<std::string> readSmallFile(llvm::StringRef path, uint64_t limit);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_MAPPEDFILE_H
