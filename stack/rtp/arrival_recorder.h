// The receiver's side of congestion feedback: records when packets arrive and makes transport-wide
// feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01) or RFC 8888 reports of them.
#ifndef RTCLAB_STACK_RTP_ARRIVAL_RECORDER_H_
#define RTCLAB_STACK_RTP_ARRIVAL_RECORDER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "stack/base/units.h"
#include "stack/rtp/congestion_feedback.h"
#include "stack/rtp/ntp.h"
#include "stack/rtp/transport_feedback.h"
#include "stack/rtp/unwrapper.h"

namespace rtclab::rtp {

struct FeedbackTiming {
  TimeDelta min_interval = TimeDelta::Millis(50);
  TimeDelta max_interval = TimeDelta::Millis(250);
  TimeDelta initial_interval = TimeDelta::Millis(100);
  double bandwidth_share =
      0.05;  // of the rate given to SetRate(), as RFC 3550 section 6.2 gives RTCP
  DataSize typical_size = DataSize::Bytes(68);  // of a message with IP, UDP and SRTCP overhead
};

// The interval at which a message of the typical size takes its share of `rate`.
TimeDelta FeedbackInterval(const FeedbackTiming& timing, DataRate rate);

// When feedback goes: an interval after the last, or after the first packet since.
class FeedbackSchedule {
 public:
  explicit FeedbackSchedule(const FeedbackTiming& timing)
      : timing_(timing), interval_(timing.initial_interval) {}

  void SetRate(DataRate rate) { interval_ = FeedbackInterval(timing_, rate); }
  void OnPacket(Timestamp now);
  // True: feedback is due now.
  bool HandleTimeout(Timestamp now);
  Timestamp next() const { return next_; }
  // Whether what was due is still being polled.
  bool due() const { return due_; }
  void Done() { due_ = false; }

 private:
  FeedbackTiming timing_;
  TimeDelta interval_;
  std::optional<Timestamp> last_;
  Timestamp next_ = Timestamp::PlusInfinity();
  bool due_ = false;
};

// Arrivals by unwrapped sequence number, those not yet reported and some before them.
class ArrivalWindow {
 public:
  struct Arrival {
    bool received = false;
    uint8_t ecn = 0;
    Timestamp time;
  };

  void Add(Timestamp now, uint16_t sequence, uint8_t ecn);
  // [begin, end): what is to be reported on; empty when nothing has come since.
  int64_t report_begin() const { return report_from_; }
  int64_t report_end() const { return fresh_ ? end() : report_from_; }
  const Arrival& at(int64_t sequence) const {
    return arrivals_[static_cast<std::size_t>(sequence - first_)];
  }
  // Everything before `sequence` has been reported.
  void SetReported(int64_t sequence);

 private:
  int64_t end() const { return first_ + static_cast<int64_t>(arrivals_.size()); }

  SequenceUnwrapper unwrapper_;
  int64_t first_ = 0;
  int64_t report_from_ = 0;
  bool fresh_ = false;
  std::deque<Arrival> arrivals_;
};

// Transport-wide feedback. A message covers everything from the lowest packet not yet reported on; a
// packet that comes late, after a later one was reported, is reported again with what follows it.
class TransportFeedbackRecorder {
 public:
  explicit TransportFeedbackRecorder(uint32_t sender_ssrc, const FeedbackTiming& timing = {});

  void SetSenderSsrc(uint32_t ssrc) { sender_ssrc_ = ssrc; }
  // A packet with this transport-wide sequence number has come; of duplicates the first counts.
  void OnPacket(Timestamp now, uint16_t transport_sequence, uint32_t media_ssrc);
  // The rate that feedback takes its share of.
  void SetRate(DataRate rate) { schedule_.SetRate(rate); }
  // When the next message is due; PlusInfinity while nothing has come.
  Timestamp NextTimeout() const { return schedule_.next(); }
  void HandleTimeout(Timestamp now);
  // The messages that are due, each at most about 1,100 bytes of FCI.
  std::optional<TransportFeedback> PollFeedback();

 private:
  bool BuildNext(TransportFeedback& feedback);

  uint32_t sender_ssrc_;
  FeedbackSchedule schedule_;
  uint32_t media_ssrc_ = 0;
  ArrivalWindow window_;
  uint8_t count_ = 0;
};

// RFC 8888 reports, a block for each SSRC.
class CongestionFeedbackRecorder {
 public:
  explicit CongestionFeedbackRecorder(uint32_t sender_ssrc, const FeedbackTiming& timing = {},
                                      uint32_t ntp_seconds_at_zero = kNtpSecondsAtZero);

  void SetSenderSsrc(uint32_t ssrc) { sender_ssrc_ = ssrc; }
  // `ecn` as in the IP header (RFC 3168). Of duplicates the first arrival counts, and CE of any.
  void OnPacket(Timestamp now, uint32_t ssrc, uint16_t sequence, uint8_t ecn = 0);
  void SetRate(DataRate rate) { schedule_.SetRate(rate); }
  Timestamp NextTimeout() const { return schedule_.next(); }
  void HandleTimeout(Timestamp now);
  // The reports that are due, each at most about 1,100 bytes.
  std::optional<CongestionFeedback> PollFeedback();

 private:
  // Takes up to `budget` metrics out of a stream.
  CongestionBlock TakeBlock(uint32_t ssrc, ArrivalWindow& window, std::size_t budget) const;

  uint32_t sender_ssrc_;
  FeedbackSchedule schedule_;
  uint32_t ntp_seconds_at_zero_;
  std::map<uint32_t, ArrivalWindow> streams_;
  Timestamp report_time_;
};

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_ARRIVAL_RECORDER_H_
