// What a peer can send and receive, before any negotiation: codecs with the payload types they get when nothing else is
// taken, and header extensions (RTCRtpSender.getCapabilities()).
#ifndef RTCLAB_STACK_PEER_NEGOTIATION_CAPABILITIES_H_
#define RTCLAB_STACK_PEER_NEGOTIATION_CAPABILITIES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stack/peer/types.h"
#include "stack/sdp/codec.h"

namespace rtclab::peer {

// URIs of RTP header extensions.
inline constexpr std::string_view kUriMid = "urn:ietf:params:rtp-hdrext:sdes:mid";  // RFC 8843
inline constexpr std::string_view kUriRid =
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";  // RFC 8852
inline constexpr std::string_view kUriRepairedRid =
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";  // RFC 8852
inline constexpr std::string_view kUriAudioLevel =
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level";  // RFC 6464
inline constexpr std::string_view kUriAbsSendTime =
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";
inline constexpr std::string_view kUriTransportCc =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

// One codec. FEC and RED are codecs of their own; retransmission belongs to the codec that it repairs.
struct CodecCapability {
  sdp::Codec codec;                         // payload_type: the preferred one
  std::optional<uint8_t> rtx_payload_type;  // the preferred one; none: no RFC 4588 retransmission
};

struct ExtensionCapability {
  std::string uri;
  uint8_t id = 0;  // the preferred one, 1 to 14
};

struct KindCapabilities {
  std::vector<CodecCapability> codecs;  // most preferred first
  std::vector<ExtensionCapability> extensions;
};

struct Capabilities {
  KindCapabilities audio, video;
  // RFC 6904: extensions are offered encrypted as well, and are taken so where the peer offers that.
  bool encrypted_extensions = false;
  const KindCapabilities& of(MediaKind kind) const {
    return kind == MediaKind::kAudio ? audio : video;
  }
};

// What DefaultCapabilities() offers beside the codecs themselves.
struct CapabilityOptions {
  bool transport_cc = true;  // draft-holmer-rmcat-transport-wide-cc-extensions-01
  bool ccfb = false;         // RFC 8888: "ack ccfb"
  bool remb = true;          // draft-alvestrand-rmcat-remb-03
  bool nack = true;          // RFC 4585 generic NACK and RFC 4588 RTX, video
  bool audio_nack = false;
  bool ulpfec = true;                 // RED (RFC 2198) with ULPFEC (RFC 5109), video
  bool flexfec = true;                // RFC 8627, video
  bool encrypted_extensions = false;  // RFC 6904
};

// Opus (RFC 7587) and VP8 (RFC 7741) with what goes around them. RFC 7874 and RFC 7742 also make PCMU, PCMA and H.264
// mandatory: no model of theirs exists here, so they are not offered.
Capabilities DefaultCapabilities(const CapabilityOptions& options = {});

// RTCRtpCodec, as setCodecPreferences() takes it: "VP8", "rtx", "red" ...
struct CodecPreference {
  std::string name;
  uint32_t clock_rate = 0;
  int channels = 1;
  std::string fmtp;  // empty: any
};

}  // namespace rtclab::peer

#endif  // RTCLAB_STACK_PEER_NEGOTIATION_CAPABILITIES_H_
