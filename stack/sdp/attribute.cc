#include "stack/sdp/attribute.h"

#include <algorithm>
#include <array>

#include "stack/base/overloaded.h"
#include "stack/sdp/text.h"

namespace rtclab::sdp {

std::string_view ToString(Flag flag) {
  constexpr std::array<std::string_view, 8> kNames = {
      "rtcp-mux",     "rtcp-mux-only",     "rtcp-rsize",  "ice-lite",
      "ice-mismatch", "end-of-candidates", "bundle-only", "extmap-allow-mixed"};
  return kNames[static_cast<std::size_t>(flag)];
}

std::string_view ToString(Direction direction) {
  constexpr std::array<std::string_view, 4> kNames = {"sendrecv", "sendonly", "recvonly",
                                                      "inactive"};
  return kNames[static_cast<std::size_t>(direction)];
}

Direction Reverse(Direction direction) {
  if (direction == Direction::kSendOnly) return Direction::kRecvOnly;
  if (direction == Direction::kRecvOnly) return Direction::kSendOnly;
  return direction;
}

std::string_view ToString(Setup setup) {
  constexpr std::array<std::string_view, 4> kNames = {"active", "passive", "actpass", "holdconn"};
  return kNames[static_cast<std::size_t>(setup)];
}

std::string_view ToString(ConnectionReuse reuse) {
  return reuse == ConnectionReuse::kNew ? "new" : "existing";
}

std::string_view ToString(RidDirection direction) {
  return direction == RidDirection::kSend ? "send" : "recv";
}

bool IceOptions::Has(std::string_view tag) const {
  return std::ranges::find(tags, tag) != tags.end();
}

std::string_view Name(const AttributeValue& attribute) {
  return std::visit(
      Overloaded{
          [](const OtherAttribute& a) -> std::string_view { return a.name; },
          [](Flag a) { return ToString(a); },
          [](Direction a) { return ToString(a); },
          [](Setup) -> std::string_view { return "setup"; },
          [](ConnectionReuse) -> std::string_view { return "connection"; },
          [](const Group&) -> std::string_view { return "group"; },
          [](const Mid&) -> std::string_view { return "mid"; },
          [](const Msid&) -> std::string_view { return "msid"; },
          [](const MsidSemantic&) -> std::string_view { return "msid-semantic"; },
          [](const Extmap&) -> std::string_view { return "extmap"; },
          [](const Rid&) -> std::string_view { return "rid"; },
          [](const Simulcast&) -> std::string_view { return "simulcast"; },
          [](const IceUfrag&) -> std::string_view { return "ice-ufrag"; },
          [](const IcePwd&) -> std::string_view { return "ice-pwd"; },
          [](const IceOptions&) -> std::string_view { return "ice-options"; },
          [](const IcePacing&) -> std::string_view { return "ice-pacing"; },
          [](const Candidate&) -> std::string_view { return "candidate"; },
          [](const RemoteCandidates&) -> std::string_view { return "remote-candidates"; },
          [](const Fingerprint&) -> std::string_view { return "fingerprint"; },
          [](const TlsId&) -> std::string_view { return "tls-id"; },
          [](const SctpPort&) -> std::string_view { return "sctp-port"; },
          [](const MaxMessageSize&) -> std::string_view { return "max-message-size"; },
          [](const Sctpmap&) -> std::string_view { return "sctpmap"; },
          [](const Rtpmap&) -> std::string_view { return "rtpmap"; },
          [](const Fmtp&) -> std::string_view { return "fmtp"; },
          [](const RtcpFb&) -> std::string_view { return "rtcp-fb"; },
          [](const Ptime&) -> std::string_view { return "ptime"; },
          [](const MaxPtime&) -> std::string_view { return "maxptime"; },
          [](const Ssrc&) -> std::string_view { return "ssrc"; },
          [](const SsrcGroup&) -> std::string_view { return "ssrc-group"; },
          [](const Rtcp&) -> std::string_view { return "rtcp"; },
      },
      attribute);
}

std::string ToString(const AttributeValue& attribute) {
  std::string out;
  AppendTo(out, attribute);
  return out;
}

}  // namespace rtclab::sdp
