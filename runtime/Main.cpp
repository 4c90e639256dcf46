//===- Main.cpp - the command line of a compiled model ------------------------------------------===//
//
// Linked into executables only; a shared library has the C interface of quern/quern.h instead.
//
//===------------------------------------------------------------------------------------------===//

#include "runtime/File.h"
#include "runtime/MappedFault.h"
#include "runtime/Process.h"
#include "runtime/cli/CommandLine.h"
#include "runtime/cli/Common.h"
#include "runtime/llm/text/quern_text.h"

#include <cstdio>
#include <new>
#include <string_view>
#include <sys/auxv.h>
#include <unistd.h>

using namespace quern::runtime;

/// The model of this program's own file: the one that is named, else what the system shows as the program, also where
/// it has been moved or deleted, else the path that it was started by.
static Result<std::unique_ptr<Session>> openSelf(const std::optional<std::string> &image,
                                                 const SessionOptions &options) {
  static constexpr const char *self = "/proc/self/exe";
  if (image || access(self, R_OK) == 0)
    return Session::open(image.value_or(self), options);
  auto started = reinterpret_cast<const char *>(getauxval(AT_EXECFN));
  if (started && access(started, R_OK) == 0)
    return Session::open(started, options);
  return Error{std::string("could not open this program's own file, neither as `") + self + "` nor as `" +
               (started ? started : "") + "`; name it with `--image FILE`, or mount /proc"};
}

static Result<void> run(const char *program, CommandLine &line) {
  const ProgramOptions &asked = line.getProgramOptions();
  SessionOptions options;
  if (asked.threads)
    options.threads = static_cast<unsigned>(*asked.threads);
  options.device = asked.device;
  Result<std::unique_ptr<Session>> session = openSelf(asked.image, options);
  if (!session)
    return session.error();
  unsigned threads = (*session)->getThreadCount();
  if (asked.threads.value_or(0) > threads)
    std::fprintf(stderr, "%s: note: the system gave %u of %u threads\n", program, threads,
                 static_cast<unsigned>(*asked.threads));
  return line.run(**session);
}

/// Says what went wrong; the exit status.
static int report(const char *program, const Error &error) {
  // Who reads the output has seen enough.
  if (error.message.empty())
    return static_cast<int>(error.kind);
  std::fprintf(stderr, "%s: error: %s\n", program, error.message.c_str());
  if (error.kind == ErrorKind::Usage)
    std::fprintf(stderr, "%s: note: `%s --help` lists the options\n", program, program);
  if (error.kind == ErrorKind::Internal)
    std::fprintf(stderr, "%s: note: this is a mistake of Quern's, not of yours\n", program);
  return static_cast<int>(error.kind);
}

/// How messages call this program.
static std::string_view programName = "model";

/// What is called where the system has no memory left: the library has no exceptions to tell of it.
static void endWithoutMemory() {
  for (std::string_view part : {programName, std::string_view(": error: the system gives no more memory\n")})
    writeAll(STDERR_FILENO, part.data(), part.size());
  _exit(static_cast<int>(ErrorKind::Refused));
}

/// The program proper; its exit status.
static int runProgram(const char *program, std::span<char *const> arguments) {
  CommandLine line(getCommands());
  if (Result<void> parsed = line.parse(arguments); !parsed)
    return report(program, parsed.error());
  const ProgramOptions &asked = line.getProgramOptions();
  Result<void> done = asked.help      ? print(line.formatHelp(program))
                      : asked.version ? printVersion()
                                      : run(program, line);
  return done ? 0 : report(program, done.error());
}

int main(int argc, char **argv) {
  std::set_new_handler(endWithoutMemory);
  quern_text_on_out_of_memory([] { std::get_new_handler()(); });
  const char *program = argc > 0 && *argv[0] ? argv[0] : programName.data();
  programName = program;
  prepareProcess();
  reportMappingFaults(program);
  std::span<char *const> arguments(argv + (argc > 0), static_cast<size_t>(argc > 0 ? argc - 1 : 0));
  int status = 0;
  if (!runWithStack([&] { status = runProgram(program, arguments); }))
    return report(program, Error{"the system gives no stack of " + std::to_string(minStackBytes) +
                                 " bytes; raise the limit with `ulimit -s`"});
  return status;
}
