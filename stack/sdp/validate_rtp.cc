// Rules about RTP sections: payload types, header extensions, rids, simulcast and sources.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "stack/sdp/codec.h"
#include "stack/sdp/validate_rules.h"

namespace rtclab::sdp {
namespace {

// 0..127, or -1 for anything else.
int PayloadType(std::string_view format) {
  if (format.empty() || format.size() > 3 || format.find_first_not_of("0123456789") != format.npos)
    return -1;
  int value = 0;
  for (const char c : format) value = value * 10 + (c - '0');
  return value <= 127 ? value : -1;
}

void CheckFormats(const MediaDescription& media, const std::vector<Codec>& codecs, Issues& issues) {
  const bool rtcp_mux = media.attributes.Has(Flag::kRtcpMux);
  std::vector<int> seen;
  for (const std::string& format : media.formats) {
    const int type = PayloadType(format);
    if (type < 0) {
      issues.Error(
          media.line, "bad-payload-type",
          fmt::format("{} is no payload type from 0 to 127 (RFC 8866 section 5.14)", format));
      continue;
    }
    if (std::ranges::find(seen, type) != seen.end()) {
      issues.Error(media.line, "payload-type-repeated",
                   fmt::format("payload type {} is listed twice", type));
      continue;
    }
    seen.push_back(type);
    const Codec* codec = FindCodec(codecs, static_cast<uint8_t>(type));
    if (codec != nullptr && codec->name.empty())
      issues.Error(
          media.line, "payload-type-unmapped",
          fmt::format("payload type {} is not static and has no a=rtpmap (RFC 8866 section 6.6)",
                      type));
    if (rtcp_mux && type >= 64 && type <= 95)
      issues.Error(
          media.line, "payload-type-rtcp-range",
          fmt::format(
              "payload type {} looks like RTCP where both share a port (RFC 5761 section 4)",
              type));
  }
}

void CheckCodecLines(const MediaDescription& media, const std::vector<Codec>& codecs,
                     Issues& issues) {
  const auto listed = [&codecs](int type) {
    return type >= 0 && FindCodec(codecs, static_cast<uint8_t>(type)) != nullptr;
  };
  const auto unlisted = [&issues](int line, std::string_view name, std::string_view type) {
    issues.Warn(line, "payload-type-unlisted",
                fmt::format("a={} names {}, which the m= line does not list", name, type));
  };
  std::vector<uint8_t> mapped;
  media.attributes.ForEach<Rtpmap>([&](const Rtpmap& map, int line) {
    if (!listed(map.payload_type)) unlisted(line, "rtpmap", std::to_string(map.payload_type));
    if (std::ranges::find(mapped, map.payload_type) != mapped.end())
      issues.Error(line, "rtpmap-repeated",
                   fmt::format("payload type {} is mapped twice", map.payload_type));
    mapped.push_back(map.payload_type);
  });
  std::array<int, 128> fmtp_lines{};
  media.attributes.ForEach<Fmtp>([&](const Fmtp& fmtp, int line) {
    const int type = PayloadType(fmtp.format);
    if (!listed(type)) return unlisted(line, "fmtp", fmtp.format);
    fmtp_lines[static_cast<std::size_t>(type)] = line;
  });
  // RFC 4588 section 8.6: apt is what the retransmissions are of.
  for (const Codec& codec : codecs) {
    if (!codec.NameIs("rtx")) continue;
    const auto apt = codec.AssociatedPayloadType();
    if (apt && listed(*apt)) continue;
    const int line = fmtp_lines[codec.payload_type];
    issues.Error(line != 0 ? line : media.line, "apt-unknown",
                 "apt of an rtx format must name a listed payload type (RFC 4588 section 8.6)");
  }
  media.attributes.ForEach<RtcpFb>([&](const RtcpFb& feedback, int line) {
    if (feedback.payload_type && !listed(*feedback.payload_type))
      unlisted(line, "rtcp-fb", std::to_string(*feedback.payload_type));
  });
}

void CheckExtensions(const MediaDescription& media, Issues& issues) {
  std::set<uint16_t> seen;
  media.attributes.ForEach<Extmap>([&](const Extmap& map, int line) {
    if (!seen.insert(map.id).second)
      issues.Error(line, "extmap-id-repeated",
                   fmt::format("extension id {} is taken (RFC 8285 section 5)", map.id));
    // RFC 8285 section 5: 4096 to 4351 leave the choice to the answerer.
    if (map.id > 255 && (map.id < 4096 || map.id > 4351))
      issues.Error(
          line, "extmap-id-range",
          fmt::format("extension id {} is not in 1-255 or 4096-4351 (RFC 8285 section 5)", map.id));
  });
}

void CheckSimulcast(const MediaDescription& media, const std::vector<Codec>& codecs,
                    Issues& issues) {
  std::map<std::string_view, const Rid*> rids;
  media.attributes.ForEach<Rid>([&](const Rid& rid, int line) {
    if (!rids.emplace(rid.id, &rid).second)
      issues.Error(line, "rid-repeated",
                   fmt::format("another line has the rid {} too (RFC 8851 section 4)", rid.id));
    for (const uint8_t type : rid.payload_types)
      if (FindCodec(codecs, type) == nullptr)
        issues.Error(line, "rid-unknown-payload-type",
                     fmt::format("pt={} is not on the m= line (RFC 8851 section 4)", type));
  });
  media.attributes.ForEach<Simulcast>([&](const Simulcast& simulcast, int line) {
    std::set<std::string_view> used;
    const auto check = [&](const std::vector<SimulcastStream>& streams, RidDirection direction) {
      for (const SimulcastStream& stream : streams) {
        for (const SimulcastFormat& format : stream) {
          const auto rid = rids.find(format.rid);
          if (rid == rids.end())
            issues.Error(line, "simulcast-unknown-rid",
                         fmt::format("no a=rid for {} (RFC 8853 section 5.2)", format.rid));
          else if (rid->second->direction != direction)
            issues.Error(
                line, "simulcast-rid-direction",
                fmt::format("rid {} has the other direction (RFC 8853 section 5.2)", format.rid));
          if (!used.insert(format.rid).second)
            issues.Error(line, "simulcast-rid-repeated",
                         fmt::format("rid {} is listed twice (RFC 8853 section 5.2)", format.rid));
        }
      }
    };
    check(simulcast.send, RidDirection::kSend);
    check(simulcast.recv, RidDirection::kRecv);
  });
}

void CheckSources(const MediaDescription& media, Issues& issues) {
  std::vector<uint32_t> known;
  media.attributes.ForEach<Ssrc>([&known](const Ssrc& ssrc, int) { known.push_back(ssrc.id); });
  std::ranges::sort(known);
  media.attributes.ForEach<SsrcGroup>([&](const SsrcGroup& group, int line) {
    for (const uint32_t id : group.ids)
      if (!std::ranges::binary_search(known, id))
        issues.Warn(line, "ssrc-group-unknown-ssrc",
                    fmt::format("no a=ssrc for {} (RFC 5576 section 4.2)", id));
  });
  media.attributes.ForEach<Msid>([&](const Msid& msid, int line) {
    if (msid.stream_id.size() > 64 || msid.track_id.size() > 64)
      issues.Warn(line, "msid-length", "an id has more than 64 characters (RFC 8830 section 2)");
  });
}

// Whether two sections may use one payload type for these (RFC 8843 section 9.1.1): the same codec and parameters.
bool SameConfiguration(const Codec& a, const Codec& b) {
  return a.NameIs(b.name) && a.clock_rate == b.clock_rate && a.channels == b.channels &&
         ParseParameters(a.fmtp) == ParseParameters(b.fmtp);
}

}  // namespace

void ValidateRtp(const MediaDescription& media, Issues& issues) {
  const std::vector<Codec> codecs = Codecs(media);
  CheckFormats(media, codecs, issues);
  CheckCodecLines(media, codecs, issues);
  CheckExtensions(media, issues);
  CheckSimulcast(media, codecs, issues);
  CheckSources(media, issues);
}

void ValidateBundledRtp(const std::vector<const MediaDescription*>& sections, Issues& issues) {
  std::vector<Codec> codecs;
  std::map<uint16_t, std::string_view> extensions;
  for (const MediaDescription* media : sections) {
    if (!media->IsRtp()) continue;
    for (Codec& codec : Codecs(*media)) {
      const Codec* other = FindCodec(codecs, codec.payload_type);
      if (other == nullptr) {
        codecs.push_back(std::move(codec));
      } else if (!SameConfiguration(*other, codec)) {
        issues.Error(
            media->line, "bundle-payload-type-conflict",
            fmt::format(
                "payload type {} is {} here and {} elsewhere in the group (RFC 8843 section 9.1.1)",
                codec.payload_type, codec.name, other->name));
      }
    }
    media->attributes.ForEach<Extmap>([&](const Extmap& map, int line) {
      const auto other = extensions.emplace(map.id, map.uri).first;
      if (other->second != map.uri)
        issues.Error(
            line, "bundle-extmap-conflict",
            fmt::format("extension id {} is {} elsewhere in the group (RFC 8843 section 12)",
                        map.id, other->second));
    });
  }
}

}  // namespace rtclab::sdp
