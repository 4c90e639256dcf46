//===- DraftGuesser.cpp - guesses of a smaller model ----------------------------------------------===//

#include "runtime/llm/DraftGuesser.h"

#include "runtime/llm/Sampler.h"
#include "runtime/llm/Tokenizer.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <iostream>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace quern::runtime {

using Json = nlohmann::ordered_json;

static constexpr const char *guessFormat = "quern guesses 1";

Result<std::optional<uint64_t>> digestVocabulary(const Session &session, int64_t count) {
  if (!session.getDescription().text)
    return std::optional<uint64_t>();
  Result<Tokenizer> tokenizer = Tokenizer::create(session);
  if (!tokenizer)
    return tokenizer.error();
  // FNV-1a of each token's bytes and a byte that ends it.
  uint64_t digest = 0xcbf29ce484222325;
  auto add = [&](unsigned byte) { digest = (digest ^ byte) * 0x100000001b3; };
  for (int64_t token = 0; token < count; ++token) {
    for (char byte : tokenizer->decode(static_cast<int32_t>(token)))
      add(static_cast<unsigned char>(byte));
    add(256);
  }
  return std::optional(digest);
}

/// Integers with blanks between them; none where `line` is anything else.
static std::optional<std::vector<int64_t>> parseIntegers(std::string_view line) {
  std::vector<int64_t> numbers;
  const char *next = line.data(), *end = next + line.size();
  while (next != end) {
    int64_t number = 0;
    auto [stop, error] = std::from_chars(next, end, number);
    if (error != std::errc() || (stop != end && *stop != ' '))
      return std::nullopt;
    numbers.push_back(number);
    next = stop == end ? stop : stop + 1;
  }
  return numbers;
}

/// `SEQUENCE KEEP MOST TOKEN...`: the tokens that follow.
static Result<std::string> answer(Engine &engine, std::span<const int64_t> request) {
  bool isValid = request.size() > 3 && request[0] >= 0 && request[0] < engine.getSequenceCount() && request[1] >= 0 &&
                 request[1] <= engine.getSize(request[0]) && request[2] >= 0;
  std::vector<int32_t> tokens;
  for (int64_t token : request.subspan(std::min<size_t>(request.size(), 3))) {
    isValid &= token >= 0 && token < engine.getVocabSize();
    tokens.push_back(static_cast<int32_t>(token));
  }
  if (!isValid)
    return Error{"found a line that is no request for guesses, expected `SEQUENCE KEEP MOST TOKEN...`"};
  int64_t sequence = request[0];
  engine.rewind(request[1], sequence);
  if (Result<void> done = engine.read(tokens, sequence); !done)
    return done.error();
  std::string text;
  for (int64_t i = 0; i < request[2]; ++i) {
    int32_t token = findLargest(engine.getLogits(0));
    if (token < 0)
      break;
    text += (i ? " " : "") + std::to_string(token);
    if (i + 1 == request[2] || engine.getSize(sequence) == engine.getContextSize())
      break;
    if (Result<void> done = engine.read({&token, 1}, sequence); !done)
      return done.error();
  }
  return text;
}

/// The object that answers a request with the other model's vocabulary.
static Result<std::string> introduce(const Session &session, const Engine &engine, int64_t vocabulary) {
  Result<std::optional<uint64_t>> digest = digestVocabulary(session, std::min(vocabulary, engine.getVocabSize()));
  if (!digest)
    return digest.error();
  return Json({{"format", guessFormat},
               {"vocabulary", engine.getVocabSize()},
               {"digest", *digest ? Json(**digest) : Json()},
               {"context", engine.getContextSize()}})
      .dump();
}

Result<void> serveGuesses(const Session &session, Engine &engine) {
  constexpr int64_t maxNumberBytes = 12, maxOtherNumbers = 4;
  std::vector<char> line(static_cast<size_t>(maxNumberBytes * (engine.getContextSize() + maxOtherNumbers)));
  while (std::cin.getline(line.data(), std::ssize(line))) {
    std::optional<std::vector<int64_t>> request = parseIntegers(line.data());
    if (!request || request->empty())
      return Error{"found a line on the standard input that holds no numbers, expected a request for guesses"};
    Result<std::string> text =
        request->size() == 1 ? introduce(session, engine, request->front()) : answer(engine, *request);
    if (!text)
      return text.error();
    std::cout << *text << std::endl;
    if (!std::cout)
      return {};
  }
  if (!std::cin.eof())
    return Error{"found a line of " + std::to_string(line.size()) +
                 " bytes or more on the standard input, expected a request for guesses"};
  return {};
}

DraftGuesser::~DraftGuesser() {
  if (connection >= 0)
    close(connection);
  if (process > 0)
    waitpid(process, nullptr, 0);
}

Error DraftGuesser::ended(const std::string &found) const {
  return Error{"the draft `" + path + "` " + found + ", expected a compiled language model that guesses"};
}

