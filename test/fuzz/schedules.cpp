/// Any text as a database of measured schedules: what is written again reads the same, also merged with itself.

#include "passes/tile/ScheduleDatabase.h"

#include "llvm/Support/raw_ostream.h"

#include <cstdlib>

using quern::ScheduleDatabase;

static std::string print(const ScheduleDatabase &database) {
  std::string text;
  llvm::raw_string_ostream os(text);
  database.print(os);
  return text;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto database = ScheduleDatabase::parse({reinterpret_cast<const char *>(data), size}, "f");
  if (!database) {
    llvm::consumeError(database.takeError());
    return 0;
  }
  std::string text = print(*database);
  auto again = ScheduleDatabase::parse(text, "f");
  if (!again || print(*again) != text)
    std::abort();
  ScheduleDatabase merged;
  merged.merge(*again);
  merged.merge(*database);
  again->models.clear();
  if (print(merged) != print(*again))
    std::abort();
  for (const auto &[key, row] : database->rows)
    if (!database->lookup(key.digest, key.form, key.formVersion, key.target))
      std::abort();
  return 0;
}
