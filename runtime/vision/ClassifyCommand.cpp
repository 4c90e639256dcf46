//===- ClassifyCommand.cpp - says what is in images ---------------------------------------------===//

#include "runtime/cli/Command.h"
#include "runtime/cli/Common.h"
#include "runtime/cli/Profile.h"
#include "runtime/cli/RoutingFiles.h"
#include "runtime/vision/ImageClassifier.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace quern::runtime {

namespace {

/// Classifies images one batch after the other and prints the `top` likeliest classes of each batch, in JSON of all at
/// the end.
class Classification {
public:
  Classification(ImageClassifier &classifier, int64_t top, bool isJson)
      : classifier(classifier), top(top), isJson(isJson) {}

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
  int64_t top;
  bool isJson;
  /// Those of the next run.
  std::vector<std::string> names;
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  size_t done = 0, refused = 0;
};

class ClassifyCommand : public Command {
public:
  std::vector<Option> getOptions() override {
    return {
        Option::operand("IMAGE...", "image", images,
                        "Says what is in images: PNG and JPEG files, and those in folders.")
            .reads(),
        Option("--top", top, "K", {1, mostThings}, "the K likeliest classes (5)"),
        Option("--batch", batch, "N", {1, mostThings}, "images per run, at most"),
        Option("--json", isJson, "print the results in JSON"),
    };
  }
  std::vector<SharedOptions *> getShared() override { return {&profile, &routing}; }
  Result<void> check() const override {
    return images.empty() ? misuse("found no image, expected files or folders") : Result<void>();
  }
  Result<void> run(Session &session) override;

private:
  /// Files and folders.
  std::vector<std::string> images;
  int64_t top = 5;
  std::optional<int64_t> batch;
  bool isJson = false;
  ProfileOptions profile;
  RoutingOptions routing;
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
  Result<std::vector<std::vector<ClassScore>>> scores = classifier.run(top);
  if (!scores)
    return scores.error();
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    nlohmann::ordered_json classes = nlohmann::ordered_json::array();
    text += names[i] + "\n";
    for (const ClassScore &score : (*scores)[i]) {
      classes.push_back({{"label", score.label}, {"probability", score.probability}});
      char number[32];
      std::snprintf(number, sizeof(number), "%10.4f  ", static_cast<double>(score.probability));
      text += number + score.label + "\n";
    }
    results.push_back({{"file", names[i]}, {"top", classes}});
  }
  done += names.size();
  names.clear();
  return isJson ? Result<void>() : print(text);
}

Result<void> Classification::finish() {
  if (classifier.getPending())
    if (Result<void> ran = runBatch(); !ran)
      return ran;
  // Names of files need not be UTF-8.
  using Handler = nlohmann::ordered_json::error_handler_t;
  if (isJson)
    if (Result<void> printed = print(results.dump(2, ' ', false, Handler::replace) + "\n"); !printed)
      return printed;
  if (refused)
    return Error{std::to_string(refused) + " of " + std::to_string(done + refused) + " were not classified"};
  return {};
}

Result<void> ClassifyCommand::run(Session &session) {
  Result<ImageClassifier> classifier = ImageClassifier::create(session, batch);
  if (!classifier)
    return classifier.error();
  Classification classification(*classifier, top, isJson);
  for (const std::string &path : images)
    if (Result<void> added = classification.addPath(path); !added)
      return added;
  return classification.finish();
}

std::unique_ptr<Command> makeClassifyCommand() { return std::make_unique<ClassifyCommand>(); }

} // namespace quern::runtime
