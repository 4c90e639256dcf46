//===- ImportResolver.cpp - the files that make one model -------------------------------------===//

#include "frontend/ImportResolver.h"
#include "frontend/Diagnostics.h"
#include "frontend/ModelText.h"
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

/// `path`, absolute and without `..` as it is written: links are what they are called.
std::string plain(StringRef path) {
  SmallString<128> result(path);
  sys::fs::make_absolute(result);
  sys::path::remove_dots(result, /*remove_dot_dot=*/true);
  return result.str().rtrim('/').str();
}

/// Loads files depth first.
class Resolver {
public:
  Resolver(SourceMgr &sources, unsigned main, ArrayRef<std::string> importPaths, StringRef base, AstContext &context,
           DiagnosticEngine &diagnostics)
      : sources(sources), main(main), importPaths(importPaths), base(base), context(context), diagnostics(diagnostics) {
    for (StringRef folder : importPaths)
      folders.push_back(plain(folder));
    StringRef path = sources.getMemoryBuffer(main)->getBufferIdentifier();
    folders.push_back(plain(sys::path::parent_path(path)));
    if (!base.empty())
      folders.push_back(plain(sys::path::parent_path(base)));
  }

  void load(unsigned buffer, bool isLibrary, StringRef identity) {
    states[identity] = State::Loading;
    stack.push_back(identity.str());
    SourceFile *file = parseFile(sources, buffer, context, diagnostics);
    for (Decl *decl : file->decls)
      if (auto *import = dyn_cast<ImportDecl>(decl))
        file->lacksImport |= !follow(*import, buffer, isLibrary);
    stack.pop_back();
    states[identity] = State::Loaded;
    identities[identity] = file;
    files.push_back({file, isLibrary});
  }

  std::vector<LoadedFile> files;

private:
  enum class State { Loading, Loaded };

  /// Where `path`, imported by buffer `importer`, may be, and whether an import path leads there.
  SmallVector<std::pair<std::string, bool>> candidates(StringRef path, unsigned importer) {
    if (sys::path::is_absolute(path))
      return {{path.str(), false}};
    StringRef beside = sys::path::parent_path(sources.getMemoryBuffer(importer)->getBufferIdentifier());
    SmallVector<std::pair<std::string, bool>> result;
    auto add = [&](StringRef folder, bool isLibrary) {
      SmallString<128> candidate(folder);
      sys::path::append(candidate, path);
      result.push_back({candidate.str().str(), isLibrary});
    };
    add(beside, false);
    for (const std::string &folder : importPaths)
      add(folder, true);
    return result;
  }

  /// The file that `import` names, and whether an import path led to it; reports why there is none.
  std::optional<std::pair<std::string, bool>> find(const ImportDecl &import, unsigned importer) {
    StringRef path = import.path->text();
    if (!path.ends_with(".qn")) {
      diagnostics.error(import.path->range, "found `" + path + "`; expected a model file, whose name ends with `.qn`");
      return std::nullopt;
    }
    bool leadsOut = false;
    for (auto &[candidate, isLibrary] : candidates(path, importer)) {
      std::string written = plain(candidate);
      bool isInside = any_of(folders, [&](StringRef folder) {
        StringRef rest = written;
        return rest.consume_front(folder) && rest.starts_with("/");
      });
      leadsOut |= !isInside;
      if (isInside && sys::fs::exists(candidate) && !sys::fs::is_directory(candidate))
        return std::pair(candidate, isLibrary);
    }
    if (leadsOut)
      diagnostics
          .error(import.path->range,
                 "`" + path + "` leads out of the folder of the model and of those that are searched")
          .hint("`-I DIR` lets a model import from another folder");
    else
      diagnostics.error(import.path->range, "cannot find `" + path + "`; looked beside the importing file and in " +
                                                Twine(importPaths.size()) + " import paths");
    return std::nullopt;
  }

