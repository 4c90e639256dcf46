//===- Json.cpp - Untrusted JSON to a tree --------------------------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/weights/Json.h"

#include "frontend/weights/StoredTensor.h"

#include <vector>

using namespace llvm;
using namespace quern::frontend;
using nlohmann::json;

namespace {

/// Builds the tree from the parser's events, which come from a loop and not
/// from recursion.
class TreeBuilder : public nlohmann::json_sax<json> {
public:
  json root;
  std::string problem;
  size_t position = 0;

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t &) override { return put(value); }
  bool string(string_t &value) override { return put(std::move(value)); }
  bool binary(binary_t &) override { return fail("found binary data, expected JSON"); }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t &value) override {
    if (stack.back()->contains(value))
      return fail("member `" + printable(value) + "` occurs twice in one object");
    member = std::move(value);
    return true;
  }

  bool parse_error(std::size_t at, const std::string &last,
                   const nlohmann::detail::exception &) override {
    position = at;
    return fail("found `" + printable(last) + "`, expected valid JSON");
  }

private:
  static constexpr size_t maxDepth = 64;

  bool fail(std::string what) {
    problem = std::move(what);
    return false;
  }

  json *attach(json value) {
    if (stack.empty()) {
      root = std::move(value);
      return &root;
    }
    json &parent = *stack.back();
    if (parent.is_object())
      return &(parent[member] = std::move(value));
    parent.push_back(std::move(value));
    return &parent.back();
  }

  bool put(json value) {
    attach(std::move(value));
    return true;
  }

  bool open(json value) {
    if (stack.size() == maxDepth)
      return fail("found more than " + std::to_string(maxDepth) + " nested objects and lists");
    stack.push_back(attach(std::move(value)));
    return true;
  }

  bool close() {
    stack.pop_back();
    return true;
  }

  /// The open objects and lists; growing the innermost one moves none of them.
  std::vector<json *> stack;
  std::string member;
};

} // namespace

Expected<json> quern::frontend::parseJson(StringRef text, StringRef file, uint64_t base) {
  TreeBuilder builder;
  if (json::sax_parse(text.begin(), text.end(), &builder))
    return std::move(builder.root);
  std::string place = builder.position ? " at byte " + std::to_string(base + builder.position) : "";
  return refuse("`" + file + "`" + place + ": " + builder.problem);
}

std::string quern::frontend::describeJson(const json &value) {
  if (value.is_null())
    return "null";
  if (value.is_object())
    return "an object";
  if (value.is_array())
    return "a list";
  if (value.is_string())
    return "the string \"" + printable(value.get_ref<const std::string &>()) + "\"";
  if (value.is_boolean())
    return value.get<bool>() ? "true" : "false";
  return "the number " + value.dump();
}
