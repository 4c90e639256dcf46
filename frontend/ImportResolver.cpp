//===- ImportResolver.cpp - the files that make one model -------------------------------------===//

#include "frontend/ImportResolver.h"
#include "frontend/Diagnostics.h"
#include "frontend/Parser.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Casting.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"

using namespace llvm;

namespace quern::frontend {

namespace {

/// How deep imports may nest.
constexpr size_t maxImportDepth = 64;
/// The largest model file read, in bytes.
constexpr uint64_t maxFileBytes = 16 << 20;

/// Loads files depth first.
class Resolver {
public:
  Resolver(SourceMgr &sources, ArrayRef<std::string> importPaths, AstContext &context,
           DiagnosticEngine &diagnostics)
      : sources(sources), importPaths(importPaths), context(context), diagnostics(diagnostics) {}

  void load(unsigned buffer, bool isLibrary, StringRef identity) {
    states[identity] = State::Loading;
    stack.push_back(identity.str());
    SourceFile *file = parseFile(sources, buffer, context, diagnostics);
    for (Decl *decl : file->decls)
      if (auto *import = dyn_cast<ImportDecl>(decl))
        file->lacksImport |= !follow(*import, buffer, isLibrary);
    stack.pop_back();
    states[identity] = State::Loaded;
    files.push_back({file, isLibrary});
  }

  std::vector<LoadedFile> files;

private:
  enum class State { Loading, Loaded };

  /// The file that `path` names, and whether an import path led to it.
  std::optional<std::pair<std::string, bool>> find(StringRef path, unsigned importer) {
    auto exists = [](StringRef candidate) {
      return sys::fs::exists(candidate) && !sys::fs::is_directory(candidate);
    };
    if (sys::path::is_absolute(path))
      return exists(path) ? std::optional(std::pair(path.str(), false)) : std::nullopt;
    SmallString<128> beside(
        sys::path::parent_path(sources.getMemoryBuffer(importer)->getBufferIdentifier()));
    sys::path::append(beside, path);
    if (exists(beside))
      return std::pair(beside.str().str(), false);
    for (const std::string &folder : importPaths) {
      SmallString<128> candidate(folder);
      sys::path::append(candidate, path);
      if (exists(candidate))
        return std::pair(candidate.str().str(), true);
    }
    return std::nullopt;
  }

  /// Loads what `import` names, if that is still to be done; false where its declarations are lost.
  bool follow(const ImportDecl &import, unsigned importer, bool fromLibrary) {
    StringRef path = import.path->text();
    SourceRange place = import.path->range;
    auto found = find(path, importer);
    if (!found) {
      diagnostics.error(place, "cannot find `" + path +
                                   "`; looked beside the importing file and in " +
                                   Twine(importPaths.size()) + " import paths");
      return false;
    }
    SmallString<128> identity;
    if (sys::fs::real_path(found->first, identity))
      identity = found->first;
    if (auto it = states.find(identity); it != states.end()) {
      if (it->second == State::Loading)
        diagnostics.error(place, "`" + path + "` imports itself" +
                                     (stack.back() == identity ? "" : " through other files"));
      return true;
    }
    if (stack.size() >= maxImportDepth) {
      diagnostics.error(place, "imports nest deeper than " + Twine(maxImportDepth));
      return false;
    }
    return open(found->first, place, found->second || fromLibrary, identity);
  }

  bool open(const std::string &path, SourceRange place, bool isLibrary, StringRef identity) {
    uint64_t bytes = 0;
    std::error_code failure = sys::fs::file_size(path, bytes);
    if (!failure && bytes > maxFileBytes) {
      diagnostics.error(place, "`" + path + "` has " + Twine(bytes) + " bytes, expected at most " +
                                   Twine(maxFileBytes));
      return false;
    }
    auto buffer = MemoryBuffer::getFile(path);
    if (!buffer) {
      diagnostics.error(place, "cannot read `" + path + "`: " + buffer.getError().message());
      return false;
    }
    load(sources.AddNewSourceBuffer(std::move(*buffer), SMLoc()), isLibrary, identity);
    return true;
  }

  SourceMgr &sources;
  ArrayRef<std::string> importPaths;
  AstContext &context;
  DiagnosticEngine &diagnostics;
  StringMap<State> states;
  std::vector<std::string> stack;
};

} // namespace

std::vector<LoadedFile> resolveImports(SourceMgr &sources, unsigned main,
                                       ArrayRef<std::string> importPaths, AstContext &context,
                                       DiagnosticEngine &diagnostics) {
  StringRef path = sources.getMemoryBuffer(main)->getBufferIdentifier();
  SmallString<128> identity;
  if (sys::fs::real_path(path, identity))
    identity = path;
  Resolver resolver(sources, importPaths, context, diagnostics);
  resolver.load(main, /*isLibrary=*/false, identity);
  return std::move(resolver.files);
}

} // namespace quern::frontend
