#include "stack/peer/stats.h"

#include <algorithm>

namespace rtclab::peer {

std::string_view ToString(StatsType type) {
  static constexpr std::string_view kNames[] = {
      "peer-connection",     "certificate",    "transport",          "local-candidate",
      "remote-candidate",    "candidate-pair", "data-channel",       "codec",
      "media-source",        "outbound-rtp",   "remote-inbound-rtp", "inbound-rtp",
      "remote-outbound-rtp", "media-playout"};
  return kNames[static_cast<std::size_t>(type)];
}

const StatsValue* Stats::Find(std::string_view name) const {
  const auto it = std::find_if(members.begin(), members.end(),
                               [name](const auto& m) { return m.first == name; });
  return it == members.end() ? nullptr : &it->second;
}

std::optional<double> Stats::Number(std::string_view name) const {
  const StatsValue* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (const auto* b = std::get_if<bool>(value)) return *b ? 1.0 : 0.0;
  if (const auto* u = std::get_if<uint64_t>(value)) return static_cast<double>(*u);
  if (const auto* i = std::get_if<int64_t>(value)) return static_cast<double>(*i);
  if (const auto* d = std::get_if<double>(value)) return *d;
  return std::nullopt;
}

std::string_view Stats::Text(std::string_view name) const {
  const StatsValue* value = Find(name);
  const auto* text = value != nullptr ? std::get_if<std::string>(value) : nullptr;
  return text != nullptr ? std::string_view(*text) : std::string_view();
}

const Stats* StatsReport::Find(std::string_view id) const {
  const auto it =
      std::find_if(entries.begin(), entries.end(), [id](const Stats& s) { return s.id == id; });
  return it == entries.end() ? nullptr : &*it;
}

std::vector<const Stats*> StatsReport::OfType(StatsType type) const {
  std::vector<const Stats*> found;
  for (const Stats& s : entries) {
    if (s.type == type) found.push_back(&s);
  }
  return found;
}

}  // namespace rtclab::peer
