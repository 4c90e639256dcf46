//===- MappedFile.cpp - A file mapped for reading -------------------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/MappedFile.h"

#include "frontend/checkpoint/StoredTensor.h"
#include "runtime/File.h"
#include "runtime/Inputs.h"

#include <cerrno>
#include <sys/stat.h>

using namespace llvm;
using namespace quern::frontend;
namespace runtime = quern::runtime;

/// Opens a regular file and asks what it is.
static Expected<runtime::FileDescriptor> openFile(StringRef path, struct stat &status) {
  runtime::Result<runtime::FileDescriptor> file = runtime::FileDescriptor::openRegular(path.str());
  if (!file)
    return refuse("`" + path + "` can't be opened: " + file.error().message);
  if (fstat(file->get(), &status) != 0)
    return refuse("`" + path + "` can't be read: " + runtime::describeSystemError(errno));
  return std::move(*file);
}

Expected<std::unique_ptr<MappedFile>> MappedFile::open(StringRef path) {
  struct stat status;
  Expected<runtime::FileDescriptor> file = openFile(path, status);
  if (!file)
    return file.takeError();
  runtime::Result<runtime::Mapping> mapping = runtime::Mapping::mapFile(file->get(), 0, status.st_size, path.str());
  if (!mapping)
    return refuse("`" + path + "`: " + mapping.error().message);
  runtime::watchInput(status, path.str());
  std::unique_ptr<MappedFile> result(new MappedFile(path.str()));
  result->mapping = std::move(*mapping);
  return result;
}

Expected<std::string> quern::frontend::readSmallFile(StringRef path, uint64_t limit) {
  struct stat status;
  Expected<runtime::FileDescriptor> file = openFile(path, status);
  if (!file)
    return file.takeError();
  if (uint64_t(status.st_size) > limit)
    return refuse("`" + path + "`: found " + Twine(status.st_size) + " bytes, expected at most " + Twine(limit));
  runtime::Result<std::string> text = runtime::readAll(file->get(), ("`" + path + "`").str(), limit);
  if (!text)
    return refuse(text.error().message);
  return std::move(*text);
}
