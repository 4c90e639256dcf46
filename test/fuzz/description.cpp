/// Any bytes as a binary's description of itself: what is accepted refers to what there is, or it is refused.

#include "runtime/Description.h"

#include <cstdlib>

using namespace quern::runtime;

static bool isSound(const Entry &entry) {
  auto isKnown = [&](const Dim &dim) { return dim.symbol < static_cast<int32_t>(entry.symbols.size()); };
  for (const std::vector<Operand> &operands : {entry.inputs, entry.results})
    for (const Operand &operand : operands)
      for (const std::vector<Dim> &dims : {operand.shape, operand.below})
        for (const Dim &dim : dims)
          if (!isKnown(dim))
            return false;
  return true;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Result<Description> description = parseDescription({reinterpret_cast<const char *>(data), size}, 8);
  if (!description)
    return 0;
  for (const Entry &entry : description->entries)
    if (!isSound(entry))
      std::abort();
  for (const Target &target : description->targets)
    for (const Program &program : target.programs)
      if (program.entry >= description->entries.size() || program.index >= 8)
        std::abort();
  return 0;
}
