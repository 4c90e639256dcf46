//===- Binary.cpp - the file that a compilation leaves ----------------------------------------===//

#include "codegen/Binary.h"
#include "codegen/NativeObject.h"
#include "codegen/Program.h"

#include "runtime/include/quern/Format.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using llvm::createStringError;
using llvm::Error;
using llvm::StringRef;
using llvm::Twine;

namespace quern::codegen {

PendingFile::~PendingFile() {
  if (temporaryPath.empty())
    return;
  llvm::sys::fs::remove(temporaryPath);
  llvm::sys::DontRemoveFileOnSignal(temporaryPath);
}

Error PendingFile::create() {
  if (llvm::sys::fs::is_directory(finalPath))
    return createStringError("cannot write `" + Twine(finalPath) + "`: it is a directory");
  // A device or a pipe must not be replaced by a file.
  if (llvm::sys::fs::exists(finalPath) && !llvm::sys::fs::is_regular_file(finalPath))
    return createStringError("cannot write `" + Twine(finalPath) + "`: it is not a regular file");
  int descriptor;
  llvm::SmallString<128> path;
  if (std::error_code code = llvm::sys::fs::createUniqueFile(finalPath + ".%%%%%%%%.tmp", descriptor, path))
    return createStringError(code, "cannot write `" + Twine(finalPath) + "`: " + code.message());
  temporaryPath = path;
  llvm::sys::RemoveFileOnSignal(temporaryPath);
  llvm::raw_fd_ostream(descriptor, /*shouldClose=*/true);
  return Error::success();
}

Error PendingFile::commit() {
  if (std::error_code code = llvm::sys::fs::rename(temporaryPath, finalPath))
    return createStringError(code, "cannot write `" + Twine(finalPath) + "`: " + code.message());
  llvm::sys::DontRemoveFileOnSignal(temporaryPath);
  temporaryPath.clear();
  return Error::success();
}

Error linkObjects(const CodegenOptions &options, llvm::ArrayRef<std::string> objects, StringRef path) {
  std::vector<std::string> arguments{"-o", path.str(), "-fuse-ld=lld"};
  if (options.kind == OutputKind::Object) {
    arguments.insert(arguments.end(), {"-r", "-nostdlib"});
    arguments.insert(arguments.end(), objects.begin(), objects.end());
    return link(arguments);
  }
  bool shared = options.kind == OutputKind::Shared;
  if (shared)
    arguments.insert(arguments.end(), {"-shared", "-Wl,--exclude-libs=libquern_text.a", "-Wl,-Bsymbolic"});
  arguments.insert(arguments.end(), objects.begin(), objects.end());
  auto archive = [&](StringRef name) { arguments.push_back(options.libraryDir + "/lib" + name.str() + ".a"); };
  if (shared) {
    arguments.push_back("-Wl,--whole-archive");
    archive("quern_runtime");
    arguments.push_back("-Wl,--no-whole-archive");
  } else {
    archive("quern_runtime_main");
    archive("quern_runtime");
  }
  archive("quern_text");
  arguments.insert(arguments.end(), {"-static-libgcc", "-pthread", "-ldl", "-Wl,--gc-sections", "-Wl,-s"});
  return link(arguments);
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo).
static uint64_t fnv1a(uint64_t hash, StringRef bytes) {
  for (unsigned char byte : bytes)
    hash = (hash ^ byte) * 0x100000001b3ull;
  return hash;
}

LogicalResult appendData(ModuleOp module, StringRef path, StringRef description, uint64_t weightsBytes,
                         StringRef tokenizer, llvm::function_ref<LogicalResult(llvm::raw_ostream &)> writeWeights) {
  uint64_t codeBytes;
  std::error_code code = llvm::sys::fs::file_size(path, codeBytes);
  if (code)
    return module.emitError("cannot write `") << path << "`: " << code.message();
  llvm::raw_fd_ostream stream(path, code, llvm::sys::fs::CD_OpenExisting, llvm::sys::fs::FA_Write,
                              llvm::sys::fs::OF_None);
  if (code)
    return module.emitError("cannot write `") << path << "`: " << code.message();
  stream.seek(codeBytes);
  stream.write_zeros(llvm::alignTo(codeBytes, QUERN_DATA_ALIGNMENT) - codeBytes);
  QuernTrailer trailer{};
  trailer.data_offset = stream.tell();
  LogicalResult written = writeWeights(stream);
  if (succeeded(written)) {
    assert(stream.tell() - trailer.data_offset == weightsBytes && "the packer keeps to its placements");
    stream << tokenizer;
    trailer.data_bytes = stream.tell() - trailer.data_offset;
    StringRef head(reinterpret_cast<const char *>(&trailer), offsetof(QuernTrailer, checksum));
    trailer.checksum = fnv1a(fnv1a(0xcbf29ce484222325ull, head), description);
    std::memcpy(trailer.magic, QUERN_TRAILER_MAGIC, sizeof trailer.magic);
    stream.write(reinterpret_cast<const char *>(&trailer), sizeof trailer);
  }
  stream.close();
  if (stream.has_error()) {
    std::error_code failure = stream.error();
    stream.clear_error();
    return module.emitError("cannot write `") << path << "`: " << failure.message();
  }
  return written;
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
  std::error_code code;
  llvm::raw_fd_ostream os(file.path(), code);
  if (code)
    return createStringError(code, "cannot write `" + Twine(path) + "`: " + code.message());
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
  os.close();
  if (os.has_error()) {
    std::error_code failure = os.error();
    os.clear_error();
    return createStringError(failure, "cannot write `" + Twine(path) + "`: " + failure.message());
  }
  return file.commit();
}

} // namespace quern::codegen
