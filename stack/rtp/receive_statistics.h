// What a receiver knows of one source: validity and extended sequence (RFC 3550 appendix A.1), loss
// (A.3) and jitter (A.8), and the report block that says so.
#ifndef RTCLAB_STACK_RTP_RECEIVE_STATISTICS_H_
#define RTCLAB_STACK_RTP_RECEIVE_STATISTICS_H_

#include <cstdint>
#include <optional>

#include "stack/base/units.h"
#include "stack/rtp/rtcp_packets.h"

namespace rtclab::rtp {

class ReceiveStatistics {
 public:
  // `clock_rate` in Hz, > 0. A source is valid after `probation` packets in sequence (A.1 has 2); 0
  // takes the first packet at its word, for sources that signalling has named.
  ReceiveStatistics(uint32_t ssrc, int clock_rate, int probation = 2);

  // A packet of this source has come (not one from RTX or FEC: that would hide the loss). False: the
  // source is on probation, or the sequence number jumped by 3000 or more and has not been followed by
  // its successor yet (A.1); the packet is then not counted.
  bool OnPacket(Timestamp now, uint16_t sequence, uint32_t timestamp, DataSize payload);
  // Its SR, for LSR and DLSR.
  void OnSenderReport(Timestamp now, const SenderReport& report);
  // The block for the next SR or RR; begins a new interval for the fraction lost. nullopt while the
  // source is on probation.
  std::optional<ReportBlock> Report(Timestamp now);

  uint32_t ssrc() const { return ssrc_; }
  bool valid() const { return started_ && probation_ == 0; }
  int64_t received() const { return received_; }
  DataSize payload_received() const { return payload_; }
  // Expected from the extended sequence numbers, and how many of them are missing; duplicates count as
  // received, so it can be negative.
  int64_t expected() const;
  int64_t lost() const { return expected() - received_; }
  uint32_t extended_highest_sequence() const { return cycles_ + max_sequence_; }
  // In timestamp units, rounded down as in a report; and as time.
  uint32_t jitter() const { return jitter_q4_ >> 4; }
  TimeDelta jitter_time() const;
  Timestamp last_packet() const { return last_packet_; }

 private:
  void Restart(uint16_t sequence);
  bool UpdateSequence(uint16_t sequence);
  void UpdateJitter(Timestamp now, uint32_t timestamp);

  uint32_t ssrc_;
  int clock_rate_;
  int initial_probation_;
  bool started_ = false;
  int probation_;
  uint16_t max_sequence_ = 0;
  uint32_t cycles_ = 0;  // 65536 for each wrap
  uint32_t base_sequence_ = 0;
  uint32_t bad_sequence_ = 0x10000;  // the successor that makes a jump believable; 0x10000: none
  int64_t received_ = 0;
  DataSize payload_;
  int64_t expected_prior_ = 0;
  int64_t received_prior_ = 0;
  std::optional<uint32_t> transit_;
  uint32_t jitter_q4_ = 0;  // in 1/16 timestamp unit
  Timestamp last_packet_;
  std::optional<uint32_t> last_sr_;
  Timestamp last_sr_arrival_;
};

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_RECEIVE_STATISTICS_H_
