//===- Binary.cpp - the file that a compilation leaves ----------------------------------------===//

#include "codegen/Binary.h"
#include "codegen/NativeObject.h"
#include "codegen/Program.h"

#include "runtime/include/quern/Format.h"

#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using llvm::createStringError;
using llvm::Error;
using llvm::StringRef;
using llvm::Twine;

namespace quern::codegen {

PendingFile::~PendingFile() {
  if (!os)
    return;
  // An abandoned file may fail: the stream is not to die of it.
  os->flush();
  os->clear_error();
}

static Error convert(const runtime::Error &error) { return createStringError(error.message); }

Error PendingFile::create(unsigned mode) {
  runtime::Result<runtime::OutputFile> created = runtime::OutputFile::create(path, mode);
  if (!created)
    return convert(created.error());
  file.emplace(std::move(*created));
  os.emplace(file->getDescriptor(), /*shouldClose=*/false);
  return Error::success();
}

Error PendingFile::commit() {
  os->flush();
  if (os->has_error())
    return createStringError("could not write `" + Twine(path) + "`: " + os->error().message());
  if (runtime::Result<void> done = file->finish(); !done)
    return convert(done.error());
  return Error::success();
}

/// Links with the system's C library, the only one that a binary needs; the mathematical library is a part of it.
static llvm::Expected<std::string> linkWithSystem(llvm::ArrayRef<std::unique_ptr<llvm::MemoryBuffer>> objects,
                                                  std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"-static-libgcc", "-static-libstdc++", "-pthread", "-ldl", "-Wl,--as-needed",
                                     "-Wl,--gc-sections", "-Wl,-s"});
  // As the runtime was compiled.
  llvm::SmallVector<StringRef> sanitizers;
  StringRef(QUERN_SANITIZERS).split(sanitizers, ' ', -1, /*KeepEmpty=*/false);
  arguments.insert(arguments.end(), sanitizers.begin(), sanitizers.end());
  return link(objects, arguments);
}

llvm::Expected<std::string> linkObjects(const CodegenOptions &options,
                                        llvm::ArrayRef<std::unique_ptr<llvm::MemoryBuffer>> objects) {
  if (options.kind == OutputKind::Object)
    return link(objects, {"-r", "-nostdlib"});
  std::vector<std::string> arguments;
  bool shared = options.kind == OutputKind::Shared;
  if (shared)
    arguments.insert(arguments.end(), {"-shared", "-Wl,--exclude-libs=libquern_text.a:libstdc++.a:libgcc.a:libgcc_eh.a",
                                       "-Wl,-Bsymbolic"});
  auto archive = [&](StringRef name) { arguments.push_back(options.libraryDir + "/lib" + name.str() + ".a"); };
  if (shared) {
    arguments.push_back("-Wl,--whole-archive");
    archive("quern_runtime");
    arguments.push_back("-Wl,--no-whole-archive");
  } else {
    if (options.image) {
      // The runtime knows this symbol as a weak one.
      arguments.push_back("-Wl,-u,quern_image_commands");
      for (StringRef name : {"quern_vision", "png16", "jpeg", "z"})
        archive(name);
    }
    archive("quern_runtime_main");
    archive("quern_runtime");
  }
  archive("quern_text");
  return linkWithSystem(objects, std::move(arguments));
}

llvm::Expected<std::string> linkMeasured(const CodegenOptions &options,
                                         llvm::ArrayRef<std::unique_ptr<llvm::MemoryBuffer>> objects) {
  std::vector<std::string> arguments;
  for (StringRef name : {"quern_measure", "quern_runtime_main", "quern_runtime", "quern_text"})
    arguments.push_back(options.libraryDir + "/lib" + name.str() + ".a");
  return linkWithSystem(objects, std::move(arguments));
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo).
static uint64_t fnv1a(uint64_t hash, StringRef bytes) {
  for (unsigned char byte : bytes)
    hash = (hash ^ byte) * 0x100000001b3ull;
  return hash;
}

LogicalResult appendData(llvm::raw_fd_ostream &stream, StringRef description, uint64_t weightsBytes,
                         StringRef tokenizer, llvm::function_ref<LogicalResult(llvm::raw_ostream &)> writeWeights) {
  uint64_t codeBytes = stream.tell();
  stream.write_zeros(llvm::alignTo(codeBytes, QUERN_DATA_ALIGNMENT) - codeBytes);
  QuernTrailer trailer{};
  trailer.data_offset = stream.tell();
  if (failed(writeWeights(stream)))
    return failure();
  assert(stream.tell() - trailer.data_offset == weightsBytes && "the packer keeps to its placements");
  stream << tokenizer;
  trailer.data_bytes = stream.tell() - trailer.data_offset;
  StringRef head(reinterpret_cast<const char *>(&trailer), offsetof(QuernTrailer, checksum));
  trailer.checksum = fnv1a(fnv1a(0xcbf29ce484222325ull, head), description);
  std::memcpy(trailer.magic, QUERN_TRAILER_MAGIC, sizeof trailer.magic);
  stream.write(reinterpret_cast<const char *>(&trailer), sizeof trailer);
  return success();
}

/// `forward(tokens: i32[s], …) -> (logits: f32[r, 320])`
static void describeEntry(ProgramOp program, llvm::raw_ostream &os) {
  ArrayAttr inputs = program.getArgNamesAttr(), results = program.getResultNamesAttr();
  auto describeOperand = [&](unsigned index, StringRef name) {
    RankedTensorType type = cast<BufferType>(program.getArgumentTypes()[index]).getTensor();
    os << name << ": ";
    if (isa<PositionType>(type.getElementType()))
      os << "position";
    else
      os << type.getElementType();
    os << formatDims(getDims(type));
  };
  os << program.getSymName() << '(';
  for (auto [i, name] : llvm::enumerate(inputs)) {
    os << (i ? ", " : "");
    describeOperand(i, cast<StringAttr>(name).getValue());
  }
  os << ") -> (";
  for (auto [i, name] : llvm::enumerate(results)) {
    os << (i ? ", " : "");
    describeOperand(inputs.size() + i, cast<StringAttr>(name).getValue());
  }
  os << ')';
}

Error writeHeader(ModuleOp module, StringRef libraryPath) {
  llvm::SmallString<128> path(libraryPath);
  llvm::sys::path::replace_extension(path, ".h");
  PendingFile file(path);
  if (Error error = file.create())
    return error;
  llvm::raw_fd_ostream &os = file.stream();
  os << "/* The interface of " << llvm::sys::path::filename(libraryPath)
     << ", written by the compiler. Call it through the functions of quern/quern.h.\n *\n * Entries:\n";
  for (auto program : module.getOps<ProgramOp>()) {
    if (program.getVariantOfAttr())
      continue;
    os << " *   ";
    describeEntry(program, os);
    os << '\n';
  }
  os << " */\n#include <quern/quern.h>\n";
  return file.commit();
}

} // namespace quern::codegen
