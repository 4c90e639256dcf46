//===- MappedFile.cpp - A file mapped for reading -------------------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/weights/MappedFile.h"

#include "frontend/weights/StoredTensor.h"

#include "llvm/Support/FileSystem.h"

using namespace llvm;
using namespace quern::frontend;

/// Pipes and devices would block or never end: only regular files are opened.
static Error checkRegular(StringRef path) {
  sys::fs::file_status status;
  if (std::error_code error = sys::fs::status(path, status))
    return refuse("`" + path + "` can't be opened: " + error.message());
  if (status.type() != sys::fs::file_type::regular_file)
    return refuse("`" + path + "` is no regular file");
  return Error::success();
}

Expected<std::unique_ptr<MappedFile>> MappedFile::open(StringRef path) {
  if (Error error = checkRegular(path))
    return error;
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer =
      MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return refuse("`" + path + "` can't be read: " + buffer.getError().message());
  return std::unique_ptr<MappedFile>(new MappedFile(path.str(), std::move(*buffer)));
}

Expected<std::string> quern::frontend::readSmallFile(StringRef path, uint64_t limit) {
  Expected<std::unique_ptr<MappedFile>> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  ArrayRef<uint8_t> bytes = (*file)->bytes();
  if (bytes.size() > limit)
    return refuse("`" + path + "`: found " + Twine(bytes.size()) + " bytes, expected at most " +
                  Twine(limit));
  return std::string(bytes.begin(), bytes.end());
}
