/// Files that people give by mistake are named, with what to do.

#include "frontend/checkpoint/Checkpoint.h"
#include "frontend/checkpoint/ForeignFiles.h"
#include "frontend/checkpoint/HfConfig.h"
#include "test/unit/weights/Files.h"

using namespace llvm;
using namespace quern::frontend;
using namespace quern::test;

static const StringRef lfsPointer = "version https://git-lfs.github.com/spec/v1\n"
                                    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b\n"
                                    "size 269060552\n";

/// A text literal with its zero bytes.
template <size_t size> static std::string raw(const char (&text)[size]) { return std::string(text, size - 1); }

/// Each kind, as weights under any name and as a configuration.
static void checkKinds(Checks &checks) {
  struct Kind {
    std::string content;
    StringRef what;
  };
  TemporaryFolder folder;
  for (const Kind &kind : {
           Kind{lfsPointer.str(), "found a pointer of Git LFS, expected "},
           Kind{"\n <!DOCTYPE html>\n<html></html>", "found a web page, expected "},
           Kind{"<html><head></head></html>", "found a web page, expected "},
           Kind{"<?xml version=\"1.0\"?><Error/>", "found an XML document, expected "},
           Kind{"../../blobs/4d7a2146", "found the text of a symbolic link, expected "},
           Kind{"Entry not found", "found a server's message, `Entry not found`, expected "},
           Kind{raw("\x80\x02}q\x00."), "found a pickle, expected "},
           Kind{raw("PK\3\4\0\0\0\0archive/data.pkl"), "found a pickle of PyTorch, expected "},
           Kind{raw("PK\3\4\0\0\0\0word/document"), "found a zip archive, expected "},
           Kind{raw("\x1f\x8b\x08\0\0\0"), "found a gzip archive, expected "},
           Kind{raw("\xfd"
                    "7zXZ\0"),
                "found an xz archive, expected "},
           Kind{std::string(257, 'a') + "ustar", "found a tar archive, expected "},
           Kind{"%PDF-1.7 ", "found a PDF document, expected "},
           Kind{"\x89HDF\r\n\x1a\n", "found an HDF5 file, as Keras writes, expected "},
           Kind{raw("\x08\x07\x12\x07pytorch"), "found an ONNX model, expected "},
           Kind{"\x7f"
                "ELF\2\1\1",
                "found a program, expected "},
           Kind{raw("\xff\xfe{\0}\0"), "found text in UTF-16, expected "},
           Kind{"", "found an empty file, expected "},
           Kind{std::string(8192, '\0'), "found a file that begins with zeros only, expected "},
       }) {
    for (StringRef name : {"m.gguf", "m.safetensors", "pytorch_model.bin"})
      refused(checks, Checkpoint::open(Mount{"", folder.write(name, kind.content)}),
              (kind.what + "a GGUF or safetensors file; ").str());
    refused(checks, readHfConfig(folder.write("config.json", kind.content)), (kind.what + "JSON; ").str());
  }
}

/// In a folder, too, and where one has other files.
static void checkFolders(Checks &checks) {
  TemporaryFolder pointers;
  pointers.write("model.safetensors", lfsPointer);
  refused(checks, Checkpoint::open(Mount{"", pointers.path("")}),
          "found a pointer of Git LFS, expected a safetensors file; fetch the file itself with "
          "`git lfs pull`");
  TemporaryFolder others;
  refused(checks, Checkpoint::open(Mount{"", others.path("")}),
          "found neither of them, expected `model.safetensors` or");
  others.write("pytorch_model.bin", "x");
  others.write("b.gguf", "x");
  refused(checks, Checkpoint::open(Mount{"", others.path("")}),
          "found `b.gguf`, `pytorch_model.bin`, expected `model.safetensors` or");
  std::string index = others.write("model.safetensors.index.json", "{\"weight_map\":{\"a\":\"s\"}}");
  refused(checks, Checkpoint::open(Mount{"", index}),
          "found an index, expected a GGUF or safetensors file; name the folder");
  refused(checks, Checkpoint::open(Mount{"", others.path("")}), "names it as a shard");
}

int main() {
  Checks checks;
  checkKinds(checks);
  checkFolders(checks);
  return checks.status();
}