Result<void> DraftGuesser::start(unsigned threads) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return Error{std::string("cannot connect to a draft: ") + std::strerror(errno)};
  connection = ends[0];
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::string sequences = std::to_string(known.size()), count = std::to_string(threads);
  const char *arguments[] = {path.c_str(), "--guess",     "--parallel", sequences.c_str(),
                             "--threads",  count.c_str(), nullptr};
  int error = posix_spawn(&process, path.c_str(), &actions, nullptr, const_cast<char *const *>(arguments), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) {
    process = -1;
    return Error{"cannot run the draft `" + path + "`: " + std::strerror(error)};
  }
  return {};
}

/// Sends a line and waits for one.
Result<std::string> DraftGuesser::ask(const std::string &request) {
  constexpr size_t maxAnswer = 1 << 16;
  constexpr int patience = 60000; // milliseconds without a byte
  std::string line = request + "\n";
  for (std::string_view left = line; !left.empty();) {
    ssize_t sent = send(connection, left.data(), left.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR)
      return ended("has ended");
    left.remove_prefix(static_cast<size_t>(std::max<ssize_t>(sent, 0)));
  }
  while (rest.find('\n') == std::string::npos) {
    pollfd waiting = {connection, POLLIN, 0};
    int ready = poll(&waiting, 1, patience);
    if (ready < 0 && errno == EINTR)
      continue;
    if (ready == 0)
      return ended("has said nothing for a minute");
    char buffer[4096];
    ssize_t count = recv(connection, buffer, sizeof buffer, 0);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return ended("has ended");
    rest.append(buffer, static_cast<size_t>(count));
    if (rest.size() > maxAnswer)
      return ended("has given a line of more than 65536 bytes");
  }
  size_t end = rest.find('\n');
  std::string found = rest.substr(0, end);
  rest.erase(0, end + 1);
  return found;
}

Result<void> DraftGuesser::greet(const Session &session, const Engine &engine) {
  Result<std::string> text = ask(std::to_string(engine.getVocabSize()));
  if (!text)
    return text.error();
  Json json = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  auto isInteger = [&](const char *key) { return json.contains(key) && json[key].is_number_unsigned(); };
  bool isGuesser = json.is_object() && json.contains("format") && json["format"] == guessFormat &&
                   isInteger("vocabulary") && isInteger("context") && json.contains("digest");
  if (!isGuesser)
    return ended("has answered `" + text->substr(0, 60) + "`");
  vocabulary = json["vocabulary"].get<int64_t>(), context = json["context"].get<int64_t>();
  Result<std::optional<uint64_t>> own = digestVocabulary(session, std::min(vocabulary, engine.getVocabSize()));
  if (!own)
    return own.error();
  Json digest = *own ? Json(**own) : Json();
  if (json["digest"] != digest || (digest.is_null() && vocabulary != engine.getVocabSize()))
    return Error{"the draft `" + path + "` has another vocabulary, of " + std::to_string(vocabulary) +
                 " tokens; expected that of the model, of " + std::to_string(engine.getVocabSize())};
  return {};
}

Result<std::unique_ptr<Guesser>> DraftGuesser::create(const std::string &path, const Session &session,
                                                      const Engine &engine) {
  std::unique_ptr<DraftGuesser> guesser(new DraftGuesser(path, engine.getSequenceCount()));
  if (Result<void> started = guesser->start(session.getThreadCount()); !started)
    return started.error();
  if (Result<void> greeted = guesser->greet(session, engine); !greeted)
    return greeted.error();
  return std::unique_ptr<Guesser>(std::move(guesser));
}

Result<void> DraftGuesser::guess(int64_t sequence, std::span<const int32_t> tokens, size_t most, TokenTree &tree) {
  bool isKnown = std::all_of(tokens.begin(), tokens.end(), [&](int32_t token) { return token < vocabulary; });
  int64_t room = context - std::ssize(tokens);
  if (!isKnown || room < 0)
    return {};
  std::vector<int32_t> &before = known[static_cast<size_t>(sequence)];
  size_t keep = 0;
  while (keep < std::min(before.size(), tokens.size() - 1) && before[keep] == tokens[keep])
    ++keep;
  std::string request = std::to_string(sequence) + " " + std::to_string(keep) + " " + std::to_string(most);
  for (int32_t token : tokens.subspan(keep))
    request += " " + std::to_string(token);
  Result<std::string> text = ask(request);
  if (!text)
    return text.error();
  std::optional<std::vector<int64_t>> guesses = parseIntegers(*text);
  if (!guesses || guesses->size() > most)
    return ended("has answered `" + text->substr(0, 60) + "`");
  before.assign(tokens.begin(), tokens.end());
  int32_t node = 0;
  for (size_t i = 0; i < guesses->size(); ++i) {
    int64_t token = (*guesses)[i];
    if (token < 0 || token >= vocabulary)
      return ended("has answered `" + text->substr(0, 60) + "`");
    node = tree.add(static_cast<int32_t>(token), node);
    if (i + 1 < guesses->size()) // the last one it has not read
      before.push_back(static_cast<int32_t>(token));
  }
  return {};
}

} // namespace quern::runtime
