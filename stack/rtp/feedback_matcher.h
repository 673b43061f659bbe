// The sender's side of congestion feedback: remembers what was sent and says, for each message of the
// receiver, which of it arrived when. Both wire formats give the same plain structs.
#ifndef RTCLAB_STACK_RTP_FEEDBACK_MATCHER_H_
#define RTCLAB_STACK_RTP_FEEDBACK_MATCHER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "stack/base/units.h"
#include "stack/rtp/congestion_feedback.h"
#include "stack/rtp/transport_feedback.h"
#include "stack/rtp/unwrapper.h"

namespace rtclab::rtp {

// What a sender remembers of one packet.
struct SentRecord {
  int64_t id = 0;  // the sender's own count over all streams, rising by send order
  Timestamp sent;
  DataSize size;  // as the controller counts it, with overhead
  uint32_t ssrc = 0;
  uint16_t sequence = 0;  // RTP's
  int probe_cluster = -1;
  DataSize in_flight_before;
  uint8_t kind = 0;  // the sender's own mark: media, retransmission, padding, ...

  bool operator==(const SentRecord&) const = default;
};

struct MatchedPacket {
  SentRecord record;
  // On the receiver's clock with its unknown offset: only differences mean something. None: the message
  // says that the packet has not come.
  std::optional<Timestamp> received;
  uint8_t ecn = 0;
};

struct MatchedFeedback {
  Timestamp now;
  std::vector<MatchedPacket>
      packets;  // in send order; each packet is reported as received only once
};

// By transport-wide sequence number.
class TransportFeedbackMatcher {
 public:
  // Remembers at most `capacity` packets, the youngest; a power of two, at most 32768.
  explicit TransportFeedbackMatcher(std::size_t capacity = 8192);

  // The next packet's transport-wide sequence number is NextSequence(); OnSent() uses it up.
  uint16_t NextSequence() const { return static_cast<uint16_t>(next_); }
  void OnSent(const SentRecord& record);
  // Arrival times continue across messages: the 24-bit reference time is unwrapped. A packet that an
  // earlier message reported as received is left out, one that it reported as missing is not.
  MatchedFeedback Match(Timestamp now, const TransportFeedback& feedback);

  uint64_t unknown() const { return unknown_; }  // reported on, but not (or no longer) remembered

 private:
  struct Slot {
    int64_t sequence = -1;
    bool reported_received = false;
    SentRecord record;
  };
  std::vector<Slot> slots_;
  int64_t next_ = 0;
  std::optional<int64_t> last_reference_;
  uint64_t unknown_ = 0;
};

// By SSRC and RTP sequence number (RFC 8888).
class CongestionFeedbackMatcher {
 public:
  explicit CongestionFeedbackMatcher(std::size_t capacity_per_stream = 4096);

  void OnSent(const SentRecord& record);
  // Arrivals without a usable time offset (0x1FFE, 0x1FFF) count as received at the report's time, or
  // at its limit. Packets beyond the highest one that the block covers are not looked at.
  MatchedFeedback Match(Timestamp now, const CongestionFeedback& feedback);
  void Forget(uint32_t ssrc) { streams_.erase(ssrc); }

  uint64_t unknown() const { return unknown_; }

 private:
  struct Slot {
    bool used = false;
    bool reported_received = false;
    SentRecord record;
  };
  std::size_t capacity_;
  std::map<uint32_t, std::vector<Slot>> streams_;
  Unwrapper<uint32_t> report_time_;
  uint64_t unknown_ = 0;
};

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_FEEDBACK_MATCHER_H_
