// What an Engine can say about its streams, in the words of W3C webrtc-stats: one structure a
// dictionary, one field a member, named as there with underscores. Times are seconds as doubles as
// there, except timestamps. Members that the W3C text says must not exist for a kind are left at
// their default; optionals are those that exist only sometimes.
#ifndef RTCLAB_STACK_MEDIA_STATS_H_
#define RTCLAB_STACK_MEDIA_STATS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stack/base/units.h"
#include "stack/media/config.h"

namespace rtclab::media {

// RTCRtpStreamStats: what every stream's statistics begin with.
struct RtpStreamStats {
  uint32_t ssrc = 0;
  Kind kind = Kind::kVideo;
  std::string mid;
  std::string codec;  // mime type, such as "video/VP8"; codecId refers to it
  uint8_t payload_type = 0;
};

// RTCReceivedRtpStreamStats.
struct ReceivedRtpStreamStats {
  uint64_t packets_received = 0;
  int64_t packets_lost = 0;
  double jitter = 0;  // seconds
};

// RTCInboundRtpStreamStats.
struct InboundRtpStats : RtpStreamStats, ReceivedRtpStreamStats {
  std::string rid;  // of a simulcast layer received as such; not in W3C
  std::string track_identifier;
  uint64_t bytes_received = 0;
  uint64_t header_bytes_received = 0;
  uint64_t packets_discarded = 0;
  uint64_t packets_received_with_ce = 0;
  uint64_t packets_received_with_ect1 = 0;
  std::optional<Timestamp> last_packet_received_timestamp;
  uint64_t retransmitted_packets_received = 0;
  uint64_t retransmitted_bytes_received = 0;
  std::optional<uint32_t> rtx_ssrc;
  std::optional<uint32_t> fec_ssrc;
  uint64_t fec_packets_received = 0;
  uint64_t fec_bytes_received = 0;
  uint64_t fec_packets_discarded = 0;
  uint32_t nack_count = 0;
  uint32_t pli_count = 0;
  uint32_t fir_count = 0;
  double total_processing_delay = 0;
  double jitter_buffer_delay = 0;
  double jitter_buffer_target_delay = 0;
  double jitter_buffer_minimum_delay = 0;
  uint64_t jitter_buffer_emitted_count = 0;
  // Video.
  uint32_t frames_received = 0;
  uint32_t frames_decoded = 0;
  uint32_t key_frames_decoded = 0;
  uint32_t frames_rendered = 0;
  uint32_t frames_dropped = 0;
  uint32_t frame_width = 0;
  uint32_t frame_height = 0;
  double frames_per_second = 0;
  double total_decode_time = 0;
  double total_inter_frame_delay = 0;
  double total_squared_inter_frame_delay = 0;
  uint32_t freeze_count = 0;
  double total_freezes_duration = 0;
  uint32_t pause_count = 0;
  double total_pauses_duration = 0;
  uint32_t frames_assembled_from_multiple_packets = 0;
  double total_assembly_time = 0;
  // Audio; samples are of the codec's clock rate.
  uint64_t total_samples_received = 0;
  uint64_t concealed_samples = 0;
  uint64_t silent_concealed_samples = 0;
  uint64_t concealment_events = 0;
  uint64_t inserted_samples_for_deceleration = 0;
  uint64_t removed_samples_for_acceleration = 0;
  double audio_level = 0;  // 0 to 1, from the audio-level extension
  double total_audio_energy = 0;
  double total_samples_duration = 0;
  // Not in W3C: what the simulation knows. Frames whose content was checked and was as sent, was
  // not as sent, or carries no identity to check (a real encoder's).
  uint64_t frames_intact = 0;
  uint64_t frames_corrupt = 0;
  uint64_t frames_unverified = 0;
  uint64_t packets_recovered_by_fec = 0;
  std::optional<Timestamp> first_packet_time;
  std::optional<Timestamp> first_frame_time;  // rendered or played
  double total_end_to_end_delay =
      0;  // seconds from capture to rendering, summed over the frames of a known capture time
  uint64_t end_to_end_delay_count = 0;
  double max_end_to_end_delay = 0;
};

// RTCOutboundRtpStreamStats.
enum class QualityLimitation : uint8_t { kNone, kCpu, kBandwidth, kOther };

struct OutboundRtpStats : RtpStreamStats {
  std::string rid;
  uint32_t encoding_index = 0;
  uint64_t packets_sent = 0;
  uint64_t bytes_sent = 0;
  uint64_t header_bytes_sent = 0;
  uint64_t retransmitted_packets_sent = 0;
  uint64_t retransmitted_bytes_sent = 0;
  std::optional<uint32_t> rtx_ssrc;
  double target_bitrate = 0;  // bits per second
  double total_packet_send_delay = 0;
  uint32_t nack_count = 0;
  uint32_t pli_count = 0;
  uint32_t fir_count = 0;
  bool active = true;
  // Video.
  uint64_t total_encoded_bytes_target = 0;
  uint32_t frame_width = 0;
  uint32_t frame_height = 0;
  double frames_per_second = 0;
  uint32_t frames_sent = 0;
  uint32_t huge_frames_sent = 0;
  uint32_t frames_encoded = 0;
  uint32_t key_frames_encoded = 0;
  double total_encode_time = 0;
  QualityLimitation quality_limitation_reason = QualityLimitation::kNone;
  double quality_limitation_none_duration = 0;  // seconds; cpu and other are always 0
  double quality_limitation_bandwidth_duration = 0;
  uint32_t quality_limitation_resolution_changes = 0;
  std::string scalability_mode;  // "L1T2" and so on
  // Not in W3C.
  uint64_t fec_packets_sent = 0;
  uint64_t fec_bytes_sent = 0;
  uint64_t padding_bytes_sent = 0;
};

// RTCRemoteInboundRtpStreamStats: what the far end reported about a stream of ours.
struct RemoteInboundRtpStats : RtpStreamStats, ReceivedRtpStreamStats {
  std::optional<double> round_trip_time;  // seconds
  double total_round_trip_time = 0;
  uint64_t round_trip_time_measurements = 0;
  double fraction_lost = 0;
  Timestamp timestamp;  // when the report arrived
};

// RTCRemoteOutboundRtpStreamStats: what the far end reported about a stream of its own.
struct RemoteOutboundRtpStats : RtpStreamStats {
  uint64_t packets_sent = 0;
  uint64_t bytes_sent = 0;
  uint64_t reports_sent = 0;
  Timestamp remote_timestamp;             // by its clock
  std::optional<double> round_trip_time;  // from RFC 3611, where this end only receives
  double total_round_trip_time = 0;
  uint64_t round_trip_time_measurements = 0;
  Timestamp timestamp;  // when the report arrived
};

// RTCAudioSourceStats and RTCVideoSourceStats.
struct MediaSourceStats {
  std::string track_identifier;
  std::string mid;
  Kind kind = Kind::kVideo;
  uint32_t width = 0;
  uint32_t height = 0;
  uint32_t frames = 0;
  double frames_per_second = 0;
  double audio_level = 0;
  double total_audio_energy = 0;
  double total_samples_duration = 0;
};

struct EngineStats {
  Timestamp timestamp;
  std::vector<InboundRtpStats> inbound_rtp;
  std::vector<OutboundRtpStats> outbound_rtp;
  std::vector<RemoteInboundRtpStats>
      remote_inbound_rtp;  // one for each outbound stream that was reported on
  std::vector<RemoteOutboundRtpStats>
      remote_outbound_rtp;  // one for each inbound stream with a sender report
  std::vector<MediaSourceStats> media_source;
  // Of the transport as a whole; W3C has the first two in RTCIceCandidatePairStats.
  double available_outgoing_bitrate = 0;             // the controller's target, bits per second
  std::optional<double> available_incoming_bitrate;  // the REMB we send, if any
  // Why packets that came were not used.
  uint64_t packets_malformed = 0;
  uint64_t packets_unknown_stream = 0;
  uint64_t rtcp_malformed = 0;
};

// One point of the time series: what happened since the sample before, and how things stand. Rates
// count whole packets with EngineConfig::overhead_per_packet.
struct Sample {
  Timestamp time;
  TimeDelta interval;
  DataRate send_rate;
  DataRate receive_rate;
  DataRate target;  // the controller's
  DataRate pacing;
  DataRate estimate;      // what the controller believes the path carries
  DataRate acknowledged;  // what feedback says arrives
  DataRate video_target;  // what the encoders were asked for together
  TimeDelta queue_delay;  // standing queue of the way out, as the controller sees it
  TimeDelta pacer_delay;  // age of the oldest packet in the pacer
  TimeDelta rtt;          // as the controller sees it; else from receiver reports; zero until known
  double loss = 0;        // as the controller sees it
  // Of the way in, from abs-send-time: one-way delay above the least seen so far. Mean and greatest
  // in the interval; zero if nothing came.
  TimeDelta receive_queue_delay;
  TimeDelta receive_queue_delay_max;
  double receive_loss = 0;       // packets missing of those expected in the interval, all streams
  uint32_t frames_rendered = 0;  // in the interval, all streams
  double freeze_seconds = 0;     // frozen time that ended in the interval
  std::string_view controller_state;  // static storage
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_STATS_H_
