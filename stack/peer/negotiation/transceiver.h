// RTCRtpTransceiver with its sender and receiver, as far as signalling is concerned.
#ifndef RTCLAB_STACK_PEER_NEGOTIATION_TRANSCEIVER_H_
#define RTCLAB_STACK_PEER_NEGOTIATION_TRANSCEIVER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stack/peer/negotiation/capabilities.h"
#include "stack/peer/types.h"
#include "stack/sdp/codec.h"

namespace rtclab::peer {

// Names a transceiver, its sender and its receiver for the life of the connection; never used again.
using TransceiverId = int;

// MediaStreamTrack, as far as a sender needs one.
struct Track {
  std::string id;
  MediaKind kind = MediaKind::kAudio;
};

// RTCRtpEncodingParameters.
struct EncodingParameters {
  std::string rid;  // RFC 8851; empty where there is only one encoding
  bool active = true;
  std::optional<int64_t> max_bitrate_bps;
  std::optional<double> max_framerate;             // video, > 0
  std::optional<double> scale_resolution_down_by;  // video, >= 1
};

// RTCRtpTransceiverInit.
struct TransceiverInit {
  Direction direction = Direction::kSendRecv;
  std::vector<std::string> streams;  // MediaStream ids
  std::vector<EncodingParameters> send_encodings;
  std::optional<Track> track;
};

// One encoding of a sender with the SSRCs that its packets carry.
struct SendEncoding {
  EncodingParameters parameters;
  uint32_t ssrc = 0;
  uint32_t rtx_ssrc = 0;
  uint32_t fec_ssrc = 0;
};

struct Sender {
  std::optional<Track> track;
  std::vector<std::string> stream_ids;  // [[AssociatedMediaStreamIds]]
  std::vector<SendEncoding> encodings;  // [[SendEncodings]], at least one
  std::vector<sdp::Codec> codecs;  // [[SendCodecs]] with the peer's payload types, preferred first
};

struct Receiver {
  std::string track_id;
  std::vector<std::string> stream_ids;  // [[AssociatedRemoteMediaStreams]]
  std::vector<sdp::Codec> codecs;       // [[ReceiveCodecs]] with our payload types
};

struct Transceiver {
  TransceiverId id = 0;
  MediaKind kind = MediaKind::kAudio;
  std::optional<std::string> mid;
  Direction direction = Direction::kSendRecv;
  std::optional<Direction> current_direction;  // null: never negotiated, or stopped
  bool stopping = false;
  bool stopped = false;
  std::vector<CodecPreference> preferred_codecs;
  Sender sender;
  Receiver receiver;

  // Inner slots of webrtc-pc and JSEP.
  std::optional<std::size_t> m_line_index;
  std::optional<Direction> fired_direction;
  bool receptive = false;
  bool ever_sent = false;          // [[CurrentDirection]] was sendrecv or sendonly at some time
  bool from_add_track = false;     // addTrack() made it or took it over
  bool created_by_remote = false;  // an applied remote offer made it, and it has not been answered
};

}  // namespace rtclab::peer

#endif  // RTCLAB_STACK_PEER_NEGOTIATION_TRANSCEIVER_H_
