//===- StoredTensor.cpp - What a reader finds in one file -----------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/StoredTensor.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/raw_ostream.h"

#include <tuple>
#include <vector>

using namespace llvm;
using namespace quern::frontend;

Error quern::frontend::refuse(const Twine &message) { return createStringError(inconvertibleErrorCode(), message); }

std::string quern::frontend::printable(StringRef text) {
  constexpr size_t limit = 80;
  std::string result;
  raw_string_ostream(result).write_escaped(text.take_front(limit), /*UseHexEscapes=*/true);
  if (text.size() > limit)
    result += "...";
  return result;
}

std::string quern::frontend::inBackticks(StringRef text) {
  return "`" + (text.empty() ? "\"\"" : printable(text)) + "`";
}

bool quern::frontend::isUtf8(StringRef text) {
  const UTF8 *begin = text.bytes_begin();
  return isLegalUTF8String(&begin, text.bytes_end());
}

std::string quern::frontend::printShape(ArrayRef<int64_t> shape) {
  std::string result;
  raw_string_ostream stream(result);
  stream << '[';
  interleaveComma(shape, stream);
  stream << ']';
  return result;
}

Expected<uint64_t> quern::frontend::storedBytes(ArrayRef<int64_t> shape, StorageType type) {
  constexpr uint64_t limit = uint64_t(1) << 62;
  const StorageTraits &traits = getTraits(type);
  if (shape.size() > maxRank)
    return refuse("found " + Twine(shape.size()) + " dimensions, expected at most " + Twine(maxRank));
  uint64_t elements = 1;
  for (int64_t extent : shape) {
    if (extent < 1)
      return refuse("found shape " + printShape(shape) + ", expected extents of at least 1");
    if (uint64_t(extent) > limit / elements)
      return refuse("found shape " + printShape(shape) + ", expected less than 2^62 elements");
    elements *= extent;
  }
  int64_t last = shape.empty() ? 1 : shape.back();
  if (last % traits.unitElements != 0)
    return refuse("found rows of " + Twine(last) + " elements, expected a multiple of the " +
                  Twine(traits.unitElements) + " elements of a `" + traits.name + "` block");
  uint64_t units = elements / traits.unitElements;
  if (units > limit / uint64_t(traits.unitBytes))
    return refuse("found shape " + printShape(shape) + ", expected less than 2^62 bytes");
  return units * traits.unitBytes;
}

Error quern::frontend::checkDisjoint(ArrayRef<StoredTensor> tensors, StringRef file) {
  std::vector<const StoredTensor *> order;
  order.reserve(tensors.size());
  for (const StoredTensor &tensor : tensors)
    order.push_back(&tensor);
  llvm::sort(order, [](const StoredTensor *a, const StoredTensor *b) { return a->name < b->name; });
  for (size_t i = 1; i < order.size(); ++i)
    if (order[i - 1]->name == order[i]->name)
      return refuse("`" + file + "`: tensor " + inBackticks(order[i]->name) +
                    " occurs twice, expected one of each name");
  llvm::sort(order, [](const StoredTensor *a, const StoredTensor *b) {
    return std::tie(a->offset, a->name) < std::tie(b->offset, b->name);
  });
  for (size_t i = 1; i < order.size(); ++i) {
    const StoredTensor &before = *order[i - 1], &after = *order[i];
    if (after.offset - before.offset < before.bytes)
      return refuse("`" + file + "`: tensor " + inBackticks(after.name) + " starts at byte " + Twine(after.offset) +
                    ", expected at or after byte " + Twine(before.offset + before.bytes) + ", where tensor " +
                    inBackticks(before.name) + " ends");
  }
  return Error::success();
}
