// Reading a JSON object field by field: whatever is of the wrong type, out of range or not known is told with its JSON pointer (RFC 6901).
#ifndef RTCLAB_CONFORMANCE_ENGINE_JSON_FIELDS_H_
#define RTCLAB_CONFORMANCE_ENGINE_JSON_FIELDS_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/error.h"

namespace rtclab::conformance {

// RFC 8259 text; fails with line and column.
Result<nlohmann::json> ParseJson(std::string_view text);

// The valid name that is nearest; empty when none comes near.
std::string NearestName(std::string_view wanted, std::span<const std::string> valid);
// `; did you mean "x"?`, or nothing.
std::string DidYouMean(std::string_view wanted, std::span<const std::string> valid);

class JsonFields {
 public:
  // `error` gets the first complaint of this object and of those inside; it outlives this.
  JsonFields(const nlohmann::json& value, std::string pointer, std::string& error);

  bool Has(const char* key);
  // Absent: nullopt. Anything but the type: a complaint, and nullopt.
  std::optional<std::string> String(const char* key);
  std::optional<bool> Bool(const char* key);
  std::optional<int64_t> Integer(const char* key, int64_t low, int64_t high);
  std::vector<std::string> Strings(const char* key);
  // The object under `key`; nullptr when absent.
  const nlohmann::json* Object(const char* key);
  // Complains of what stands under `key`.
  void Complain(const std::string& key, const std::string& what);
  std::string Pointer(const std::string& key) const;
  // Complains of keys that were never asked for.
  void Finish();

  const nlohmann::json& value() const { return value_; }
  std::string& error() { return error_; }

 private:
  const nlohmann::json* Get(const char* key);
  const nlohmann::json& value_;
  std::string pointer_;
  std::string& error_;
  std::vector<std::string> asked_;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_JSON_FIELDS_H_
