/// Block formats against the numbers of an independent implementation, and the 16-bit conversions
/// against the compiler's.

#include "dialect/BlockFormats.h"
#include "frontend/checkpoint/Checkpoint.h"
#include "test/unit/weights/Files.h"

#include "llvm/ADT/bit.h"

#include <cmath>
#include <cstring>

using namespace llvm;
using namespace quern;
using namespace quern::frontend;
using namespace quern::test;

/// Same bits, but any NaN equals any other.
static bool same(float a, float b) {
  return (std::isnan(a) && std::isnan(b)) || bit_cast<uint32_t>(a) == bit_cast<uint32_t>(b);
}

static void checkFormat(Checks &checks, const Checkpoint &goldens, StringRef name, BlockFormat format) {
  const TensorInfo *bytes = goldens.lookup((name + ".bytes").str());
  const TensorInfo *values = goldens.lookup((name + ".values").str());
  if (!checks.that(bytes && values))
    return;
  const BlockTraits &traits = getTraits(format);
  checks.equal(traits.bytes, bytes->shape[1]);
  checks.equal(traits.elements, values->shape[1]);
  // All blocks at once, as one row.
  std::vector<float> found(values->elements()), expected(values->shape[1]);
  dequantizeRow(format, goldens.rawData(*bytes), found);
  int different = 0;
  for (int64_t row = 0; row < values->rows(); ++row) {
    goldens.decodeRow(*values, row, expected);
    for (size_t i = 0; i < expected.size(); ++i)
      different += !same(found[row * expected.size() + i], expected[i]);
  }
  checks.equal(different, 0);
}

static void checkActivations(Checks &checks) {
  std::vector<uint8_t> block(40);
  for (int i = 0; i < 32; ++i)
    block[i] = uint8_t(i - 16);
  uint32_t scale = bit_cast<uint32_t>(0.5f);
  std::memcpy(block.data() + 32, &scale, 4);
  std::vector<float> values(32);
  dequantizeRow(BlockFormat::Q8_1, block, values);
  checks.equal(values[0], -8.0f);
  checks.equal(values[16], 0.0f);
  checks.equal(values[31], 7.5f);
}

static void checkHalves(Checks &checks) {
  int wrong = 0;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    float value = halfToFloat(bits);
    wrong += !same(value, float(bit_cast<_Float16>(uint16_t(bits))));
    wrong += !std::isnan(value) && floatToHalf(value) != bits;
    float brain = bfloatToFloat(bits);
    wrong += !std::isnan(brain) && floatToBfloat(brain) != bits;
  }
  // Every rounding case: steps that are no multiple of any unit in the last place.
  for (uint64_t bits = 0; bits < 0x100000000; bits += 4099) {
    float value = bit_cast<float>(uint32_t(bits));
    if (!std::isnan(value))
      wrong += floatToHalf(value) != bit_cast<uint16_t>(_Float16(value));
  }
  checks.equal(wrong, 0);
  checks.that(std::isnan(halfToFloat(floatToHalf(NAN))));
  checks.that(std::isnan(bfloatToFloat(floatToBfloat(bit_cast<float>(0x7f800001)))));
  checks.equal(floatToBfloat(bit_cast<float>(0x3f808000)), uint16_t(0x3f80));
  checks.equal(floatToBfloat(bit_cast<float>(0x3f818000)), uint16_t(0x3f82));
  checks.equal(floatToHalf(65520.0f), uint16_t(0x7c00));
}

int main(int argc, char **argv) {
  Checks checks;
  Checkpoint goldens = take(Checkpoint::open(Mount{"", argv[1]}));
#define QUERN_STORAGE_BLOCK(Name, ggufId) checkFormat(checks, goldens, #Name, BlockFormat::Name);
#include "frontend/checkpoint/StorageTypes.def"
  checkActivations(checks);
  checkHalves(checks);
  checks.that(parseBlockFormat("q6_k") == BlockFormat::Q6_K);
  checks.that(!parseBlockFormat("Q6_K"));
  return checks.status();
}
