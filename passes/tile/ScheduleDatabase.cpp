//===- ScheduleDatabase.cpp - schedules that were measured ------------------------------------===//

#include "passes/tile/ScheduleDatabase.h"
#include "runtime/File.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/JSON.h"

using namespace mlir;

namespace quern {

/// The version of the file format that this reader knows.
constexpr int64_t kVersion = 1;
/// The largest database that is read.
constexpr uint64_t kMaxBytes = 64 << 20;

static llvm::Error makeError(StringRef path, const Twine &message) {
  return llvm::createStringError(Twine("`") + path + "`: " + message);
}

/// The schedule that `object` spells: a named integer per parameter.
static llvm::Expected<ScheduleAttr> parseSchedule(StringRef path, StringRef kernel, const llvm::json::Value &value,
                                                  MLIRContext *context) {
  const llvm::json::Object *object = value.getAsObject();
  if (!object)
    return makeError(path, "schedule of `" + kernel + "` is no object; expected a number per parameter");
  Builder builder(context);
  SmallVector<NamedAttribute> parameters;
  for (const auto &[name, number] : *object) {
    std::optional<int64_t> integer = number.getAsInteger();
    if (!integer)
      return makeError(path, "parameter `" + StringRef(name) + "` of `" + kernel + "` is no integer");
    parameters.push_back(builder.getNamedAttr(StringRef(name), builder.getI64IntegerAttr(*integer)));
  }
  return ScheduleAttr::get(context, builder.getDictionaryAttr(parameters));
}

llvm::Expected<ScheduleDatabase> ScheduleDatabase::read(StringRef path, MLIRContext *context) {
  runtime::Result<runtime::FileDescriptor> file = runtime::FileDescriptor::openRegular(path.str());
  if (!file)
    return makeError(path, "cannot read the schedule database: " + file.error().message);
  runtime::Result<std::string> text = runtime::readAll(file->get(), "the schedule database", kMaxBytes);
  if (!text)
    return makeError(path, text.error().message);
  llvm::Expected<llvm::json::Value> json = llvm::json::parse(*text);
  if (!json)
    return makeError(path, "no valid JSON: " + llvm::toString(json.takeError()));
  const llvm::json::Object *root = json->getAsObject();
  std::optional<int64_t> version = root ? root->getInteger("version") : std::nullopt;
  if (version != kVersion)
    return makeError(path, "found " + (version ? "version " + Twine(*version) : Twine("no version")) +
                               ", expected a schedule database of version " + Twine(kVersion));
  const llvm::json::Object *targets = root->getObject("targets");
  if (!targets)
    return makeError(path, "`targets` is missing or no object");

  ScheduleDatabase database;
  for (const auto &[target, value] : *targets) {
    const llvm::json::Object *kernels = value.getAsObject();
    if (!kernels)
      return makeError(path, "target `" + StringRef(target) + "` is no object; expected a schedule per kernel");
    for (const auto &[kernel, schedule] : *kernels) {
      llvm::Expected<ScheduleAttr> parsed = parseSchedule(path, kernel, schedule, context);
      if (!parsed)
        return parsed.takeError();
      database.targets[StringRef(target)][StringRef(kernel)] = *parsed;
    }
  }
  return database;
}

ScheduleAttr ScheduleDatabase::lookup(StringRef target, StringRef kernel) const {
  auto kernels = targets.find(target);
  return kernels == targets.end() ? ScheduleAttr() : kernels->second.lookup(kernel);
}

} // namespace quern
