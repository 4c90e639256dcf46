//===- ClassifyCommand.cpp - says what is in images ---------------------------------------------===//

#include "runtime/cli/Commands.h"
#include "runtime/vision/Commands.h"
#include "runtime/vision/ImageClassifier.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace quern::runtime {

/// Classes that are shown when the line does not say.
static constexpr int64_t defaultTop = 5;

namespace {

/// Classifies images one batch after the other and prints each batch's results, in JSON all at the end.
class Classification {
public:
  Classification(ImageClassifier &classifier, const CommandLine &line) : classifier(classifier), line(line) {}

  /// A file, or the images in a folder.
  Result<void> addPath(const std::string &path);
  /// Runs what is left, ends the output; an error when images were refused.
  Result<void> finish();

private:
  Result<void> addFile(const std::string &path);
  Result<void> runBatch();
  /// Says why an image is left out.
  void leaveOut(const Error &error);

  ImageClassifier &classifier;
  const CommandLine &line;
  /// Those of the next run.
  std::vector<std::string> names;
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  size_t done = 0, refused = 0;
};

} // namespace

/// Whether a file of a folder is meant: hidden ones, such as those that macOS leaves beside each file, are not.
static bool isImageName(const std::filesystem::path &path) {
  if (path.filename().string().starts_with('.'))
    return false;
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

void Classification::leaveOut(const Error &error) {
  std::fprintf(stderr, "%s: error: %s\n", program_invocation_name, error.message.c_str());
  ++refused;
}

Result<void> Classification::addPath(const std::string &path) {
  std::error_code code;
  if (!std::filesystem::is_directory(path, code))
    return addFile(path);
  std::vector<std::string> files;
  std::filesystem::directory_iterator entry(path, code), end;
  for (; !code && entry != end; entry.increment(code))
    if (isImageName(entry->path()) && !entry->is_directory(code))
      files.push_back(entry->path().string());
  if (code || files.empty()) {
    leaveOut({"`" + path + "`: " + (code ? code.message() : "the folder has no PNG or JPEG files")});
    return {};
  }
  std::sort(files.begin(), files.end());
  for (const std::string &file : files)
    if (Result<void> added = addFile(file); !added)
      return added;
  return {};
}

Result<void> Classification::addFile(const std::string &path) {
  Result<Picture> picture = readPicture(path);
  if (!picture) {
    leaveOut(picture.error());
    return {};
  }
  classifier.add(*picture);
  names.push_back(path);
  return classifier.isFull() ? runBatch() : Result<void>();
}

Result<void> Classification::runBatch() {
  Result<std::vector<std::vector<ClassScore>>> scores = classifier.run(line.top.value_or(defaultTop));
  if (!scores)
    return scores.error();
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    nlohmann::ordered_json top = nlohmann::ordered_json::array();
    text += names[i] + "\n";
    for (const ClassScore &score : (*scores)[i]) {
      top.push_back({{"label", score.label}, {"probability", score.probability}});
      char number[32];
      std::snprintf(number, sizeof(number), "%10.4f  ", static_cast<double>(score.probability));
      text += number + score.label + "\n";
    }
    results.push_back({{"file", names[i]}, {"top", top}});
  }
  done += names.size();
  names.clear();
  return line.json ? Result<void>() : print(text);
}

Result<void> Classification::finish() {
  if (classifier.getPending())
    if (Result<void> ran = runBatch(); !ran)
      return ran;
  // Names of files need not be UTF-8.
  using Handler = nlohmann::ordered_json::error_handler_t;
  if (line.json)
    if (Result<void> printed = print(results.dump(2, ' ', false, Handler::replace) + "\n"); !printed)
      return printed;
  if (refused)
    return Error{std::to_string(refused) + " of " + std::to_string(done + refused) + " were not classified"};
  return {};
}

Result<void> runClassify(Session &session, const CommandLine &line) {
  Result<ImageClassifier> classifier = ImageClassifier::create(session, line.batch);
  if (!classifier)
    return classifier.error();
  Classification classification(*classifier, line);
  for (const std::string &path : line.images)
    if (Result<void> added = classification.addPath(path); !added)
      return added;
  return classification.finish();
}

extern "C" const ImageCommands quern_image_commands = {runClassify, runBenchImages};

} // namespace quern::runtime
