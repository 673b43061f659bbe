// Reads the members of Session::extra, which may come from a file that somebody changed: what is missing or of another type
// is simply not there.
#ifndef RTCLAB_RESULTS_REPORT_EXTRA_H_
#define RTCLAB_RESULTS_REPORT_EXTRA_H_

#include <optional>
#include <string>
#include <string_view>

#include "results/model.h"

namespace rtclab::results {

// Of an object's member: its elements, when it is an array; otherwise none.
inline const Json& ElementsOf(const Json& object, std::string_view name) {
  static const Json kNone = Json::array();
  if (!object.is_object()) return kNone;
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? *found : kNone;
}
inline std::optional<double> NumberOf(const Json& object, std::string_view name) {
  if (!object.is_object()) return std::nullopt;
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}
inline std::string TextOf(const Json& object, std::string_view name) {
  if (!object.is_object()) return "";
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace rtclab::results

#endif  // RTCLAB_RESULTS_REPORT_EXTRA_H_
