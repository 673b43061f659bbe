// What an Engine is told: itself, the streams it sends and the streams it expects. All of it is
// what SDP negotiates, plus the models of sources that stand where cameras and microphones would
// be.
#ifndef RTCLAB_STACK_MEDIA_CONFIG_H_
#define RTCLAB_STACK_MEDIA_CONFIG_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "stack/base/units.h"
#include "stack/congestion/controller.h"
#include "stack/media/audio_model.h"
#include "stack/media/video_model.h"

namespace rtclab::media {

enum class Kind : uint8_t { kAudio, kVideo };
constexpr std::string_view KindName(Kind kind) { return kind == Kind::kAudio ? "audio" : "video"; }

// One codec as SDP negotiated it: an rtpmap, its fmtp, its rtcp-fb and the RTX payload type that
// names it in apt=.
struct CodecConfig {
  std::string name = "VP8";  // "VP8" or "opus", any case
  uint8_t payload_type = 96;
  uint32_t clock_rate = 90'000;
  int channels = 1;
  std::optional<uint8_t> rtx_payload_type;
  bool nack = false;          // rtcp-fb nack
  bool pli = false;           // rtcp-fb nack pli
  bool fir = false;           // rtcp-fb ccm fir
  bool transport_cc = false;  // rtcp-fb transport-cc
  bool remb = false;          // rtcp-fb goog-remb
  bool ccfb = false;          // rtcp-fb ack ccfb (RFC 8888)
  std::map<std::string, std::string>
      fmtp;  // opus: usedtx=1 and cbr=1 are honoured (RFC 7587 section 6.1)
};

// Header extension ids of one m-section (RFC 8285: 1 to 14, or to 255 in the two-byte form); 0 is
// "not negotiated".
struct ExtensionIds {
  uint8_t mid = 0;
  uint8_t rid = 0;
  uint8_t repaired_rid = 0;
  uint8_t abs_send_time = 0;
  uint8_t transport_cc = 0;
  uint8_t audio_level = 0;
  bool operator==(const ExtensionIds&) const = default;
};

enum class FecKind : uint8_t { kNone, kUlpfec, kFlexfec };

struct FecConfig {
  FecKind kind = FecKind::kNone;
  uint8_t payload_type = 0;      // of ulpfec inside RED, or of flexfec
  uint8_t red_payload_type = 0;  // kUlpfec: RFC 2198 carries media and FEC alike
  // kUlpfec: what names RED in apt=. Such retransmissions are taken; ours are of what RED holds.
  std::optional<uint8_t> red_rtx_payload_type;
  uint32_t ssrc = 0;  // kFlexfec: its own stream (RFC 8627)
  // Protection as FEC packets a media packet, 0 to 1. Unset: it follows the reported loss
  // (fec_rate.h).
  std::optional<double> protection;
};

// One RTP stream of a sender: one entry of RTCRtpSendParameters.encodings.
struct Encoding {
  uint32_t ssrc = 0;
  uint32_t rtx_ssrc =
      0;  // 0: no RTX stream; NACKed packets go again as they were, if nack was negotiated
  std::string rid;  // RFC 8851; empty without simulcast
  bool active = true;
  std::optional<DataRate> min_bitrate;
  std::optional<DataRate> max_bitrate;
  double scale_down_by = 1.0;  // >= 1
  std::optional<double> max_framerate;
};

struct SendStreamConfig {
  std::string mid;
  Kind kind = Kind::kVideo;
  CodecConfig codec;
  std::vector<Encoding>
      encodings;  // one, or 2 to 3 for simulcast, lowest resolution first or last alike
  ExtensionIds extensions;
  FecConfig fec;
  std::string track_id;  // trackIdentifier of the statistics
  bool active = true;    // false: no media is sent (replaceTrack(null), direction recvonly)
  std::variant<AudioModelConfig, VideoModelConfig> source;
};

// What a receiver may add to the delay it needs (video and audio alike).
struct PlayoutConfig {
  TimeDelta min_delay = TimeDelta::Zero();
  TimeDelta max_delay =
      TimeDelta::Seconds(10);  // RFC-less; RTCRtpReceiver.jitterBufferTarget goes to 4 s
  TimeDelta decode_time = TimeDelta::Millis(5);  // a decision: of one video frame
};

struct KnownSsrc {
  uint32_t ssrc = 0;
  uint32_t rtx_ssrc = 0;
  uint32_t flexfec_ssrc = 0;
  std::string rid;
};

struct ReceiveStreamConfig {
  std::string mid;
  Kind kind = Kind::kVideo;
  std::vector<CodecConfig> codecs;
  ExtensionIds extensions;
  std::vector<KnownSsrc> ssrcs;  // a=ssrc and a=ssrc-group lines, if any
  FecConfig fec;                 // the payload types of FEC that may come
  PlayoutConfig playout;
  std::string track_id;
};

struct EngineConfig {
  congestion::ControllerKind controller = congestion::ControllerKind::kGcc;
  congestion::ControllerConfig congestion;  // its limits: min, start and max of all that is sent
  // What the network adds to each RTP and RTCP packet: IP and UDP headers, SRTP's tag, TURN's
  // framing. Counted in all rates.
  DataSize overhead_per_packet = DataSize::Bytes(20 + 8 + 16);
  int max_packet_size = 1200;  // bytes of an RTP packet before SRTP, header included
  std::string cname = "rtclab";
  uint32_t feedback_ssrc = 1;     // sender SSRC of RTCP while nothing is sent
  bool reduced_size_rtcp = true;  // RFC 5506: feedback alone in a packet
  TimeDelta rtcp_interval =
      TimeDelta::Seconds(1);  // mean interval of SR and RR, each randomised (RFC 3550 section 6.3)
  bool pace_audio = false;
  bool frame_events = false;  // FrameDecoded for every frame
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_CONFIG_H_
