#include "stack/media/demux.h"

#include <algorithm>

#include "stack/rtp/header_extensions.h"

namespace rtclab::media {
namespace {

// A sender makes up new SSRCs as it likes; a flood of them must not fill the memory.
constexpr std::size_t kMostRoutes = 256;

}  // namespace

void Demux::SetStreams(const std::vector<ReceiveStreamConfig>& streams) {
  const std::vector<Section> before = std::exchange(sections_, {});
  for (const auto& stream : streams) {
    Section section{stream.mid, {}, stream.extensions};
    for (const auto& codec : stream.codecs) {
      section.payload_types.emplace_back(codec.payload_type, StreamRole::kMedia);
      if (codec.rtx_payload_type) {
        section.payload_types.emplace_back(*codec.rtx_payload_type, StreamRole::kRtx);
      }
    }
    if (stream.fec.kind == FecKind::kUlpfec) {
      section.payload_types.emplace_back(stream.fec.red_payload_type, StreamRole::kMedia);
      if (stream.fec.red_rtx_payload_type)
        section.payload_types.emplace_back(*stream.fec.red_rtx_payload_type, StreamRole::kRtx);
    } else if (stream.fec.kind == FecKind::kFlexfec) {
      section.payload_types.emplace_back(stream.fec.payload_type, StreamRole::kFlexfec);
    }
    sections_.push_back(std::move(section));
  }
  // What was learnt survives under the mid's new index.
  std::vector<Route> kept;
  for (Route& route : routes_) {
    std::size_t index = 0;
    if (FindMid(before[route.section].mid, index) == nullptr) continue;
    route.section = index;
    kept.push_back(std::move(route));
  }
  routes_ = std::move(kept);
  for (std::size_t i = 0; i < streams.size(); ++i) {
    for (const auto& known : streams[i].ssrcs) {
      const auto add = [&](uint32_t ssrc, StreamRole role) {
        if (ssrc == 0) return;
        Route& route = Add(ssrc, i, role, RemoteSsrcMapped::By::kSignalled);
        route.media_ssrc = known.ssrc;
        route.rid = known.rid;
      };
      add(known.ssrc, StreamRole::kMedia);
      add(known.rtx_ssrc, StreamRole::kRtx);
      add(known.flexfec_ssrc, StreamRole::kFlexfec);
    }
  }
  payload_types_.assign(128, {});
  for (std::size_t i = 0; i < sections_.size(); ++i) {
    for (const auto& [number, role] : sections_[i].payload_types) {
      PayloadType& entry = payload_types_[number & 0x7f];
      // A payload type of two m-sections says nothing.
      entry.ambiguous |= entry.known && entry.section != i;
      entry.known = true;
      entry.section = i;
      entry.role = role;
    }
  }
}

Route* Demux::FindRoute(uint32_t ssrc) {
  if (last_ < routes_.size() && routes_[last_].ssrc == ssrc) return &routes_[last_];
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    if (routes_[i].ssrc != ssrc) continue;
    last_ = i;
    return &routes_[i];
  }
  return nullptr;
}

const Demux::Section* Demux::FindMid(std::string_view mid, std::size_t& index) const {
  for (index = 0; index < sections_.size(); ++index) {
    if (sections_[index].mid == mid) return &sections_[index];
  }
  return nullptr;
}

std::optional<StreamRole> Demux::RoleOf(std::size_t section, uint8_t payload_type) const {
  for (const auto& [number, role] : sections_[section].payload_types) {
    if (number == payload_type) return role;
  }
  return std::nullopt;
}

// The m-section is not known yet, so the extension's id is looked for under each one's; those of
// one BUNDLE group must agree (RFC 8843 section 9.1, RFC 8285 section 5).
std::string_view Demux::Text(const rtp::PacketView& packet, uint8_t ExtensionIds::*id) const {
  for (const Section& section : sections_) {
    const uint8_t number = section.extensions.*id;
    if (number == 0) continue;
    const auto value = packet.FindExtension(number);
    if (!value) continue;
    if (const auto text = rtp::ReadTextExtension(*value)) return *text;
  }
  return {};
}

