/// FP8 tensors with scales per block: their numbers, and what is refused.

#include "frontend/checkpoint/Checkpoint.h"
#include "frontend/checkpoint/FiniteCheck.h"
#include "test/unit/weights/Files.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"

using namespace llvm;
using namespace quern::frontend;
using namespace quern::test;

/// The bits of all numbers, so that signs of zeros count.
static std::vector<uint32_t> bits(const Checkpoint &checkpoint, const TensorInfo &tensor) {
  std::vector<float> row(tensor.rowElements());
  std::vector<uint32_t> result;
  for (int64_t i = 0; i < tensor.rows(); ++i) {
    checkpoint.decodeRow(tensor, i, row);
    for (float value : row)
      result.push_back(bit_cast<uint32_t>(value));
  }
  return result;
}

/// Every tensor of the checkpoint has the bits of `NAME` + `suffix`.
static void compare(Checks &checks, const Checkpoint &found, const Checkpoint &expected, StringRef suffix,
                    StorageType type) {
  checks.equal(found.tensors().size(), 6u);
  for (const TensorInfo &tensor : found.tensors()) {
    bool isScaled = tensor.name != "norm.weight";
    const TensorInfo *other = expected.lookup(tensor.name + (isScaled ? suffix.str() : ""));
    if (!checks.that(other && other->shape == tensor.shape))
      continue;
    checks.that(tensor.type == (isScaled ? type : StorageType::F32));
    checks.that(Checkpoint::isDirect(tensor) == !isScaled);
    checks.that(bits(found, tensor) == bits(expected, *other));
    checks.that(!checkFinite(found, tensor));
  }
}

static const char *blocks = R"("quant_method": "fp8", "weight_block_size": [16, 32])";

static std::string config(StringRef dtype, StringRef quantization) {
  return ("{\"dtype\": \"" + dtype + "\", \"quantization_config\": {" + quantization + "}}").str();
}

static void checkNumbers(Checks &checks, const std::string &folder) {
  Checkpoint expected = take(Checkpoint::open(Mount{"", folder + "/expected.safetensors"}, folder + "/config.json"));
  compare(checks, take(Checkpoint::open(Mount{"", folder})), expected, ".bf16", StorageType::BF16);
  TemporaryFolder temporary;
  std::string single = temporary.write("config.json", config("float32", blocks));
  Checkpoint wide = take(Checkpoint::open(Mount{"", folder}, single));
  compare(checks, wide, expected, "", StorageType::F32);
  // Rows in any order.
  const TensorInfo *tensor = wide.lookup("wide.weight"), *stack = wide.lookup("stack");
  const TensorInfo *wanted = expected.lookup("wide.weight"), *wantedStack = expected.lookup("stack");
  for (int64_t row : {39, 0, 16, 15, 39}) {
    checks.that(wide.row(*tensor, row) == expected.row(*wanted, row));
    checks.that(wide.row(*stack, row % 3) == expected.row(*wantedStack, row % 3));
  }
  Checkpoint mounted = take(Checkpoint::open(Mount{"a.b", folder}, single));
  checks.that(mounted.lookup("a.b.wide.weight") && !mounted.lookup("a.b.wide.weight_scale_inv"));
}

/// `w.weight` of that shape, all bytes `number`, and scales of `dtype` and `shape`, all bits those of `scale`.
static std::string twoTensors(std::vector<int64_t> shape, StringRef dtype, std::vector<int64_t> scaleShape,
                              uint64_t scale, uint8_t number = 0x38) {
  auto count = [](ArrayRef<int64_t> extents) {
    int64_t product = 1;
    for (int64_t extent : extents)
      product *= extent;
    return product;
  };
  auto list = [](ArrayRef<int64_t> extents) {
    std::string text;
    for (int64_t extent : extents)
      text += (text.empty() ? "" : ",") + std::to_string(extent);
    return "[" + text + "]";
  };
  int64_t width = dtype == "F32" || dtype == "I32" ? 4 : dtype == "F64" ? 8 : dtype == "F8_E4M3" ? 1 : 2;
  int64_t bytes = count(shape), end = bytes + count(scaleShape) * width;
  std::string header = R"({"w.weight":{"dtype":"F8_E4M3","shape":)" + list(shape) + R"(,"data_offsets":[0,)" +
                       std::to_string(bytes) + R"(]},"w.weight_scale_inv":{"dtype":")" + dtype.str() + R"(","shape":)" +
                       list(scaleShape) + R"(,"data_offsets":[)" + std::to_string(bytes) + "," + std::to_string(end) +
                       "]}}";
  std::string file = safetensors(header, 0).text().str();
  file.append(bytes, char(number));
  for (int64_t i = 0; i < count(scaleShape); ++i)
    for (int64_t byte = 0; byte < width; ++byte)
      file.push_back(char(scale >> (8 * byte)));
  return file;
}

