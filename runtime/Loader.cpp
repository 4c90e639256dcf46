//===- Loader.cpp - the data behind a binary's code --------------------------------------------===//

#include "runtime/Loader.h"

#include "runtime/File.h"

#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

namespace quern::runtime {

static uint64_t hashBytes(uint64_t hash, const void *data, size_t size) {
  const auto *bytes = static_cast<const uint8_t *>(data);
  for (size_t i = 0; i < size; ++i)
    hash = (hash ^ bytes[i]) * 0x100000001b3;
  return hash;
}

uint64_t computeChecksum(const QuernTrailer &trailer, std::string_view description) {
  uint64_t hash = hashBytes(0xcbf29ce484222325, &trailer, offsetof(QuernTrailer, checksum));
  return hashBytes(hash, description.data(), description.size());
}

Result<void> checkTrailer(const QuernTrailer &trailer, uint64_t fileBytes, std::string_view description) {
  if (std::memcmp(trailer.magic, QUERN_TRAILER_MAGIC, sizeof(trailer.magic)) != 0)
    return Error{"the file does not end with a model's data; it was stripped or cut off"};
  if (trailer.checksum != computeChecksum(trailer, description))
    return Error{"the data at the file's end does not belong to its code: the checksums differ"};
  uint64_t available = fileBytes - sizeof(QuernTrailer);
  if (trailer.data_offset % QUERN_DATA_ALIGNMENT)
    return Error{"the data begins at byte " + std::to_string(trailer.data_offset) + ", expected a multiple of " +
                 std::to_string(QUERN_DATA_ALIGNMENT)};
  if (trailer.data_offset > available || trailer.data_bytes != available - trailer.data_offset)
    return Error{"the data takes " + std::to_string(trailer.data_bytes) + " bytes from byte " +
                 std::to_string(trailer.data_offset) + ", which is not what a file of " + std::to_string(fileBytes) +
                 " bytes holds"};
  return {};
}

/// What a file is called that a link of /proc names.
static std::string getName(const std::string &path) {
  char target[PATH_MAX];
  ssize_t size = readlink(path.c_str(), target, sizeof(target));
  return size < 0 ? path : std::string(target, static_cast<size_t>(size));
}

/// Maps the data section of an open file.
static Result<Mapping> mapOpenFile(int descriptor, const std::string &path, std::string_view description) {
  struct stat status;
  if (fstat(descriptor, &status) != 0)
    return Error{describeSystemError(errno)};
  auto fileBytes = static_cast<uint64_t>(status.st_size);
  QuernTrailer trailer;
  if (fileBytes < sizeof(trailer))
    return Error{"the file has " + std::to_string(fileBytes) + " bytes, too few for a model"};
  ssize_t count = pread(descriptor, &trailer, sizeof(trailer), static_cast<off_t>(fileBytes - sizeof(trailer)));
  if (count != static_cast<ssize_t>(sizeof(trailer)))
    return Error{"could not read the file's end: " + describeSystemError(errno)};
  if (Result<void> valid = checkTrailer(trailer, fileBytes, description); !valid)
    return valid.error();
  return Mapping::mapFile(descriptor, trailer.data_offset, trailer.data_bytes, getName(path));
}

Result<Mapping> mapData(const std::string &path, std::string_view description) {
  Result<FileDescriptor> file = FileDescriptor::openForReading(path);
  if (!file)
    return file.error();
  Result<Mapping> mapping = mapOpenFile(file->get(), path, description);
  if (!mapping)
    return Error{"`" + path + "`: " + mapping.error().message, mapping.error().kind};
  return mapping;
}

} // namespace quern::runtime
