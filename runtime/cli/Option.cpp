//===- Option.cpp - an option of a command line --------------------------------------------------===//

#include "runtime/cli/Option.h"

#include "runtime/File.h"
#include "runtime/Inputs.h"

#include <charconv>
#include <utility>

namespace quern::runtime {

Error misuse(std::string text) { return Error{std::move(text), ErrorKind::Usage}; }

static constexpr std::string_view separator = ", ";

Option Option::chooses() const {
  Option option = *this;
  option.isChosenBy = true;
  return option;
}

Option Option::reads() const {
  Option option = *this;
  option.readsFiles = Reads::Files;
  return option;
}

Option Option::readsAssigned() const {
  Option option = *this;
  option.readsFiles = Reads::AssignedFiles;
  return option;
}

Option Option::sets(bool &flag) const {
  Option option = *this;
  option.also = &flag;
  return option;
}

std::string_view Option::getFlag() const {
  std::string_view all = names;
  return all.substr(0, all.find(separator));
}

bool Option::isCalled(std::string_view name) const {
  for (std::string_view rest = names; !rest.empty();) {
    size_t end = rest.find(separator);
    if (rest.substr(0, end) == name)
      return true;
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + separator.size());
  }
  return false;
}

static std::string formatBound(double bound) {
  char buffer[32];
  auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), bound);
  return bound == mostThings ? "2147483647" : std::string(buffer, end);
}

/// Reads all of `text` as a number.
template <typename T> Result<void> Option::storeNumber(T &number, const std::string &text, const char *expected) const {
  T found{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), found);
  std::string is = inBackticks(getFlag()) + " is " + inBackticks(text) + ", expected ";
  if (error != std::errc() || end != text.data() + text.size())
    return misuse(is + expected);
  auto size = static_cast<double>(found);
  if (range && !(size >= range->min && size <= range->max))
    return misuse(is + formatBound(range->min) + " to " + formatBound(range->max));
  number = found;
  return {};
}

Result<void> Option::store(const std::string &text) const {
  struct Visitor {
    const Option &option;
    const std::string &text;
    Result<void> operator()(std::monostate) { return {}; }
    Result<void> operator()(bool *flag) {
      *flag = true;
      return {};
    }
    Result<void> operator()(int64_t *number) { return option.storeNumber(*number, text, "an integer"); }
    Result<void> operator()(uint64_t *number) { return option.storeNumber(*number, text, "an integer, 0 or more"); }
    Result<void> operator()(float *number) { return option.storeNumber(*number, text, "a number"); }
    Result<void> operator()(std::optional<int64_t> *number) { return (*this)(&number->emplace()); }
    Result<void> operator()(std::optional<float> *number) { return (*this)(&number->emplace()); }
    Result<void> operator()(std::optional<std::string> *value) {
      *value = text;
      return {};
    }
    Result<void> operator()(std::vector<std::string> *list) {
      list->push_back(text);
      return {};
    }
  };
  if (also)
    *also = true;
  return std::visit(Visitor{*this, text}, place);
}

void Option::rememberFiles() const {
  if (readsFiles == Reads::Nothing)
    return;
  auto remember = [&](const std::string &text) {
    // Without a name, which is refused later, all of it.
    rememberInput(readsFiles == Reads::AssignedFiles ? text.substr(text.find('=') + 1) : text);
  };
  if (auto *text = std::get_if<std::optional<std::string> *>(&place); text && **text)
    remember(***text);
  if (auto *list = std::get_if<std::vector<std::string> *>(&place))
    for (const std::string &text : **list)
      remember(text);
}

} // namespace quern::runtime
