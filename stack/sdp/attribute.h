// The "a=" lines of a session description as values: one small type for each attribute that JSEP (RFC 8829) uses, and
// OtherAttribute for all the rest, so that nothing that was read is lost.
#ifndef RTCLAB_STACK_SDP_ATTRIBUTE_H_
#define RTCLAB_STACK_SDP_ATTRIBUTE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/units.h"

namespace rtclab::sdp {

// The attributes that are only a name.
enum class Flag : uint8_t {
  kRtcpMux,           // RFC 5761 section 5.1.1
  kRtcpMuxOnly,       // RFC 8858 section 3
  kRtcpRsize,         // RFC 5506 section 5
  kIceLite,           // RFC 8839 section 5.3
  kIceMismatch,       // RFC 8839 section 5.3
  kEndOfCandidates,   // RFC 8840 section 8.2
  kBundleOnly,        // RFC 8843 section 6
  kExtmapAllowMixed,  // RFC 8285 section 6
};
// The attribute's name, for instance "rtcp-mux".
std::string_view ToString(Flag flag);

// RFC 8866 section 6.7: a=sendrecv, a=sendonly, a=recvonly, a=inactive.
enum class Direction : uint8_t { kSendRecv, kSendOnly, kRecvOnly, kInactive };
std::string_view ToString(Direction direction);
// What the other side calls it: sendonly for recvonly and the reverse (RFC 3264 section 6.1).
Direction Reverse(Direction direction);

// RFC 4145 section 4 and RFC 8842 section 5.2.
enum class Setup : uint8_t { kActive, kPassive, kActpass, kHoldconn };
std::string_view ToString(Setup setup);

// RFC 4145 section 5: a=connection.
enum class ConnectionReuse : uint8_t { kNew, kExisting };
std::string_view ToString(ConnectionReuse reuse);

// A network type, address type and address as "c=" and "a=rtcp" carry it (RFC 8866 section 5.7). The address keeps the
// /ttl and /count of multicast, and may be a domain name.
struct ConnectionAddress {
  std::string nettype = "IN";
  std::string addrtype = "IP4";
  std::string address = "0.0.0.0";
  bool operator==(const ConnectionAddress&) const = default;
};

// a=group, RFC 5888 section 5; semantics is BUNDLE (RFC 8843), LS, FID ...
struct Group {
  std::string semantics;
  std::vector<std::string> mids;
  bool operator==(const Group&) const = default;
};

// a=mid, RFC 5888 section 4.
struct Mid {
  std::string value;
  bool operator==(const Mid&) const = default;
};

// a=msid, RFC 8830 section 2. stream_id is "-" where the track has no stream.
struct Msid {
  std::string stream_id;
  std::string track_id;  // may be empty
  bool operator==(const Msid&) const = default;
};

// a=msid-semantic, from drafts of RFC 8830; still sent. Chromium writes a space after the colon.
struct MsidSemantic {
  std::string semantic = "WMS";
  std::vector<std::string> ids;  // stream ids, or "*"
  bool space_after_colon = false;
  bool operator==(const MsidSemantic&) const = default;
};

// a=extmap, RFC 8285 section 8.
struct Extmap {
  uint16_t id =
      0;  // 1..14 one byte, 1..255 two bytes, 4096..4351 for offers that leave the choice open
  std::optional<Direction> direction;
  std::string uri;
  std::string attributes;  // may be empty
  bool operator==(const Extmap&) const = default;
};

enum class RidDirection : uint8_t { kSend, kRecv };
std::string_view ToString(RidDirection direction);

// a=rid, RFC 8851 section 10.
struct Rid {
  std::string id;
  RidDirection direction = RidDirection::kSend;
  std::vector<uint8_t> payload_types;  // "pt="; empty: all
  // Restrictions such as max-width=1280 in their order; no value where the line has no "=".
  std::vector<std::pair<std::string, std::optional<std::string>>> restrictions;
  bool operator==(const Rid&) const = default;
};

// One format of a simulcast stream: "~1" is rid 1, paused at first.
struct SimulcastFormat {
  std::string rid;
  bool paused = false;
  bool operator==(const SimulcastFormat&) const = default;
};
// The alternatives of one stream, at least one, the most preferred first.
using SimulcastStream = std::vector<SimulcastFormat>;

// a=simulcast, RFC 8853 section 5.1. An empty list is a direction that the line does not have.
struct Simulcast {
  std::vector<SimulcastStream> send;
  std::vector<SimulcastStream> recv;
  bool recv_first = false;  // the order on the line, where it has both
  bool operator==(const Simulcast&) const = default;
};

// a=ice-ufrag, RFC 8839 section 5.4: 4 to 256 ice-chars.
struct IceUfrag {
  std::string value;
  bool operator==(const IceUfrag&) const = default;
};

// a=ice-pwd, RFC 8839 section 5.4: 22 to 256 ice-chars.
struct IcePwd {
  std::string value;
  bool operator==(const IcePwd&) const = default;
};

// a=ice-options, RFC 8839 section 5.6.
struct IceOptions {
  std::vector<std::string> tags;
  bool Has(std::string_view tag) const;
  bool operator==(const IceOptions&) const = default;
};

// a=ice-pacing, RFC 8839 section 5.5: Ta in milliseconds.
struct IcePacing {
  uint64_t milliseconds = 50;
  bool operator==(const IcePacing&) const = default;
};

// a=candidate, RFC 8839 section 5.1. The text after "candidate:", of which the shape is checked (foundation to type);
// the rest is for the ICE agent, which must skip a candidate that it does not understand.
struct Candidate {
  std::string text;
  // "candidate:..." as the W3C's RTCIceCandidate has it.
  std::string ToCandidateString() const { return "candidate:" + text; }
  bool operator==(const Candidate&) const = default;
};

// a=remote-candidates, RFC 8839 section 5.2.
struct RemoteCandidates {
  struct Entry {
    int component = 1;  // 1..256
    std::string address;
    uint16_t port = 0;
    bool operator==(const Entry&) const = default;
  };
  std::vector<Entry> entries;
  bool operator==(const RemoteCandidates&) const = default;
};

// a=fingerprint, RFC 8122 section 5. The algorithm is in lower case. Known algorithms have their length checked.
struct Fingerprint {
  std::string algorithm;
  Bytes value;
  bool operator==(const Fingerprint&) const = default;
};

// a=tls-id, RFC 8842 section 4: 20 to 255 characters.
struct TlsId {
  std::string value;
  bool operator==(const TlsId&) const = default;
};

// a=sctp-port, RFC 8841 section 5.
struct SctpPort {
  uint16_t value = 5000;
  bool operator==(const SctpPort&) const = default;
};

// a=max-message-size, RFC 8841 section 6: bytes; 0 is no limit.
struct MaxMessageSize {
  uint64_t bytes = 65536;
  bool operator==(const MaxMessageSize&) const = default;
};

// a=sctpmap of the drafts before RFC 8841: "5000 webrtc-datachannel 1024".
struct Sctpmap {
  uint16_t port = 5000;
  std::string protocol;
  std::optional<uint32_t> streams;
  bool operator==(const Sctpmap&) const = default;
};

// a=rtpmap, RFC 8866 section 6.6.
struct Rtpmap {
  uint8_t payload_type = 0;  // 0..127
  std::string encoding;
  uint32_t clock_rate = 0;  // Hz
  std::string parameters;   // for audio the number of channels; empty: 1
  bool operator==(const Rtpmap&) const = default;
};

// a=fmtp, RFC 8866 section 6.15. The parameters stay as they came; ParseParameters() of codec.h reads key=value ones.
struct Fmtp {
  std::string format;  // the payload type, as text: formats of other protocols are no numbers
  std::string parameters;
  bool operator==(const Fmtp&) const = default;
};

// a=rtcp-fb, RFC 4585 section 4.2.
struct RtcpFb {
  std::optional<uint8_t> payload_type;  // none: "*", all of the section
  std::string type;             // "nack", "ccm", "transport-cc", "goog-remb", "ack", "trr-int" ...
  std::string parameter;        // "pli", "fir", "100" ...; may be empty
  bool trailing_space = false;  // pion ends a line without parameter with a space
  bool operator==(const RtcpFb&) const = default;
};

// a=ptime and a=maxptime, RFC 8866 sections 6.4, 6.5. Microsecond resolution.
struct Ptime {
  TimeDelta value;
  bool operator==(const Ptime&) const = default;
};
struct MaxPtime {
  TimeDelta value;
  bool operator==(const MaxPtime&) const = default;
};

// a=ssrc, RFC 5576 section 4.1: one source attribute such as cname.
struct Ssrc {
  uint32_t id = 0;
  std::string attribute;
  std::optional<std::string> value;
  bool operator==(const Ssrc&) const = default;
};

// a=ssrc-group, RFC 5576 section 4.2: FID (RFC 4588), FEC-FR (RFC 5956), SIM ...
struct SsrcGroup {
  std::string semantics;
  std::vector<uint32_t> ids;
  bool operator==(const SsrcGroup&) const = default;
};

// a=rtcp, RFC 3605 section 2.1.
struct Rtcp {
  uint16_t port = 9;
  std::optional<ConnectionAddress> address;
  bool operator==(const Rtcp&) const = default;
};

// Any other attribute, as it came.
struct OtherAttribute {
  std::string name;
  std::optional<std::string> value;  // what follows the colon
  bool operator==(const OtherAttribute&) const = default;
};

using AttributeValue =
    std::variant<OtherAttribute, Flag, Direction, Setup, ConnectionReuse, Group, Mid, Msid,
                 MsidSemantic, Extmap, Rid, Simulcast, IceUfrag, IcePwd, IceOptions, IcePacing,
                 Candidate, RemoteCandidates, Fingerprint, TlsId, SctpPort, MaxMessageSize, Sctpmap,
                 Rtpmap, Fmtp, RtcpFb, Ptime, MaxPtime, Ssrc, SsrcGroup, Rtcp>;

// The attribute's name as it stands on the line.
std::string_view Name(const AttributeValue& attribute);
// Appends "name" or "name:value", without "a=" and line end.
void AppendTo(std::string& out, const AttributeValue& attribute);
std::string ToString(const AttributeValue& attribute);

}  // namespace rtclab::sdp

#endif  // RTCLAB_STACK_SDP_ATTRIBUTE_H_
