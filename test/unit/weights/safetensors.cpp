/// Broken safetensors files and shard indices.

#include "frontend/checkpoint/Safetensors.h"
#include "frontend/checkpoint/Checkpoint.h"
#include "test/unit/weights/Files.h"

using namespace llvm;
using namespace quern::frontend;
using namespace quern::test;

static Expected<std::vector<StoredTensor>> parse(const Bytes &file) { return parseSafetensors(file.bytes(), "f"); }

static Expected<std::vector<StoredTensor>> parse(StringRef header, uint64_t space = 8) {
  return parse(safetensors(header, space));
}

static void checkHeader(Checks &checks) {
  refused(checks, parse(Bytes()), "`f`: found 0 bytes, expected at least the 8");
  refused(checks, parse(Bytes().u64(UINT64_MAX)), "found a header of 18446744073709551615 bytes");
  refused(checks, parse(Bytes().u64(3).raw("{}")), "expected at most the 2 up to the end");
  refused(checks, parse(Bytes().u64(0)), "found the end of the text, expected a value");
  refused(checks, parse("{", 0), "`f` at byte 9: found the end of the text, expected the name");
  refused(checks, parse("[]", 0), "found a header of a list, expected an object");
  refused(checks, parse("{} x", 0), "found `x`, expected the end of the text");
  refused(checks, parse("{\"a\xff\": 1}", 0), "found a string that is not UTF-8");
  refused(checks, parse(std::string(100, '['), 0), "found more than 64 nested");
  refused(checks, parse(R"({"a":1,"a":2})", 0), "member `a` occurs twice");
  checks.that(bool(parse(R"({"__metadata__":{"format":"pt"}}    )", 0)));
}

