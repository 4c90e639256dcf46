/// The data at a file's end: found, and refused when it is damaged.

#include "runtime/Loader.h"
#include "Check.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

using namespace quern::runtime;
using quern::test::Checks;

namespace {

constexpr std::string_view description = "{}";

/// A file of a page of code and 5 bytes of data.
std::string makeFile(const std::string &data = "abcde") {
  std::string bytes(QUERN_DATA_ALIGNMENT, 'c');
  QuernTrailer trailer{};
  trailer.data_offset = bytes.size();
  trailer.data_bytes = data.size();
  trailer.checksum = computeChecksum(trailer, description);
  std::memcpy(trailer.magic, QUERN_TRAILER_MAGIC, sizeof(trailer.magic));
  return bytes + data + std::string(reinterpret_cast<const char *>(&trailer), sizeof(trailer));
}

Result<Mapping> map(const std::string &path, const std::string &bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
  return mapData(path, description);
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  Checks checks;
  std::string path = argv[1];
  {
    Result<Mapping> data = map(path, makeFile());
    if (checks.that(static_cast<bool>(data))) {
      checks.equal(data->size(), 5u);
      checks.that(std::memcmp(data->data(), "abcde", 5) == 0);
    }
    checks.that(static_cast<bool>(map(path, makeFile(""))));
  }
  auto refuses = [&](const std::string &bytes, const std::string &reason,
                     std::source_location where = std::source_location::current()) {
    Result<Mapping> data = map(path, bytes);
    if (checks.that(!data, where) && !checks.that(data.error().message.find(reason) != std::string::npos, where))
      checks.equal(data.error().message, reason, where);
  };
  std::string whole = makeFile();
  refuses("", "has 0 bytes, too few");
  refuses("short", "has 5 bytes, too few");
  refuses(whole.substr(0, whole.size() - 1), "does not end with a model's data");
  refuses(whole + "x", "does not end with a model's data");
  refuses(whole.substr(1), "which is not what a file of 4132 bytes holds");
  // Each byte of the trailer matters.
  for (size_t i = 1; i <= sizeof(QuernTrailer); ++i) {
    std::string damaged = whole;
    damaged[damaged.size() - i] ^= 0x40;
    refuses(damaged, "");
  }
  // A trailer that is right in itself but lies about the file.
  for (auto [offset, bytes] : std::vector<std::pair<uint64_t, uint64_t>>{
           {4096, 6}, {4096, UINT64_MAX}, {8192, 5}, {UINT64_MAX - 4095, 5}, {100, 4001}, {0, 5}}) {
    QuernTrailer trailer{};
    trailer.data_offset = offset;
    trailer.data_bytes = bytes;
    trailer.checksum = computeChecksum(trailer, description);
    std::memcpy(trailer.magic, QUERN_TRAILER_MAGIC, sizeof(trailer.magic));
    std::string damaged = whole;
    std::memcpy(damaged.data() + damaged.size() - sizeof(trailer), &trailer, sizeof(trailer));
    refuses(damaged, offset == 100 ? "expected a multiple of 4096" : "which is not what a file of");
  }
  {
    std::ofstream(path, std::ios::binary) << whole;
    Result<Mapping> other = mapData(path, "{\"other\": 1}");
    checks.that(!other && other.error().message.find("checksums differ") != std::string::npos);
  }
  checks.that(!mapData(path + ".absent", description));
  checks.that(!mapData("/", description));
  std::remove(path.c_str());
  return checks.status();
}
