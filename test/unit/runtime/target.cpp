/// Which of a binary's targets runs, and what the CPU can do.

#include "Check.h"
#include "runtime/CpuFeatures.h"
#include "runtime/TargetChoice.h"

#include <fstream>
#include <set>
#include <sstream>
#include <string>

using namespace quern::runtime;
using quern::test::Checks;

namespace {

bool hasUpToV3(std::string_view name) { return name == "avx2" || name == "fma"; }

Target makeTarget(const char *name, std::vector<std::string> features) {
  Target target;
  target.name = name;
  target.features = std::move(features);
  return target;
}

/// What Linux says of the CPU; it leaves out what the system does not support.
std::set<std::string> readFlags() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line))
    if (line.starts_with("flags"))
      break;
  std::istringstream words(line.substr(std::min(line.find(':') + 1, line.size())));
  std::set<std::string> flags;
  for (std::string word; words >> word;)
    flags.insert(word);
  return flags;
}

} // namespace

int main() {
  Checks checks;
  const std::vector<Target> targets = {makeTarget("zen4", {"avx2", "fma", "avx512f", "avx512_vnni"}),
                                       makeTarget("x86-64-v3", {"avx2", "fma"}), makeTarget("any", {})};
  checks.equal(chooseTarget(targets, std::nullopt, hasUpToV3).value(), 1u);
  checks.equal(chooseTarget(targets, std::nullopt, [](std::string_view) { return true; }).value(), 0u);
  checks.equal(chooseTarget(targets, std::nullopt, [](std::string_view) { return false; }).value(), 2u);
  checks.equal(chooseTarget(targets, "any", hasUpToV3).value(), 2u);
  Result<uint32_t> none = chooseTarget(std::span(targets).first(1), std::nullopt, hasUpToV3);
  checks.that(!none);
  checks.equal(none.error().message, "this CPU lacks what the model was compiled for; `zen4` needs "
                                     "`avx512f`, `avx512_vnni`");
  checks.that(none.error().kind == ErrorKind::Refused);
  Result<uint32_t> other = chooseTarget(targets, "zen9", hasUpToV3);
  checks.that(!other);
  checks.equal(other.error().message, "the model was not compiled for `zen9`, only for `zen4`, `x86-64-v3`, `any`");

  // Devices are asked for.
  std::vector<Target> mixed = {targets[1], makeTarget("cuda", {})};
  mixed[1].device = "cuda";
  checks.equal(chooseTarget(mixed, std::nullopt, hasUpToV3).value(), 0u);
  checks.equal(chooseTarget(mixed, std::nullopt, hasUpToV3, "cuda").value(), 1u);
  Result<uint32_t> absent = chooseTarget(mixed, std::nullopt, hasUpToV3, "opencl");
  checks.that(!absent);
  checks.equal(absent.error().message, "the model was not compiled for the device `opencl`, only for `cpu`, `cuda`; "
                                       "choose one with `--device`, or compile it with `--target`");
  Result<uint32_t> elsewhere = chooseTarget(std::span(mixed).last(1), std::nullopt, hasUpToV3);
  checks.that(!elsewhere);

  checks.that(!hasCpuFeature("teleport"));
  checks.that(!hasCpuFeature(""));
  std::set<std::string> flags = readFlags();
  // Names of the table that Linux spells differently.
  const std::set<std::string> aliases = {"sse3", "lzcnt", "avx_vnni_int8"};
  for (unsigned i = 0; i < countKnownCpuFeatures() && !flags.empty(); ++i) {
    std::string name(getKnownCpuFeature(i));
    // A container may refuse tiles that the CPU has.
    if (!aliases.count(name) && !name.starts_with("amx") &&
        !checks.that(hasCpuFeature(name) == (flags.count(name) == 1)))
      checks.equal(name, "");
  }
  return checks.status();
}
