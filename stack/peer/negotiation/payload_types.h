// Which payload types and header-extension ids are taken in a session, and by what. In a bundle a payload type means one
// codec and an id one extension in all sections (RFC 8843 sections 9.1 and 10.1), and both stay what they were through
// renegotiation.
#ifndef RTCLAB_STACK_PEER_NEGOTIATION_PAYLOAD_TYPES_H_
#define RTCLAB_STACK_PEER_NEGOTIATION_PAYLOAD_TYPES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stack/peer/negotiation/capabilities.h"
#include "stack/sdp/codec.h"

namespace rtclab::peer {

// Whether two codecs are the same format: name, clock rate, channels and those fmtp parameters that make formats differ
// (H.264's profile and packetization mode, VP9's profile). Retransmission is compared with SameRtx().
bool SameCodec(const sdp::Codec& a, const sdp::Codec& b);
bool IsRtx(const sdp::Codec& codec);
// RED and FEC: they carry or protect media and are none themselves.
bool IsResilience(const sdp::Codec& codec);
// An RTX codec for `primary` (RFC 4588 section 8.1).
sdp::Codec MakeRtx(uint8_t payload_type, const sdp::Codec& primary);
// The RTX codec of the list that repairs `payload_type`, or null.
const sdp::Codec* FindRtx(const std::vector<sdp::Codec>& codecs, uint8_t payload_type);

// A local codec that may be negotiated, with its RTX if it has one.
struct LocalCodec {
  sdp::Codec codec;
  std::optional<uint8_t> rtx_payload_type;
};
// The capabilities in the order of the preferences and without what they leave out; all of them when there are no
// preferences. RTX goes when "rtx" is not among the preferences.
std::vector<LocalCodec> PreferredCodecs(const KindCapabilities& capabilities,
                                        const std::vector<CodecPreference>& preferences);

// What both sides can do: formats of `remote` that are also in `local`, with remote's payload types, ours for fmtp, and the
// feedback that both name. Order: remote's, or local's if `local_order`.
std::vector<sdp::Codec> CommonCodecs(const std::vector<LocalCodec>& local,
                                     const std::vector<sdp::Codec>& remote, bool local_order);

class PayloadTypes {
 public:
  // A description uses these types for these codecs: ours, the peer's, understood or not.
  void Note(MediaKind kind, const std::vector<sdp::Codec>& codecs);
  // The local codecs with payload types: those of `negotiated` first where they are the same formats, then what was noted
  // last for the format, then the preferred one, then any free dynamic one (RFC 3551 section 3: 96 to 127, then 35 to 63).
  // RTX codecs follow their primaries. Codecs for which no payload type is left are not in the result.
  std::vector<sdp::Codec> Assign(MediaKind kind, const std::vector<LocalCodec>& local,
                                 const std::vector<sdp::Codec>& negotiated);

 private:
  struct Entry {
    MediaKind kind = MediaKind::kAudio;
    sdp::Codec codec;            // with its payload type
    std::optional<uint8_t> apt;  // of RTX
    uint64_t noted = 0;          // when, counted
  };
  std::optional<uint8_t> Choose(MediaKind kind, const sdp::Codec& codec, std::optional<uint8_t> apt,
                                uint8_t preferred, const std::vector<LocalCodec>& all);
  bool IsFree(uint8_t payload_type) const;
  std::vector<Entry> entries_;  // one for each payload type that was seen
  uint64_t clock_ = 0;
};

class ExtensionIds {
 public:
  void Note(uint16_t id, std::string_view uri);
  // The id in use for the URI, else the preferred one, else any free one of 1 to 14 and 16 to 255; 0 when none is left.
  uint16_t Assign(std::string_view uri, uint8_t preferred);

 private:
  struct Entry {
    uint16_t id = 0;
    std::string uri;
  };
  std::vector<Entry> entries_;  // the newest last
};

}  // namespace rtclab::peer

#endif  // RTCLAB_STACK_PEER_NEGOTIATION_PAYLOAD_TYPES_H_