static void checkScales(Checks &checks) {
  TemporaryFolder folder;
  auto open = [&](const std::string &file) { return Checkpoint::open(Mount{"", folder.write("w.safetensors", file)}); };
  constexpr uint64_t one = 0x3f800000;
  checks.that(bool(open(twoTensors({130, 300}, "F32", {2, 3}, one))));
  checks.that(bool(open(twoTensors({2, 128, 128}, "BF16", {2, 1, 1}, 0x3f80))));
  for (std::vector<int64_t> shape : {std::vector<int64_t>{3, 2}, {6}, {2, 3, 1}, {1, 3}, {2, 2}, {1, 2, 3}})
    refused(checks, open(twoTensors({130, 300}, "F32", shape, one)),
            "w.safetensors`: tensor `w.weight_scale_inv`: found shape [");
  refused(
      checks, open(twoTensors({130, 300}, "F32", {1, 3}, one)),
      "found shape [1, 3], expected [2, 3], one for each block of 128 rows and 128 columns of `w.weight`, [130, 300]");
  for (StringRef dtype : {"F16", "F64", "I32", "I16"})
    refused(checks, open(twoTensors({1, 1}, dtype, {1, 1}, one)),
            "w.safetensors`: tensor `w.weight_scale_inv`: found " + dtype.str() + ", expected F32 or BF16");
  refused(checks, open(twoTensors({1, 1}, "F8_E4M3", {1, 1}, one)), "tensor `w.weight_scale_inv`: found F8_E4M3");
  refused(checks, open(twoTensors({4}, "F32", {1}, one)),
          "tensor `w.weight`: found F8_E4M3 of shape [4], expected 2 or 3 dimensions");
  refused(checks, open(twoTensors({1, 200}, "F32", {1, 2}, 0x7f800000)),
          "tensor `w.weight_scale_inv`: found an infinity at row 0, column 0; expected numbers");
  refused(checks, open(twoTensors({1, 1}, "F32", {1, 1}, 0x7fc00001)), "found a NaN at row 0, column 0");
  refused(checks, open(twoTensors({1, 1}, "BF16", {1, 1}, 0xff80)), "found an infinity at row 0, column 0");

  refused(checks,
          open(safetensors(R"({"w.weight":{"dtype":"F8_E4M3","shape":[1,8],"data_offsets":[0,8]}})", 8).text().str()),
          "w.safetensors`: tensor `w.weight`: found F8_E4M3 without `w.weight_scale_inv`, expected F32 scales of shape "
          "[1, 1]");
  refused(checks,
          open(safetensors(R"({"w.weight":{"dtype":"F8_E5M2","shape":[1,8],"data_offsets":[0,8]}})", 8).text().str()),
          "tensor `w.weight`: found dtype `F8_E5M2`, expected one of `F32`");
}

/// Scales that have scales are refused, whichever comes first in the file.
static void checkNested(Checks &checks) {
  TemporaryFolder folder;
  auto entry = [](StringRef name, StringRef dtype, int begin, int end) {
    return ("\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":[1,1],\"data_offsets\":[" + Twine(begin) + "," +
            Twine(end) + "]}")
        .str();
  };
  for (bool isFirst : {false, true}) {
    std::string header = "{" + entry("w", "F8_E4M3", isFirst, isFirst + 1) + "," +
                         entry("w_scale_inv", "F8_E4M3", !isFirst, !isFirst + 1) + "," +
                         entry("w_scale_inv_scale_inv", "F32", 2, 6) + "}";
    refused(checks, Checkpoint::open(Mount{"", folder.write("w.safetensors", safetensors(header, 6).text())}),
            "tensor `w_scale_inv`: found F8_E4M3, expected F32 or BF16");
  }
}