Route& Demux::Add(uint32_t ssrc, std::size_t section, StreamRole role, RemoteSsrcMapped::By by) {
  Route* route = FindRoute(ssrc);
  if (route == nullptr) {
    if (routes_.size() >= kMostRoutes) routes_.erase(routes_.begin());
    route = &routes_.emplace_back();
    last_ = routes_.size() - 1;
  }
  const bool moved = route->ssrc != ssrc || route->section != section || route->role != role;
  if (moved) {
    *route = Route{ssrc, section, role, role == StreamRole::kMedia ? ssrc : 0, {}, by};
  }
  return *route;
}

// A repair stream and the stream it repairs, if signalling did not say: by rid (RFC 8852), else the
// only media stream of the m-section without one of this kind (RFC 4588 section 5.3's association).
void Demux::Pair(Route& route) {
  if (route.role == StreamRole::kMedia || route.media_ssrc != 0) return;
  const Route* found = nullptr;
  for (const Route& other : routes_) {
    if (other.section != route.section || other.role != StreamRole::kMedia) continue;
    if (!route.rid.empty() && other.rid != route.rid) continue;
    const bool taken = std::any_of(routes_.begin(), routes_.end(), [&](const Route& r) {
      return r.role == route.role && r.media_ssrc == other.ssrc && r.ssrc != route.ssrc;
    });
    if (taken && route.rid.empty()) continue;
    if (found != nullptr && route.rid.empty()) return;  // more than one: cannot tell
    found = &other;
  }
  if (found != nullptr) route.media_ssrc = found->ssrc;
}

Demux::Result Demux::Find(const rtp::PacketView& packet) {
  Route* route = FindRoute(packet.ssrc());
  const bool known = route != nullptr;
  // Packets of an associated stream without extensions are the common case.
  if (known && !packet.has_extension()) {
    return {RoleOf(route->section, packet.payload_type()) ? route : nullptr, false};
  }
  const std::string_view mid = Text(packet, &ExtensionIds::mid);
  std::size_t section = known ? route->section : 0;
  if (!mid.empty() && FindMid(mid, section) == nullptr) return {};
  if (known && section == route->section) {
    if (!RoleOf(section, packet.payload_type())) return {};
    if (route->media_ssrc != 0) return {route, false};
    Pair(*route);
    return {route, route->media_ssrc != 0};
  }
  auto by = RemoteSsrcMapped::By::kMid;
  if (mid.empty()) {
    const auto sdes = std::find_if(sdes_mids_.begin(), sdes_mids_.end(),
                                   [&](const auto& entry) { return entry.first == packet.ssrc(); });
    if (sdes != sdes_mids_.end() && FindMid(sdes->second, section) != nullptr) {
      by = RemoteSsrcMapped::By::kMid;
    } else {
      const PayloadType& type = payload_types_[packet.payload_type()];
      if (!type.known || type.ambiguous) return {};
      section = type.section;
      by = RemoteSsrcMapped::By::kPayloadType;
    }
  }
  const auto role = RoleOf(section, packet.payload_type());
  if (!role) return {};
  Route& added = Add(packet.ssrc(), section, *role, by);
  const std::string_view rid =
      Text(packet, *role == StreamRole::kMedia ? &ExtensionIds::rid : &ExtensionIds::repaired_rid);
  if (!rid.empty()) {
    added.rid = std::string(rid);
    if (by == RemoteSsrcMapped::By::kMid) added.by = RemoteSsrcMapped::By::kRid;
  }
  Pair(added);
  return {&added, true};
}

void Demux::OnSdes(uint32_t ssrc, std::string_view mid, std::string_view rid) {
  std::size_t section = 0;
  if (FindMid(mid, section) == nullptr) return;
  if (Route* route = FindRoute(ssrc)) {
    if (route->section == section && route->rid.empty()) route->rid = std::string(rid);
    return;
  }
  // The role is not known before a packet shows its payload type.
  for (auto& entry : sdes_mids_) {
    if (entry.first != ssrc) continue;
    entry.second = std::string(mid);
    return;
  }
  if (sdes_mids_.size() < kMostRoutes) sdes_mids_.emplace_back(ssrc, std::string(mid));
}

void Demux::Remove(uint32_t ssrc) {
  std::erase_if(routes_, [&](const Route& route) { return route.ssrc == ssrc; });
}

}  // namespace rtclab::media
