// Attributes of the media: codecs, sources, header extensions, restrictions and simulcast.
#include <algorithm>
#include <array>
#include <utility>

#include "stack/sdp/attribute_parser.h"

namespace rtclab::sdp {
namespace {

constexpr std::string_view kWantPayloadType = "a payload type from 0 to 127";

bool ReadMilliseconds(Scanner& in, TimeDelta& out) {
  const std::size_t start = in.position();
  constexpr std::string_view kWant = "milliseconds above 0, with at most three decimals";
  uint64_t whole = 0;
  if (!in.Number(whole, kWant, 0, 999'999'999)) return false;
  int64_t micros = static_cast<int64_t>(whole) * 1000;
  if (in.Skip('.')) {
    std::string_view digits;
    if (!in.Run(kDigitChar, digits, "decimals")) return false;
    if (digits.size() > 3) return in.FailAt(start, kWant);
    int64_t unit = 100;
    for (const char c : digits) {
      micros += (c - '0') * unit;
      unit /= 10;
    }
  }
  // RFC 8866 section 9: non-zero-int-or-real.
  if (micros == 0) return in.FailAt(start, kWant);
  out = TimeDelta::Micros(micros);
  return in.End();
}

// One rid restriction, RFC 8851 section 10.
bool ReadRestriction(Scanner& in, Rid& rid) {
  std::string_view name;
  const std::size_t start = in.position();
  // rid-param-other has no "_", unlike rid-id.
  if (!in.Run(kRidChar, name, "a restriction such as max-width")) return false;
  if (name.find('_') != name.npos)
    return in.FailAt(start, "a restriction of letters, digits and \"-\"");
  if (name == "pt") return in.FailAt(start, "\"pt=\" as the first restriction only");
  auto& [key, value] = rid.restrictions.emplace_back(std::string(name), std::nullopt);
  if (!in.Skip('=')) return true;
  const std::size_t value_start = in.position();
  const std::string_view text = in.rest().substr(0, in.rest().find(';'));
  for (const char c : text) {
    if (c < 0x20 || c > 0x7E) return in.FailAt(value_start, "a printable value");
    in.Skip(c);
  }
  value = text;
  constexpr std::array<std::string_view, 6> kIntegers = {"max-width", "max-height", "max-fps",
                                                         "max-fs",    "max-br",     "max-pps"};
  if (std::ranges::find(kIntegers, name) == kIntegers.end()) return true;
  const bool digits =
      !text.empty() && std::ranges::all_of(text, [](char c) { return IsIn(c, kDigitChar); });
  return digits || in.FailAt(value_start, "a number");
}

bool ReadSimulcastStreams(Scanner& in, std::vector<SimulcastStream>& out) {
  do {
    SimulcastStream& stream = out.emplace_back();
    do {
      SimulcastFormat& format = stream.emplace_back();
      format.paused = in.Skip('~');
      if (!in.Run(kRidChar, format.rid, "a rid")) return false;
    } while (in.Skip(','));
  } while (in.Skip(';'));
  return in.AtEnd() || in.Next(' ') || in.Fail("\",\", \";\" or the end of the line");
}

bool ReadRidDirection(Scanner& in, RidDirection& out) {
  const std::size_t start = in.position();
  std::string_view word;
  if (!in.Run(kTokenChar, word, "send or recv")) return false;
  if (word != "send" && word != "recv") return in.FailAt(start, "send or recv");
  out = word == "send" ? RidDirection::kSend : RidDirection::kRecv;
  return true;
}

}  // namespace

bool ReadRtpmap(Scanner& in, AttributeValue& out) {
  auto& map = out.emplace<Rtpmap>();
  if (!in.Number(map.payload_type, kWantPayloadType, 0, 127) || !in.Space("an encoding name") ||
      !in.Token(map.encoding, "an encoding name") || !in.Expect('/', "\"/\" and a clock rate") ||
      !in.Number(map.clock_rate, "a clock rate in Hz", 1))
    return false;
  if (in.AtEnd()) return true;
  return in.Expect('/', "\"/\" or the end of the line") &&
         in.Token(map.parameters, "a number of channels") && in.End();
}

bool ReadFmtp(Scanner& in, AttributeValue& out) {
  auto& fmtp = out.emplace<Fmtp>();
  return in.Token(fmtp.format, "a format") && in.Space("parameters") &&
         in.Text(fmtp.parameters, "parameters");
}

bool ReadRtcpFb(Scanner& in, AttributeValue& out) {
  auto& feedback = out.emplace<RtcpFb>();
  if (!in.Skip('*') &&
      !in.Number(feedback.payload_type.emplace(), "a payload type from 0 to 127, or \"*\"", 0, 127))
    return false;
  if (!in.Space("a feedback type") ||
      !in.Run(kRidChar, feedback.type, "a feedback type such as nack"))
    return false;
  if (in.AtEnd()) return true;
  if (!in.Space("a parameter")) return false;
  feedback.trailing_space = in.AtEnd();
  return in.AtEnd() || in.Text(feedback.parameter, "a parameter");
}

bool ReadPtime(Scanner& in, AttributeValue& out) {
  return ReadMilliseconds(in, out.emplace<Ptime>().value);
}

bool ReadMaxPtime(Scanner& in, AttributeValue& out) {
  return ReadMilliseconds(in, out.emplace<MaxPtime>().value);
}

bool ReadSsrc(Scanner& in, AttributeValue& out) {
  auto& ssrc = out.emplace<Ssrc>();
  if (!in.Number(ssrc.id, "an SSRC from 0 to 4294967295") || !in.Space("a source attribute") ||
      !in.Token(ssrc.attribute, "a source attribute such as cname"))
    return false;
  if (in.AtEnd()) return true;
  return in.Expect(':', "\":\" or the end of the line") &&
         in.Text(ssrc.value.emplace(), "a value after the colon");
}

bool ReadSsrcGroup(Scanner& in, AttributeValue& out) {
  auto& group = out.emplace<SsrcGroup>();
  if (!in.Token(group.semantics, "group semantics such as FID")) return false;
  while (in.Skip(' '))
    if (!in.Number(group.ids.emplace_back(), "an SSRC from 0 to 4294967295")) return false;
  return in.End();
}

bool ReadExtmap(Scanner& in, AttributeValue& out) {
  auto& map = out.emplace<Extmap>();
  if (!in.Number(map.id, "an extension id from 1 to 65535", 1)) return false;
  if (in.Skip('/')) {
    const std::size_t start = in.position();
    std::string_view word;
    if (!in.Run(kTokenChar, word, "a direction")) return false;
    for (int i = 0; i <= static_cast<int>(Direction::kInactive); ++i)
      if (ToString(static_cast<Direction>(i)) == word) map.direction = static_cast<Direction>(i);
    if (!map.direction) return in.FailAt(start, "sendrecv, sendonly, recvonly or inactive");
  }
  if (!in.Space("a URI") || !in.Run(kVisibleChar, map.uri, "a URI")) return false;
  if (in.AtEnd()) return true;
  return in.Space("extension attributes") && in.Text(map.attributes, "extension attributes");
}

bool ReadRid(Scanner& in, AttributeValue& out) {
  auto& rid = out.emplace<Rid>();
  if (!in.Run(kRidChar, rid.id, "a rid") || !in.Space("send or recv") ||
      !ReadRidDirection(in, rid.direction))
    return false;
  if (in.AtEnd()) return true;
  if (!in.Space("restrictions")) return false;
  if (in.rest().starts_with("pt=")) {
    for (const char c : {'p', 't', '='}) in.Skip(c);
    do {
      if (!in.Number(rid.payload_types.emplace_back(), kWantPayloadType, 0, 127)) return false;
    } while (in.Skip(','));
    if (in.AtEnd()) return true;
    if (!in.Expect(';', "\",\", \";\" or the end of the line")) return false;
  }
  do {
    if (!ReadRestriction(in, rid)) return false;
  } while (in.Skip(';'));
  return in.End();
}

bool ReadSimulcast(Scanner& in, AttributeValue& out) {
  auto& simulcast = out.emplace<Simulcast>();
  RidDirection first = RidDirection::kSend;
  if (!ReadRidDirection(in, first) || !in.Space("a list of rids")) return false;
  simulcast.recv_first = first == RidDirection::kRecv;
  if (!ReadSimulcastStreams(in, simulcast.recv_first ? simulcast.recv : simulcast.send))
    return false;
  if (in.Skip(' ')) {
    const std::size_t start = in.position();
    RidDirection second = RidDirection::kSend;
    if (!ReadRidDirection(in, second)) return false;
    if (second == first) return in.FailAt(start, first == RidDirection::kSend ? "recv" : "send");
    if (!in.Space("a list of rids")) return false;
    return ReadSimulcastStreams(in, simulcast.recv_first ? simulcast.send : simulcast.recv) &&
           in.End();
  }
  simulcast.recv_first = false;
  return in.End();
}

}  // namespace rtclab::sdp
