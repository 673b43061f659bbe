#include "stack/peer/negotiation/payload_types.h"

#include <algorithm>

namespace rtclab::peer {
namespace {

constexpr std::string_view kRtxName = "rtx";

bool SameParameter(const sdp::Codec& a, const sdp::Codec& b, std::string_view key,
                   std::string_view standard) {
  return a.Parameter(key).value_or(std::string(standard)) ==
         b.Parameter(key).value_or(std::string(standard));
}

bool Matches(const CodecPreference& preference, const sdp::Codec& codec) {
  return codec.NameIs(preference.name) &&
         (preference.clock_rate == 0 || preference.clock_rate == codec.clock_rate) &&
         preference.channels == codec.channels &&
         (preference.fmtp.empty() || preference.fmtp == codec.fmtp);
}

// The feedback of `a` that `b` has too.
std::vector<sdp::Feedback> CommonFeedback(const sdp::Codec& a, const sdp::Codec& b) {
  std::vector<sdp::Feedback> common;
  for (const sdp::Feedback& f : a.feedback) {
    if (b.HasFeedback(f.type, f.parameter)) common.push_back(f);
  }
  return common;
}

}  // namespace

bool SameCodec(const sdp::Codec& a, const sdp::Codec& b) {
  if (!a.NameIs(b.name) || a.clock_rate != b.clock_rate || a.channels != b.channels) return false;
  // RFC 6184 section 8.2.2 and RFC 9628 section 6.
  if (a.NameIs("H264")) {
    return SameParameter(a, b, "packetization-mode", "0") &&
           SameParameter(a, b, "profile-level-id", "42000a");
  }
  if (a.NameIs("VP9")) return SameParameter(a, b, "profile-id", "0");
  return true;
}

bool IsRtx(const sdp::Codec& codec) { return codec.NameIs(kRtxName); }

bool IsResilience(const sdp::Codec& codec) {
  return codec.NameIs("red") || codec.NameIs("ulpfec") || codec.NameIs("flexfec") ||
         codec.NameIs("flexfec-03");
}

sdp::Codec MakeRtx(uint8_t payload_type, const sdp::Codec& primary) {
  sdp::Codec rtx;
  rtx.payload_type = payload_type;
  rtx.name = kRtxName;
  rtx.clock_rate = primary.clock_rate;
  rtx.fmtp = "apt=" + std::to_string(primary.payload_type);
  return rtx;
}

const sdp::Codec* FindRtx(const std::vector<sdp::Codec>& codecs, uint8_t payload_type) {
  const auto it = std::find_if(codecs.begin(), codecs.end(), [payload_type](const sdp::Codec& c) {
    return IsRtx(c) && c.AssociatedPayloadType() == payload_type;
  });
  return it == codecs.end() ? nullptr : &*it;
}

std::vector<LocalCodec> PreferredCodecs(const KindCapabilities& capabilities,
                                        const std::vector<CodecPreference>& preferences) {
  std::vector<LocalCodec> out;
  if (preferences.empty()) {
    for (const CodecCapability& c : capabilities.codecs)
      out.push_back({c.codec, c.rtx_payload_type});
    return out;
  }
  const bool rtx = std::any_of(
      preferences.begin(), preferences.end(),
      [](const CodecPreference& p) { return sdp::Codec{.name = p.name}.NameIs(kRtxName); });
  for (const CodecPreference& preference : preferences) {
    for (const CodecCapability& c : capabilities.codecs) {
      if (!Matches(preference, c.codec)) continue;
      const bool known = std::any_of(out.begin(), out.end(), [&c](const LocalCodec& l) {
        return l.codec.payload_type == c.codec.payload_type;
      });
      if (!known) out.push_back({c.codec, rtx ? c.rtx_payload_type : std::nullopt});
    }
  }
  return out;
}

std::vector<sdp::Codec> CommonCodecs(const std::vector<LocalCodec>& local,
                                     const std::vector<sdp::Codec>& remote, bool local_order) {
  struct Match {
    std::size_t local, remote;
  };
  std::vector<Match> matches;
  for (std::size_t r = 0; r < remote.size(); ++r) {
    if (IsRtx(remote[r])) continue;
    for (std::size_t l = 0; l < local.size(); ++l) {
      if (!SameCodec(local[l].codec, remote[r])) continue;
      matches.push_back({l, r});
      break;
    }
  }
  if (local_order) {
    std::stable_sort(matches.begin(), matches.end(),
                     [](const Match& a, const Match& b) { return a.local < b.local; });
  }
  std::vector<sdp::Codec> common;
  for (const Match& match : matches) {
    sdp::Codec codec = local[match.local].codec;
    codec.payload_type = remote[match.remote].payload_type;
    codec.feedback = CommonFeedback(codec, remote[match.remote]);
    common.push_back(codec);
    if (!local[match.local].rtx_payload_type) continue;
    if (const sdp::Codec* rtx = FindRtx(remote, codec.payload_type))
      common.push_back(MakeRtx(rtx->payload_type, codec));
  }
  return common;
}

void PayloadTypes::Note(MediaKind kind, const std::vector<sdp::Codec>& codecs) {
  ++clock_;
  for (const sdp::Codec& codec : codecs) {
    const auto apt = IsRtx(codec) ? codec.AssociatedPayloadType() : std::nullopt;
    std::erase_if(entries_,
                  [&codec](const Entry& e) { return e.codec.payload_type == codec.payload_type; });
    entries_.push_back({kind, codec, apt, clock_});
  }
}

bool PayloadTypes::IsFree(uint8_t payload_type) const {
  return std::none_of(entries_.begin(), entries_.end(), [payload_type](const Entry& e) {
    return e.codec.payload_type == payload_type;
  });
}

std::optional<uint8_t> PayloadTypes::Choose(MediaKind kind, const sdp::Codec& codec,
                                            std::optional<uint8_t> apt, uint8_t preferred,
                                            const std::vector<LocalCodec>& all) {
  const Entry* known = nullptr;
  for (const Entry& e : entries_) {
    if (e.kind != kind || e.apt != apt || !SameCodec(e.codec, codec)) continue;
    if (known == nullptr || known->noted < e.noted) known = &e;
  }
  if (known != nullptr) return known->codec.payload_type;
  if (preferred < 128 && IsFree(preferred)) return preferred;
  // What others of the list prefer is left to them as long as there is anything else. RFC 5761 section 4 keeps 64 to 95 free
  // for RTCP; 35 to 63 are unassigned.
  const auto wanted = [&all](uint8_t number) {
    return std::any_of(all.begin(), all.end(), [number](const LocalCodec& l) {
      return l.codec.payload_type == number || l.rtx_payload_type == number;
    });
  };
  for (const bool leave : {true, false}) {
    for (const auto& [first, end] : {std::pair<uint8_t, uint8_t>{96, 128}, {35, 64}}) {
      for (uint8_t i = first; i < end; ++i) {
        if (IsFree(i) && !(leave && wanted(i))) return i;
      }
    }
  }
  return std::nullopt;
}

std::vector<sdp::Codec> PayloadTypes::Assign(MediaKind kind, const std::vector<LocalCodec>& local,
                                             const std::vector<sdp::Codec>& negotiated) {
  std::vector<sdp::Codec> out;
  for (const LocalCodec& l : local) {
    sdp::Codec codec = l.codec;
    const auto same = std::find_if(negotiated.begin(), negotiated.end(), [&codec](const auto& n) {
      return !IsRtx(n) && SameCodec(codec, n);
    });
    const auto payload_type = same != negotiated.end()
                                  ? std::optional<uint8_t>(same->payload_type)
                                  : Choose(kind, codec, std::nullopt, codec.payload_type, local);
    if (!payload_type) continue;
    codec.payload_type = *payload_type;
    Note(kind, {codec});
    out.push_back(codec);
    if (!l.rtx_payload_type) continue;
    const sdp::Codec* known = FindRtx(negotiated, codec.payload_type);
    sdp::Codec rtx = MakeRtx(0, codec);
    const auto rtx_type = known != nullptr
                              ? std::optional<uint8_t>(known->payload_type)
                              : Choose(kind, rtx, codec.payload_type, *l.rtx_payload_type, local);
    if (!rtx_type) continue;
    rtx.payload_type = *rtx_type;
    Note(kind, {rtx});
    out.push_back(rtx);
  }
  return out;
}

void ExtensionIds::Note(uint16_t id, std::string_view uri) {
  std::erase_if(entries_, [&](const Entry& e) { return e.id == id || e.uri == uri; });
  entries_.push_back({id, std::string(uri)});
}

uint16_t ExtensionIds::Assign(std::string_view uri, uint8_t preferred) {
  const auto known = std::find_if(entries_.begin(), entries_.end(),
                                  [uri](const Entry& e) { return e.uri == uri; });
  if (known != entries_.end()) return known->id;
  const auto free = [this](uint16_t id) {
    return std::none_of(entries_.begin(), entries_.end(),
                        [id](const Entry& e) { return e.id == id; });
  };
  uint16_t id = preferred;
  // RFC 8285 section 4.2: 15 is reserved in the one-byte form.
  for (uint16_t next = 1; id == 0 || id == 15 || !free(id); ++next) {
    if (next > 255) return 0;
    id = next;
  }
  Note(id, uri);
  return id;
}

}  // namespace rtclab::peer
