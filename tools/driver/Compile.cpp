//===- Compile.cpp - `quern compile` ----------------------------------------------------------===//

#include "tools/driver/Commands.h"
#include "tools/driver/Compiler.h"
#include "tools/driver/Dot.h"
#include "tools/driver/Files.h"
#include "tools/driver/Limits.h"

#include "codegen/Binary.h"
#include "codegen/HalideBridge.h"
#include "frontend/AstDump.h"
#include "frontend/Diagnostics.h"
#include "frontend/Parser.h"
#include "passes/memory/ArenaUses.h"
#include "runtime/Inputs.h"
#include "runtime/OutputFile.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"

#include <CLI/CLI.hpp>

#include <map>

using namespace mlir;
using namespace quern::frontend;

namespace quern::tool {
namespace {

/// The words of `quern compile`, as the user gave them.
struct CompileOptions : CompilerOptions {
  /// A key of `emitKinds`; empty: an executable.
  std::string emit;
  /// Empty: standard output for texts, `a.out` for code.
  std::string output;
  std::string dumpDir;
  /// Draw the module instead of printing it.
  bool dot = false;
};

/// What a compilation leaves.
enum class Emit { Ast, Graph, Fused, Tiled, Kernels, Halide, Asm, Ptx, OpenCl, Object, Shared, Executable };

const std::map<std::string, Emit> emitKinds = {
    {"ast", Emit::Ast},         {"graph", Emit::Graph},   {"fused", Emit::Fused},  {"tiled", Emit::Tiled},
    {"kernels", Emit::Kernels}, {"halide", Emit::Halide}, {"asm", Emit::Asm},      {"ptx", Emit::Ptx},
    {"opencl", Emit::OpenCl},   {"object", Emit::Object}, {"shared", Emit::Shared}};

/// The last phase of the pipeline that `emit` needs.
Phase lastPhase(Emit emit) {
  switch (emit) {
  case Emit::Ast:
  case Emit::Graph:
    return Phase::Graph;
  case Emit::Fused:
    return Phase::Fused;
  case Emit::Tiled:
    return Phase::Tiled;
  default:
    return Phase::Kernels;
  }
}

/// The device whose kernels `emit` writes as text, and what their files end with; none where it writes something else.
std::optional<std::pair<llvm::StringRef, llvm::StringRef>> getDeviceText(Emit emit) {
  if (emit == Emit::Ptx)
    return {{"cuda", ".ptx"}};
  if (emit == Emit::OpenCl)
    return {{"opencl", ".cl"}};
  return std::nullopt;
}

/// One run of `quern compile`.
class CompileRun {
public:
  CompileRun(const CompileOptions &options, Emit emit) : options(options), emit(emit), compiler(options) {}

  ExitStatus run();

private:
  bool isToFile() const;
  LogicalResult checkOutput();
  LogicalResult lower();
  LogicalResult emitSyntax();
  LogicalResult checkDeviceText();
  LogicalResult emitText();
  LogicalResult emitDeviceText();
  LogicalResult emitCode();
  using Print = llvm::function_ref<LogicalResult(llvm::raw_ostream &)>;
  LogicalResult printTo(Print print);
  LogicalResult printToFile(llvm::StringRef path, Print print);
  LogicalResult dump(llvm::StringRef name, ModuleOp module);