  /// The base, whose import is `import`; reports why there is none.
  std::optional<std::pair<std::string, bool>> findBase(const ImportDecl &import, unsigned importer) {
    if (importer != main)
      diagnostics.error(import.range, "a base is imported by the model file itself alone, and has none of its own");
    else if (base.empty())
      diagnostics.error(import.range, "the model has a base; expected its model file with `--base FILE`");
    else if (!base.ends_with(".qn"))
      diagnostics.error(import.range, "the base is `" + base + "`; expected a model file, whose name ends with `.qn`");
    else if (!sys::fs::exists(base))
      diagnostics.error(import.range, "cannot find the base `" + base + "`");
    else
      return std::pair(base.str(), false);
    return std::nullopt;
  }

  /// Loads what `import` names, if that is still to be done; false where its declarations are lost.
  bool follow(const ImportDecl &import, unsigned importer, bool fromLibrary) {
    StringRef path = import.isBase() ? base : import.path->text();
    SourceRange place = import.isBase() ? import.range : import.path->range;
    auto found = import.isBase() ? findBase(import, importer) : find(import, importer);
    if (!found)
      return false;
    bool isThere = load(path, place, *found, fromLibrary);
    return import.isBase() && isThere ? markBase(place) : isThere;
  }

  /// Marks the file that the base is; false where it is no model, which is reported.
  bool markBase(SourceRange place) {
    SmallString<128> identity;
    if (sys::fs::real_path(base, identity))
      identity = base;
    auto loaded = find_if(files, [&](const LoadedFile &file) { return identities.lookup(identity) == file.file; });
    // Not loaded to its end: it imports itself.
    if (loaded == files.end())
      return false;
    loaded->isBase = true;
    if (findRootModule(*loaded->file))
      return true;
    if (!diagnostics.hasErrors())
      diagnostics.error(place, "the base `" + base + "` has no entry; expected a model file");
    return false;
  }

  /// Loads the file `found`, which is called `path` at `place`, if that is still to be done.
  bool load(StringRef path, SourceRange place, const std::pair<std::string, bool> &found, bool fromLibrary) {
    SmallString<128> identity;
    if (sys::fs::real_path(found.first, identity))
      identity = found.first;
    // Errors print lines: of no other file, whatever it is called here.
    if (!identity.ends_with(".qn") || !sys::fs::is_regular_file(identity)) {
      diagnostics.error(place, "`" + path + "` is a link to `" + sys::path::filename(identity) +
                                   "`; expected a regular file whose name ends with `.qn`");
      return false;
    }
    if (auto it = states.find(identity); it != states.end()) {
      if (it->second == State::Loading)
        diagnostics.error(place,
                          "`" + path + "` imports itself" + (stack.back() == identity ? "" : " through other files"));
      return true;
    }
    if (stack.size() >= maxImportDepth) {
      diagnostics.error(place, "imports nest deeper than " + Twine(maxImportDepth));
      return false;
    }
    return open(found.first, place, found.second || fromLibrary, identity);
  }

  bool open(const std::string &path, SourceRange place, bool isLibrary, StringRef identity) {
    Expected<std::unique_ptr<MemoryBuffer>> buffer = readModelText(path);
    if (!buffer) {
      diagnostics.error(place, "cannot read `" + path + "`: " + toString(buffer.takeError()));
      return false;
    }
    load(sources.AddNewSourceBuffer(std::move(*buffer), SMLoc()), isLibrary, identity);
    return true;
  }

  SourceMgr &sources;
  unsigned main;
  ArrayRef<std::string> importPaths;
  StringRef base;
  /// The folders in which files may be: the model's and the import paths.
  std::vector<std::string> folders;
  AstContext &context;
  DiagnosticEngine &diagnostics;
  StringMap<State> states;
  /// The loaded files by their real paths.
  StringMap<const SourceFile *> identities;
  std::vector<std::string> stack;
};

} // namespace

std::vector<LoadedFile> resolveImports(SourceMgr &sources, unsigned main, ArrayRef<std::string> importPaths,
                                       StringRef base, AstContext &context, DiagnosticEngine &diagnostics) {
  StringRef path = sources.getMemoryBuffer(main)->getBufferIdentifier();
  SmallString<128> identity;
  if (sys::fs::real_path(path, identity))
    identity = path;
  Resolver resolver(sources, main, importPaths, base, context, diagnostics);
  resolver.load(main, /*isLibrary=*/false, identity);
  return std::move(resolver.files);
}

} // namespace quern::frontend
