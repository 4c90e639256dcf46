//===- Safetensors.cpp - Safetensors files --------------------------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/Safetensors.h"

#include "frontend/checkpoint/Json.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"

#include <optional>
#include <tuple>

using namespace llvm;
using namespace quern::frontend;
using nlohmann::json;

/// The longest header, as the reference implementation says.
static constexpr uint64_t maxHeaderLength = 100'000'000;

/// The header's text, after the length in front of it.
static Expected<StringRef> readHeader(ArrayRef<uint8_t> bytes, StringRef path) {
  if (bytes.size() < 8)
    return refuse("`" + path + "`: found " + Twine(bytes.size()) +
                  " bytes, expected at least the 8 of the header's length");
  uint64_t length = support::endian::read64le(bytes.data());
  if (length > bytes.size() - 8)
    return refuse("`" + path + "` at byte 0: found a header of " + Twine(length) + " bytes, expected at most the " +
                  Twine(bytes.size() - 8) + " up to the end of the file");
  if (length > maxHeaderLength)
    return refuse("`" + path + "` at byte 0: found a header of " + Twine(length) + " bytes, expected at most " +
                  Twine(maxHeaderLength));
  return toStringRef(bytes.slice(8, length));
}

/// A non-negative integer below 2^63, or none.
static std::optional<int64_t> readCount(const json &value) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > uint64_t(INT64_MAX))
    return std::nullopt;
  return int64_t(value.get<uint64_t>());
}

/// The list of counts that is the member `name` of `entry`, or none.
static std::optional<SmallVector<int64_t, 4>> readCounts(const json &entry, const char *name) {
  auto list = entry.find(name);
  if (list == entry.end() || !list->is_array())
    return std::nullopt;
  SmallVector<int64_t, 4> counts;
  for (const json &element : *list) {
    std::optional<int64_t> count = readCount(element);
    if (!count)
      return std::nullopt;
    counts.push_back(*count);
  }
  return counts;
}

/// One entry of the header; `offset` counts from the end of the header.
static Expected<StoredTensor> readEntry(StringRef name, const json &entry) {
  StoredTensor tensor;
  tensor.name = name.str();
  if (name.empty() || name.size() > maxNameLength)
    return refuse("found a name of " + Twine(name.size()) + " bytes, expected 1 to " + Twine(maxNameLength));
  if (!entry.is_object())
    return refuse("found " + describeJson(entry) + ", expected an object");

  auto dtype = entry.find("dtype");
  if (dtype == entry.end() || !dtype->is_string())
    return refuse("expected a string `dtype`");
  const std::string &typeName = dtype->get_ref<const std::string &>();
  std::optional<StorageType> type = storageFromSafetensors(typeName);
  if (!type)
    return refuse("found dtype " + inBackticks(typeName) + ", expected one of " + listSafetensorsTypes());
  tensor.type = *type;

  std::optional<SmallVector<int64_t, 4>> shape = readCounts(entry, "shape");
  if (!shape)
    return refuse("expected a list of non-negative integers `shape`");
  tensor.shape = *shape;
  Expected<uint64_t> bytes = storedBytes(tensor.shape, tensor.type);
  if (!bytes)
    return bytes.takeError();

  std::optional<SmallVector<int64_t, 4>> range = readCounts(entry, "data_offsets");
  if (!range || range->size() != 2 || (*range)[0] > (*range)[1])
    return refuse("expected `data_offsets` of two ascending non-negative integers");
  tensor.offset = (*range)[0];
  tensor.bytes = (*range)[1] - (*range)[0];
  if (tensor.bytes != *bytes)
    return refuse("found " + Twine(tensor.bytes) + " bytes in `data_offsets`, expected " + Twine(*bytes) +
                  " for shape " + printShape(tensor.shape) + " of " + typeName);
  return tensor;
}

/// Refuses unless the tensors cover the `space` bytes after the header, each
/// once and without gaps.
static Error checkCovered(std::vector<StoredTensor> &tensors, uint64_t space, StringRef path) {
  llvm::sort(tensors, [](const StoredTensor &a, const StoredTensor &b) {
    return std::tie(a.offset, a.name) < std::tie(b.offset, b.name);
  });
  uint64_t end = 0;
  for (const StoredTensor &tensor : tensors) {
    if (tensor.offset != end)
      return refuse("`" + path + "`: tensor " + inBackticks(tensor.name) + ": found offset " + Twine(tensor.offset) +
                    ", expected " + Twine(end) + ", where the tensor before it ends");
    end += tensor.bytes;
    if (end > space)
      return refuse("`" + path + "`: tensor " + inBackticks(tensor.name) + ": ends at byte " + Twine(end) +
                    " after the header, expected at most the " + Twine(space) + " up to the end of the file");
  }
  if (end != space)
    return refuse("`" + path + "`: found " + Twine(space) + " bytes after the header, expected the " + Twine(end) +
                  " of its tensors");
  return Error::success();
}

Expected<std::vector<StoredTensor>> quern::frontend::parseSafetensors(ArrayRef<uint8_t> bytes, StringRef path) {
  Expected<StringRef> header = readHeader(bytes, path);
  if (!header)
    return header.takeError();
  Expected<json> tree = parseJsonAt(*header, path, /*base=*/8, RepeatedMembers::Refused);
  if (!tree)
    return tree.takeError();
  if (!tree->is_object())
    return refuse("`" + path + "`: found a header of " + describeJson(*tree) + ", expected an object");
  std::vector<StoredTensor> tensors;
  for (auto &[name, entry] : tree->items()) {
    if (name == "__metadata__")
      continue;
    Expected<StoredTensor> tensor = readEntry(name, entry);
    if (!tensor)
      return refuse("`" + path + "`: tensor " + inBackticks(name) + ": " + toString(tensor.takeError()));
    tensors.push_back(std::move(*tensor));
  }
  uint64_t begin = 8 + header->size();
  if (Error error = checkCovered(tensors, bytes.size() - begin, path))
    return error;
  for (StoredTensor &tensor : tensors)
    tensor.offset += begin;
  return tensors;
}