  const CompileOptions &options;
  Emit emit;
  Compiler compiler;
  /// One per target, in the order of the compiler's.
  std::vector<OwningOpRef<ModuleOp>> lowered;
};

/// The syntax tree of the model file alone; it needs no weights.
LogicalResult CompileRun::emitSyntax() {
  llvm::SourceMgr sources;
  std::optional<unsigned> main = openSource(sources, options.model);
  if (!main)
    return failure();
  frontend::DiagnosticEngine diagnostics(sources);
  AstContext tree;
  const SourceFile *file = parseFile(sources, *main, tree, diagnostics);
  diagnostics.print(llvm::errs(), llvm::errs().has_colors());
  if (diagnostics.hasErrors())
    return failure();
  return printTo([&](llvm::raw_ostream &os) {
    dumpAst(*file, os);
    return success();
  });
}

/// Writes `module` as `DUMP_DIR/<target>-<phase>.mlir`.
LogicalResult CompileRun::dump(llvm::StringRef name, ModuleOp module) {
  llvm::SmallString<128> path(options.dumpDir);
  if (std::error_code code = llvm::sys::fs::create_directories(path))
    return refuse("cannot create `" + path + "`: " + code.message());
  llvm::sys::path::append(path, name + ".mlir");
  return printToFile(path, [&](llvm::raw_ostream &os) {
    module->print(os);
    return success();
  });
}

/// Prints the arena of each program, and how much of it is in use at one launch: no smaller one holds that.
static void printArenas(ModuleOp module, llvm::StringRef target) {
  for (auto program : module.getOps<ProgramOp>()) {
    FailureOr<llvm::SmallVector<ArenaUse>> uses = collectArenaUses(program);
    assert(succeeded(uses) && "the form of kernels is verified");
    llvm::errs() << llvm::format("%-12s %8.3f MB, %.3f MB of it in use at once: ", "arena",
                                 program.getArenaBytes() / 1e6, getLeastArena(*uses) / 1e6)
                 << program.getSymName() << " on " << target << '\n';
  }
}

LogicalResult CompileRun::lower() {
  for (const codegen::TargetSpec &target : compiler.getTargets()) {
    if (!options.dumpDir.empty()) {
      constexpr std::pair<Phase, llvm::StringLiteral> phases[] = {
          {Phase::Graph, "graph"}, {Phase::Fused, "fused"}, {Phase::Tiled, "tiled"}, {Phase::Kernels, "kernels"}};
      for (auto [phase, name] : phases) {
        FailureOr<OwningOpRef<ModuleOp>> module = compiler.lower(target, phase);
        if (failed(module) || failed(dump((target.name + "-" + name).str(), **module)))
          return failure();
      }
    }
    FailureOr<OwningOpRef<ModuleOp>> module = compiler.lower(target, lastPhase(emit));
    if (failed(module))
      return failure();
    if (options.timing)
      printArenas(**module, target.name);
    lowered.push_back(std::move(*module));
  }
  return success();
}

/// Prints to a file, whole or not at all.
LogicalResult CompileRun::printToFile(llvm::StringRef path, Print print) {
  codegen::PendingFile file(path);
  if (llvm::Error error = file.create())
    return refuse(std::move(error));
  if (failed(print(file.stream())))
    return failure();
  if (llvm::Error error = file.commit())
    return refuse(std::move(error));
  return success();
}

/// Prints to the output file or to standard output, whose errors `main` tells.
LogicalResult CompileRun::printTo(Print print) {
  return isToFile() ? printToFile(options.output, print) : print(llvm::outs());
}

bool CompileRun::isToFile() const { return emit > Emit::Asm || (!options.output.empty() && options.output != "-"); }

/// Refuses an output that could not be written, or is an input, before the work.
LogicalResult CompileRun::checkOutput() {
  if (!isToFile())
    return success();
  // It is read when kernels are scheduled.
  for (const std::string &path : options.tuned)
    runtime::rememberInput(path);
  if (runtime::Result<void> valid = runtime::checkOutput(options.output.empty() ? "a.out" : options.output); !valid)
    return refuse(valid.error().message);
  return success();
}

/// The text of a device's kernels is for that device alone, and files of a folder.
LogicalResult CompileRun::checkDeviceText() {
  llvm::StringRef device = getDeviceText(emit)->first;
  auto isIt = [&](const codegen::TargetSpec &target) { return target.getDeviceName() == device; };
  if (llvm::none_of(compiler.getTargets(), isIt))
    return refuse("`--emit " + options.emit + "` writes kernels of `" + device + "`, which `--target` leaves out");
  if (options.output.empty() || options.output == "-")
    return refuse("`--emit " + options.emit + "` writes a file for each kernel, expected a folder as `-o`");
  return success();
}

/// Modules as text, or each kernel as Halide's loops or as assembly.
LogicalResult CompileRun::emitText() {
  if ((emit == Emit::Halide || emit == Emit::Asm) && !checkFileLimit())
    return failure();
  return printTo([&](llvm::raw_ostream &os) -> LogicalResult {
    for (auto [target, module] : llvm::zip_equal(compiler.getTargets(), lowered)) {
      if (emit != Emit::Halide && emit != Emit::Asm) {
        options.dot ? printDot(*module, os) : module->print(os);
        continue;
      }
      auto kind = emit == Emit::Halide ? codegen::KernelText::Loops : codegen::KernelText::Assembly;
      for (auto kernel : module->getOps<KernelOp>())
        if (failed(codegen::emitKernel(kernel, target, kernel.getSymName(), kind, os)))
          return failure();
    }
    return success();
  });
}

/// The folder `-o` with a file for each kernel of the device that `emit` is the text of.
LogicalResult CompileRun::emitDeviceText() {
  auto [device, extension] = *getDeviceText(emit);
  if (!checkFileLimit())
    return failure();
  if (std::error_code error = llvm::sys::fs::create_directories(options.output, true, llvm::sys::fs::all_all))
    return refuse("`" + options.output + "`: " + error.message());
  for (auto [target, module] : llvm::zip_equal(compiler.getTargets(), lowered))
    for (auto kernel : module->getOps<KernelOp>())
      if (target.getDeviceName() == device &&
          failed(
              printToFile((options.output + "/" + kernel.getSymName() + extension).str(), [&](llvm::raw_ostream &os) {
                return codegen::emitKernel(kernel, target, kernel.getSymName(), codegen::KernelText::Device, os);
              })))
        return failure();
  return success();
}

/// Objects, libraries and executables.
LogicalResult CompileRun::emitCode() {
  auto kind = emit == Emit::Object   ? codegen::OutputKind::Object
              : emit == Emit::Shared ? codegen::OutputKind::Shared
                                     : codegen::OutputKind::Executable;
  return compiler.compile(lowered, kind, options.output.empty() ? "a.out" : llvm::StringRef(options.output));
}

ExitStatus CompileRun::run() {
  if (failed(compiler.checkUsage()))
    return ExitStatus::Usage;
  if (options.dot && (emit < Emit::Graph || emit > Emit::Kernels)) {
    (void)refuse("`--dot` needs `--emit graph`, `fused`, `tiled` or `kernels`");
    return ExitStatus::Usage;
  }
  if (emit == Emit::Ast)
    return failed(emitSyntax()) ? ExitStatus::Refused : ExitStatus::Success;
  bool isDeviceText = getDeviceText(emit).has_value();
  if (isDeviceText && failed(checkDeviceText()))
    return ExitStatus::Usage;
  if (emit == Emit::Shared && llvm::StringRef(options.output).ends_with(".h")) {
    (void)refuse("`-o` is `" + options.output + "`, the name of the header that is written beside a shared library");
    return ExitStatus::Usage;
  }
  bool isText = emit < Emit::Object;
  if (failed(compiler.readModel()) || (!isDeviceText && failed(checkOutput())) ||
      (!isText && failed(compiler.readText())) || failed(lower()))
    return ExitStatus::Refused;
  return failed(isDeviceText ? emitDeviceText()
                : isText     ? emitText()
                             : emitCode())
             ? ExitStatus::Refused
             : ExitStatus::Success;
}

} // namespace

void addCompileCommand(CLI::App &app, Command &command) {
  CLI::App *sub = app.add_subcommand("compile", "Compile a model file and its weights");
  auto options = std::make_shared<CompileOptions>();
  addCompilerOptions(*sub, *options);
  sub->add_option("--emit", options->emit, "What to write instead of an executable")->check(CLI::IsMember(emitKinds));
  sub->add_flag("--dot", options->dot, "Draw a graph, fused groups, tiles or kernels as Graphviz text");
  sub->add_option("-o", options->output, "The file to write; of ptx and opencl a folder")
      ->check([](const std::string &path) { return path.empty() ? "found an empty name, expected a file" : ""; });
  sub->add_option("--chat-template", options->chatTemplate,
                  "The chat template of this name, where the checkpoint has several; `none` leaves it out");
  sub->add_flag("--no-text", options->noText,
                "Leave out tokenizer and chat template: what is written reads and writes token ids only");
  sub->add_option("--dump-dir", options->dumpDir, "Keep the module after every phase here");
  sub->callback([&command, options] {
    command = [options] {
      Emit emit = options->emit.empty() ? Emit::Executable : emitKinds.at(options->emit);
      // These need no target of a processor, which is what nobody asked for.
      if (auto text = getDeviceText(emit); text && options->targets == "host")
        options->targets = text->first.str();
      return CompileRun(*options, emit).run();
    };
  });
}

} // namespace quern::tool