/// Numbers that are none are found as others are: by the place of the product.
static void checkFiniteness(Checks &checks) {
  TemporaryFolder folder;
  auto check = [&](uint8_t number, uint32_t scale) {
    Checkpoint file = take(
        Checkpoint::open(Mount{"", folder.write("w.safetensors", twoTensors({3, 4}, "F32", {1, 1}, scale, number))}));
    return checkFinite(file, *file.lookup("w.weight"));
  };
  checks.that(!check(0x7e, 0x3f800000));
  for (uint8_t number : {0x7f, 0xff})
    refused(checks, check(number, 0x3f800000),
            "w.safetensors`: tensor `w.weight`: found a NaN at row 0, column 0; expected numbers");
  // 448 times the greatest f32.
  refused(checks, check(0x7e, 0x7f7fffff), "found an infinity at row 0, column 0");
}

static void checkConfigs(Checks &checks) {
  TemporaryFolder folder;
  std::string file = folder.write("w.safetensors", twoTensors({4, 6}, "F32", {2, 2}, 0x3f800000));
  auto open = [&](StringRef text) { return Checkpoint::open(Mount{"", file}, folder.write("c.json", text)); };
  auto with = [&](StringRef quantization) { return open(config("bfloat16", quantization)); };
  checks.that(bool(with(R"("quant_method": "fp8", "weight_block_size": [2, 3])")));
  checks.that(bool(with(R"("quant_method": "fp8", "weight_block_size": [3, 5], "scale_fmt": "ue8m0")")));
  refused(checks, with(R"("quant_method": "fp8")"), "found shape [2, 2], expected [1, 1]");
  refused(checks, with(R"("quant_method": "fp8", "weight_block_size": null)"), "found shape [2, 2], expected [1, 1]");
  for (StringRef size : {"[2]", "[2, 0]", "[2, -3]", "[2, 3, 1]", "2", "[2.0, 3]", "\"2x3\"", "{}"})
    refused(checks, with(("\"quant_method\": \"fp8\", \"weight_block_size\": " + size).str()),
            "c.json`: `quantization_config.weight_block_size` is ");
  checks.that(bool(with(R"("quant_method": "fp8", "weight_block_size": [2, 9223372036854775807])")) == false);
  for (StringRef method : {"gptq", "awq", "bitsandbytes", "fbgemm_fp8", "compressed-tensors", "FP8", ""})
    refused(checks, with(("\"quant_method\": \"" + method + "\"").str()),
            "c.json`: `quantization_config.quant_method` is string \"" + method.str() + "\", expected \"fp8\"");
  refused(checks, with(R"("bits": 4)"), "`quantization_config.quant_method` is missing, expected \"fp8\"");
  refused(checks, with(R"("quant_method": 8)"), "`quantization_config.quant_method` is integer 8, expected \"fp8\"");
  refused(checks, with(R"("quant_method": "fp8", "weight_block_size": [2, 3], "activation_scheme": "static")"),
          "`quantization_config.activation_scheme` is string \"static\", expected \"dynamic\"");
  refused(checks, with(R"("quant_method": "fp8", "weight_block_size": [2, 3], "fmt": "e5m2")"),
          "`quantization_config.fmt` is string \"e5m2\", expected \"e4m3\"");
  refused(checks, open(R"({"quantization_config": 8})"), "`quantization_config.quant_method` is missing");
}

/// Scales may lie in another shard than their numbers.
static void checkShards(Checks &checks) {
  TemporaryFolder folder;
  folder.write("model.safetensors.index.json", R"({"weight_map":{"w":"2.safetensors","w_scale_inv":"1.safetensors"}})");
  folder.write(
      "1.safetensors",
      Bytes().string(R"({"w_scale_inv":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}})").f32(0.5f).text());
  folder.write(
      "2.safetensors",
      Bytes().string(R"({"w":{"dtype":"F8_E4M3","shape":[1,2],"data_offsets":[0,2]}})").u8(0x38).u8(0xc1).text());
  Checkpoint both = take(Checkpoint::open(Mount{"", folder.path("")}));
  checks.equal(both.tensors().size(), 1u);
  const TensorInfo *tensor = both.lookup("w");
  checks.that(both.sourceFile(*tensor).ends_with("2.safetensors"));
  checks.that(bits(both, *tensor) == std::vector<uint32_t>({bit_cast<uint32_t>(0.5f), bit_cast<uint32_t>(-1.125f)}));
}

int main(int argc, char **argv) {
  Checks checks;
  checkNumbers(checks, argv[1]);
  checkScales(checks);
  checkNested(checks);
  checkFiniteness(checks);
  checkConfigs(checks);
  checkShards(checks);
  return checks.status();
}