static void checkEntries(Checks &checks) {
  auto entry = [](StringRef members, uint64_t space = 8) { return parse(("{\"t\":{" + members + "}}").str(), space); };
  checks.that(bool(entry(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])")));
  checks.that(bool(entry(R"("dtype":"F64","shape":[],"data_offsets":[0,8])")));
  refused(checks, parse(R"({"t":3})"), "tensor `t`: found the number 3, expected an object");
  refused(checks, entry(R"("shape":[2])"), "expected a string `dtype`");
  refused(checks, entry(R"("dtype":"F8_E5M2","shape":[8],"data_offsets":[0,8])"),
          "found dtype `F8_E5M2`, expected one of `F32`");
  refused(checks, entry(R"("dtype":"","shape":[8],"data_offsets":[0,8])"), "found dtype `\"\"`");
  refused(checks, entry(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"), "`shape`");
  refused(checks, entry(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])"), "`shape`");
  refused(checks, entry(R"("dtype":"F32","shape":2,"data_offsets":[0,8])"), "`shape`");
  refused(checks, entry(R"("dtype":"F32","shape":[0],"data_offsets":[0,0])", 0),
          "found shape [0], expected extents of at least 1");
  refused(checks, entry(R"("dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4])"),
          "found 9 dimensions, expected at most 8");
  refused(checks, entry(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])"),
          "expected less than 2^62 elements");
  refused(checks, entry(R"("dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8])"), "`shape`");
  refused(checks, entry(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"), "`data_offsets`");
  refused(checks, entry(R"("dtype":"F32","shape":[2],"data_offsets":[0])"), "`data_offsets`");
  refused(checks, entry(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"),
          "found 4 bytes in `data_offsets`, expected 8 for shape [2] of F32");
}

static void checkPlacement(Checks &checks) {
  auto two = [](StringRef first, StringRef second, uint64_t space) {
    return parse((R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + first +
                  R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + second + "}}")
                     .str(),
                 space);
  };
  checks.that(bool(two("[0,4]", "[4,8]", 8)));
  checks.that(bool(two("[4,8]", "[0,4]", 8)));
  refused(checks, two("[0,4]", "[2,6]", 8), "tensor `b`: found offset 2, expected 4");
  refused(checks, two("[0,4]", "[6,10]", 10), "tensor `b`: found offset 6, expected 4");
  refused(checks, two("[0,4]", "[4,8]", 7), "tensor `b`: ends at byte 8 after the header");
  refused(checks, two("[0,4]", "[4,8]", 9), "found 9 bytes after the header, expected the 8");
}

static void checkIndices(Checks &checks) {
  auto index = [](StringRef text) { return parseShardIndex(text, "i"); };
  refused(checks, index("{}"), "`i`: expected an object `weight_map`");
  refused(checks, index(R"({"weight_map":{}})"), "with at least one tensor");
  refused(checks, index(R"({"weight_map":{"t":1}})"), "found the number 1, expected the name");
  for (StringRef name : {"../x", "/etc/passwd", "a/b", "..", "", "a\\\\b", "c:x", "a\\u0000b"})
    refused(checks, index((R"({"weight_map":{"t":")" + name + "\"}}").str()),
            "expected the name of a file beside the index");

  std::string half = R"({"dtype":"U8","shape":[4],"data_offsets":[0,4]})";
  std::string fileA = safetensors("{\"a\":" + half + "}", 4).text().str();
  std::string fileB = safetensors("{\"b\":" + half + "}", 4).text().str();
  auto folder = [&](StringRef map, StringRef first, StringRef second) {
    TemporaryFolder folder;
    folder.write("model.safetensors.index.json", ("{\"weight_map\":" + map + "}").str());
    if (!first.empty())
      folder.write("1.safetensors", first);
    folder.write("2.safetensors", second);
    return Checkpoint::open(Mount{"", folder.path("")});
  };
  StringRef map = R"({"a":"1.safetensors","b":"2.safetensors"})";
  Checkpoint both = take(folder(map, fileA, fileB));
  checks.equal(both.tensors().size(), 2u);
  checks.that(both.sourceFile(*both.lookup("b")).ends_with("2.safetensors"));
  refused(checks, folder(map, "", fileB), "index.json` names it as a shard");
  refused(checks, folder(map, fileB, fileA), "found in shard `1.safetensors`, expected in `2.safetensors`");
  refused(checks, folder(map, fileA, safetensors("{}", 0).text()), "tensor `b` is missing from shard `2.safetensors`");
  refused(checks, folder(R"({"a":"1.safetensors"})", safetensors("{\"c\":" + half + "}", 4).text(), fileB),
          "tensor `c` of shard `1.safetensors` is missing from `weight_map`");
}

static void checkFiles(Checks &checks) {
  TemporaryFolder folder;
  auto open = [](const std::string &path) { return Checkpoint::open(Mount{"", path}); };
  refused(checks, open(folder.path("missing.gguf")), "can't be opened");
  refused(checks, open(folder.path("")), "found neither of them, expected `model.safetensors`");
  refused(checks, open(folder.write("a.bin", "PK\3\4 zip file")), "expected a GGUF or safetensors file");
  refused(checks, open(folder.write("empty.gguf", "")), "found an empty file, expected a GGUF");
  refused(checks, open(folder.write("short.safetensors", "1234")), "expected at least the 8");
  refused(checks, open("/dev/null"), "it is a device, expected a regular file");
}

/// No prefix and no single changed byte of a real file's header crashes the reader.
static void checkDamage(Checks &checks, StringRef path) {
  std::string original = readFile(path);
  std::vector<StoredTensor> whole = take(parseSafetensors(arrayRefFromStringRef(original), "f"));
  size_t header = whole.front().offset;
  int accepted = 0;
  for (size_t size = 0; size < original.size(); size += size < header ? 1 : 4001) {
    std::vector<uint8_t> prefix(original.begin(), original.begin() + size);
    Expected<std::vector<StoredTensor>> file = parseSafetensors(prefix, "f");
    accepted += bool(file);
    consumeError(file.takeError());
  }
  checks.equal(accepted, 0);
  bool inside = true;
  for (size_t at = 0; at < header; ++at) {
    std::vector<uint8_t> changed(original.begin(), original.end());
    changed[at] ^= 0x05;
    Expected<std::vector<StoredTensor>> file = parseSafetensors(changed, "f");
    if (!file) {
      consumeError(file.takeError());
      continue;
    }
    for (const StoredTensor &tensor : *file)
      inside &= tensor.offset <= changed.size() && tensor.bytes <= changed.size() - tensor.offset;
  }
  checks.that(inside);
}

int main(int argc, char **argv) {
  Checks checks;
  checkHeader(checks);
  checkEntries(checks);
  checkPlacement(checks);
  checkIndices(checks);
  checkFiles(checks);
  checkDamage(checks, argv[1]);
  return checks.status();
}
