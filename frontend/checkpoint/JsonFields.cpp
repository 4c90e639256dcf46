//===- JsonFields.cpp - Fields of untrusted JSON files --------------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/JsonFields.h"

#include "frontend/checkpoint/Json.h"

using namespace llvm;
using namespace quern::frontend;
using nlohmann::json;

std::string JsonFields::locate(StringRef place, StringRef key) {
  return (place.empty() ? Twine(key) : Twine(place) + "." + key).str();
}

Error JsonFields::refuse(const Twine &text) { return createStringError("`" + file + "`: " + text); }

Error JsonFields::refuseValue(const Twine &place, const json &value, const Twine &expected) {
  return refuse("`" + place + "` is " + describeJson(value) + ", expected " + expected);
}

Error JsonFields::checkFormat(const json &tree, StringRef what, StringRef format, StringRef writer) {
  if (!tree.is_object())
    return refuse("found " + describeJson(tree) + ", expected " + what + ", an object");
  auto found = tree.find("format");
  if (found != tree.end() && *found == format.str())
    return Error::success();
  return refuse("`format` is " + (found == tree.end() ? std::string("missing") : describeJson(*found)) +
                ", expected \"" + format + "\", as " + writer + " writes it");
}

Expected<const json *> JsonFields::find(const json &object, StringRef place, StringRef key) {
  auto found = object.find(key.str());
  if (found == object.end())
    return refuse("`" + locate(place, key) + "` is missing");
  return &*found;
}

Expected<std::string> JsonFields::readString(const json &object, StringRef place, StringRef key) {
  Expected<const json *> value = find(object, place, key);
  if (!value)
    return value.takeError();
  if (!(*value)->is_string())
    return refuseValue(locate(place, key), **value, "a string");
  return (*value)->get<std::string>();
}

Expected<int64_t> JsonFields::readInteger(const json &value, const Twine &place, int64_t least, int64_t most) {
  // What is above the largest signed integer is an unsigned one.
  bool fits = value.is_number_integer() && !(value.is_number_unsigned() && value.get<uint64_t>() > uint64_t(most));
  if (!fits || value.get<int64_t>() < least || value.get<int64_t>() > most)
    return refuseValue(place, value, "an integer from " + Twine(least) + " to " + Twine(most));
  return value.get<int64_t>();
}

Expected<int64_t> JsonFields::readField(const json &object, StringRef place, StringRef key, int64_t least,
                                        int64_t most) {
  Expected<const json *> value = find(object, place, key);
  return value ? readInteger(**value, locate(place, key), least, most) : value.takeError();
}

Expected<const json *> JsonFields::readList(const json &object, StringRef place, StringRef key, StringRef elements) {
  Expected<const json *> value = find(object, place, key);
  if (value && !(*value)->is_array())
    return refuseValue(locate(place, key), **value, "a list of " + elements);
  return value;
}
