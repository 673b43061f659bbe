// The codecs of an RTP section: its formats in their order of preference, with what rtpmap, fmtp and rtcp-fb say about each.
#ifndef RTCLAB_STACK_SDP_CODEC_H_
#define RTCLAB_STACK_SDP_CODEC_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stack/sdp/session_description.h"

namespace rtclab::sdp {

struct Feedback {
  std::string type;       // "nack"
  std::string parameter;  // "pli"; may be empty
  bool operator==(const Feedback&) const = default;
};

// Parameters as key and value, in their order; no value where there is no "=". White space around ";" is dropped. Text
// that is not of this form, such as "0-16" of telephone-event or "111/111" of RED, becomes a key without value.
using Parameters = std::vector<std::pair<std::string, std::optional<std::string>>>;
Parameters ParseParameters(std::string_view text);
// "key=value;key": as most senders write it.
std::string FormatParameters(const Parameters& parameters);

struct Codec {
  uint8_t payload_type = 0;
  std::string name;         // the encoding name as written: compare with NameIs()
  uint32_t clock_rate = 0;  // Hz; 0 where the type is neither mapped nor static
  int channels = 1;
  std::string fmtp;  // all fmtp lines of the type, joined with ";"
  std::vector<Feedback>
      feedback;  // the type's own and the wildcards, in order, each once, at most 64

  // Encoding names compare without case (RFC 8866 section 6.6, RFC 4855).
  bool NameIs(std::string_view other) const;
  // The value of an fmtp key, compared without case; "" for a key without value, nullopt where it is absent.
  std::optional<std::string> Parameter(std::string_view key) const;
  // The payload type that an RTX codec repairs (RFC 4588 section 8.1: apt), 0..127.
  std::optional<uint8_t> AssociatedPayloadType() const;
  bool HasFeedback(std::string_view type, std::string_view parameter = "") const;
  bool operator==(const Codec&) const = default;
};

// One entry for each payload type of the m= line, in its order. A format without rtpmap has the name of its static assignment
// (RFC 3551 section 6), else none. Not for sections other than RTP: the result is empty.
std::vector<Codec> Codecs(const MediaDescription& media);
const Codec* FindCodec(const std::vector<Codec>& codecs, uint8_t payload_type);

// Appends the payload type to the formats and its rtpmap, rtcp-fb and fmtp lines to the attributes.
void AddCodec(MediaDescription& media, const Codec& codec);

// Name, clock rate and channels of a static payload type, RFC 3551 section 6; nullopt for unassigned, reserved and dynamic.
std::optional<Codec> StaticCodec(uint8_t payload_type);

}  // namespace rtclab::sdp

#endif  // RTCLAB_STACK_SDP_CODEC_H_
