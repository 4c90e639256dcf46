/// Any text as a `config.json`, as a shard index, as a routing profile, as a tree of guesses and as a calibration.

#include "frontend/checkpoint/HfConfig.h"
#include "frontend/checkpoint/MedusaFiles.h"
#include "frontend/checkpoint/RoutingProfile.h"
#include "frontend/checkpoint/Safetensors.h"

using namespace llvm;
using namespace quern::frontend;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  StringRef text(reinterpret_cast<const char *>(data), size);
  consumeError(parseShardIndex(text, "f").takeError());
  consumeError(parseRoutingProfile(text, "f").takeError());
  consumeError(parseMedusaTree(text, "f", {3, 10}).takeError());
  consumeError(parseMedusaCalibration(text, "f", {3, 10}).takeError());
  Expected<ModelConfig> config = parseHfConfig(text, "f");
  if (config)
    setConfigDefaults(*config);
  consumeError(config.takeError());
  return 0;
}
