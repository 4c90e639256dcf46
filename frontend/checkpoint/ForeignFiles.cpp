//===- ForeignFiles.cpp - Files given by mistake --------------------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/ForeignFiles.h"

#include "frontend/checkpoint/Json.h"
#include "frontend/checkpoint/StoredTensor.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace quern::frontend;

namespace {

/// What a file is, and what its owner can do about it.
struct Finding {
  StringLiteral what, advice;
};

struct ForeignText {
  StringLiteral begin;
  Finding finding;
};

struct ForeignBinary {
  size_t offset;
  StringLiteral magic;
  Finding finding;
};

} // namespace

static constexpr ForeignText texts[] = {
#define QUERN_FOREIGN_TEXT(begin, what, advice) {begin, {what, advice}},
#include "frontend/checkpoint/ForeignFiles.def"
};

static constexpr ForeignBinary binaries[] = {
#define QUERN_FOREIGN_BINARY(offset, magic, what, advice) {offset, magic, {what, advice}},
#include "frontend/checkpoint/ForeignFiles.def"
};

/// How much of a file is looked at for what it is.
static constexpr size_t maxLook = 4096;

/// Zip archives: what PyTorch writes is one with a pickle in it.
static std::optional<Finding> recognizeZip(StringRef begin) {
  if (!begin.starts_with("PK\3\4"))
    return std::nullopt;
  if (begin.contains("data.pkl"))
    return Finding{"a pickle of PyTorch", "convert it to safetensors with the library that wrote it"};
  return Finding{"a zip archive", "unpack it first"};
}

/// ONNX begins with its version, then the name of the program that wrote it.
static std::optional<Finding> recognizeOnnx(StringRef begin) {
  bool isOnnx = begin.size() > 8 && begin[0] == 0x08 && uint8_t(begin[1]) < 32 && begin[2] == 0x12 &&
                isAlpha(begin[4]) && isAlnum(begin[5]);
  if (!isOnnx)
    return std::nullopt;
  return Finding{"an ONNX model", "give the weights that it was made from"};
}

static std::optional<Finding> recognize(StringRef begin) {
  if (begin.empty())
    return Finding{"an empty file", "download or copy the file again"};
  if (begin.find_first_not_of('\0') == StringRef::npos)
    return Finding{"a file that begins with zeros only", "download or copy the file again"};
  std::string text = skipByteOrderMark(begin).ltrim().take_front(64).lower();
  for (const ForeignText &row : texts)
    if (StringRef(text).starts_with(row.begin))
      return row.finding;
  for (const ForeignBinary &row : binaries)
    if (begin.substr(row.offset).starts_with(row.magic))
      return row.finding;
  if (std::optional<Finding> zip = recognizeZip(begin))
    return zip;
  return recognizeOnnx(begin);
}

Error quern::frontend::refuseForeign(ArrayRef<uint8_t> bytes, StringRef path, StringRef expected) {
  std::optional<Finding> found = recognize(toStringRef(bytes.take_front(std::min(bytes.size(), maxLook))));
  if (!found)
    return Error::success();
  return refuse("`" + path + "`: found " + found->what + ", expected " + expected + "; " + found->advice);
}
