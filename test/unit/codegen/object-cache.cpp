// Entries that are whole are found, all others are not; the cache stays within its bound and never fails.

#include "codegen/ObjectCache.h"
#include "test/unit/Check.h"

#include <chrono>
#include <filesystem>
#include <fstream>

using namespace quern::codegen;
namespace fs = std::filesystem;

static std::string find(const ObjectCache &cache, const std::string &key) {
  std::unique_ptr<llvm::MemoryBuffer> object = cache.find(key, "name.o");
  return object ? object->getBuffer().str() : "nothing";
}

static uint64_t countBytes(const fs::path &directory) {
  uint64_t bytes = 0;
  for (const fs::directory_entry &entry : fs::directory_iterator(directory))
    bytes += entry.file_size();
  return bytes;
}

int main(int, char **arguments) {
  quern::test::Checks checks;
  fs::path directory = arguments[1];
  fs::remove_all(directory);
  std::string a, b;
  {
    ObjectCache cache(directory.string());
    a = cache.getKey("a"), b = cache.getKey("b");
    checks.that(a != b && a == cache.getKey("a") && a.size() == 64);
    checks.equal(find(cache, a), std::string("nothing"));
    cache.store(a, "object of a");
    cache.store(b, std::string(1000, 'b'));
    checks.equal(find(cache, a), std::string("object of a"));
    checks.equal(cache.find(a, "name.o")->getBufferIdentifier().str(), std::string("name.o"));
  }
  fs::path first = directory / (a + ".object"), second = directory / (b + ".object");

  // An entry under another key is not an entry.
  fs::copy_file(second, directory / "copy.object");
  checks.equal(find(ObjectCache(directory.string()), "copy"), std::string("nothing"));
  fs::remove(directory / "copy.object");

  // What was used last stays: `a` is found again, then the cache becomes too small for both.
  fs::last_write_time(first, fs::file_time_type::clock::now() - std::chrono::hours(2));
  fs::last_write_time(second, fs::file_time_type::clock::now() - std::chrono::hours(1));
  {
    ObjectCache cache(directory.string(), 500);
    checks.equal(find(cache, a), std::string("object of a"));
    cache.store(cache.getKey("c"), "object of c");
  }
  checks.that(fs::exists(first) && !fs::exists(second));
  checks.that(countBytes(directory) <= 500);

  // Damaged entries are not found.
  std::ofstream(first, std::ios::app) << "more";
  checks.equal(find(ObjectCache(directory.string()), a), std::string("nothing"));
  fs::resize_file(first, 10);
  checks.equal(find(ObjectCache(directory.string()), a), std::string("nothing"));

  // Without a directory, or with one that cannot be made, nothing is kept.
  for (const std::string &place : {std::string(), (first / "below").string()}) {
    ObjectCache cache(place);
    cache.store(cache.getKey("d"), "object of d");
    checks.equal(find(cache, cache.getKey("d")), std::string("nothing"));
  }
  return checks.status();
}
