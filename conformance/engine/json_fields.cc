#include "conformance/engine/json_fields.h"

#include <fmt/format.h>

#include <algorithm>

namespace rtclab::conformance {
namespace {

using Json = nlohmann::json;

std::size_t NameDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

// RFC 6901 section 3.
std::string EscapedToken(std::string_view token) {
  std::string out;
  for (const char c : token) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

Result<Json> ParseJson(std::string_view text) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& e) {
    const std::string_view before = text.substr(0, std::min(e.byte, text.size()));
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    // Of the parser's words without what it quotes of the text, which may be a password.
    std::string_view what = e.what();
    what = what.substr(0, what.find("; last read"));
    const std::size_t detail = what.find("syntax error");
    if (detail != std::string_view::npos) what.remove_prefix(detail);
    return Fail(fmt::format("not JSON (line {}): {}", line, what), e.byte);
  }
}

std::string NearestName(std::string_view wanted, std::span<const std::string> valid) {
  std::string best;
  std::size_t least = std::max<std::size_t>(2, wanted.size() / 3) + 1;
  for (const std::string& name : valid) {
    const std::size_t distance = NameDistance(wanted, name);
    if (distance < least) {
      least = distance;
      best = name;
    }
  }
  return best;
}

std::string DidYouMean(std::string_view wanted, std::span<const std::string> valid) {
  const std::string nearest = NearestName(wanted, valid);
  return nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest);
}

JsonFields::JsonFields(const Json& value, std::string pointer, std::string& error)
    : value_(value), pointer_(std::move(pointer)), error_(error) {
  if (!value_.is_object() && error_.empty()) {
    error_ = fmt::format("{}: expected an object, found {}", pointer_.empty() ? "/" : pointer_,
                         value_.type_name());
  }
}

std::string JsonFields::Pointer(const std::string& key) const {
  return pointer_ + "/" + EscapedToken(key);
}

void JsonFields::Complain(const std::string& key, const std::string& what) {
  if (error_.empty()) error_ = Pointer(key) + ": " + what;
}

const Json* JsonFields::Get(const char* key) {
  asked_.emplace_back(key);
  if (!value_.is_object()) return nullptr;
  const auto found = value_.find(key);
  return found == value_.end() ? nullptr : &*found;
}

bool JsonFields::Has(const char* key) { return Get(key) != nullptr; }

std::optional<std::string> JsonFields::String(const char* key) {
  const Json* value = Get(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  Complain(key, fmt::format("expected a string, found {}", value->type_name()));
  return std::nullopt;
}

std::optional<bool> JsonFields::Bool(const char* key) {
  const Json* value = Get(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  Complain(key, fmt::format("expected true or false, found {}", value->type_name()));
  return std::nullopt;
}

std::optional<int64_t> JsonFields::Integer(const char* key, int64_t low, int64_t high) {
  const Json* value = Get(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_number_integer() && *value >= low && *value <= high) return value->get<int64_t>();
  Complain(key, fmt::format("expected a whole number from {} to {}, found {}", low, high,
                            value->is_number() ? value->dump() : value->type_name()));
  return std::nullopt;
}

std::vector<std::string> JsonFields::Strings(const char* key) {
  std::vector<std::string> out;
  const Json* value = Get(key);
  if (value == nullptr) return out;
  if (!value->is_array()) {
    Complain(key, fmt::format("expected an array of strings, found {}", value->type_name()));
    return out;
  }
  for (std::size_t i = 0; i < value->size(); ++i) {
    const Json& item = (*value)[i];
    if (item.is_string()) {
      out.push_back(item.get<std::string>());
    } else if (error_.empty()) {
      error_ = fmt::format("{}/{}: expected a string, found {}", Pointer(key), i, item.type_name());
    }
  }
  return out;
}

const Json* JsonFields::Object(const char* key) {
  const Json* value = Get(key);
  if (value == nullptr || value->is_object()) return value;
  Complain(key, fmt::format("expected an object, found {}", value->type_name()));
  return nullptr;
}

void JsonFields::Finish() {
  if (!value_.is_object()) return;
  for (const auto& [key, unused] : value_.items()) {
    if (std::find(asked_.begin(), asked_.end(), key) == asked_.end()) {
      Complain(key, "unknown key" + DidYouMean(key, asked_));
    }
  }
}

}  // namespace rtclab::conformance
