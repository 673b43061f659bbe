// When RTCP is sent: RFC 3550 section 6.3 and appendix A.7, early feedback and T_rr_interval of RFC 4585
// section 3.5, several SSRCs of one endpoint by RFC 8108 section 5.3.
#ifndef RTCLAB_STACK_RTP_RTCP_TIMING_H_
#define RTCLAB_STACK_RTP_RTCP_TIMING_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "stack/base/rng.h"
#include "stack/base/units.h"

namespace rtclab::rtp {

struct RtcpTimingConfig {
  DataRate rtcp_bandwidth = DataRate::KilobitsPerSec(50);  // of all members: 5 % of the session's
  double sender_fraction = 0.25;                           // of it for senders (section 6.2)
  bool avpf = true;                                    // RFC 4585; else the rules of RFC 3550 alone
  TimeDelta minimum_interval = TimeDelta::Seconds(5);  // Tmin without AVPF, half of it at first
  TimeDelta regular_interval = TimeDelta::Zero();      // T_rr_interval
  bool multiparty = false;  // more than one CNAME is seen (RFC 8108 section 5.4.2)
  DataSize initial_packet_size =
      DataSize::Bytes(128);  // first guess of avg_rtcp_size, with UDP and IP
};

enum class RtcpKind : uint8_t {
  kRegular,   // a full compound packet of the listed SSRCs, stored feedback with it
  kEarly,     // feedback now, minimal compound or reduced size
  kFeedback,  // stored feedback at a regular time whose report T_rr_interval suppressed (3.5.3, 2b)
  kBye,
};

// What is to be sent now. A regular one lists the SSRC whose time has come and the others after it in the
// order of their times: as many as fit the MTU are to be included.
struct RtcpTransmission {
  RtcpKind kind = RtcpKind::kRegular;
  std::vector<uint32_t> ssrcs;
};

enum class FeedbackDecision : uint8_t {
  kEarly,          // a kEarly transmission will come at its time
  kWithScheduled,  // goes with the next transmission that is scheduled anyway: keep it
  kDiscard,        // would come too late to be useful
};

// Drive it with HandleTimeout() at NextTimeout(); answer each transmission with OnSent().
class RtcpTiming {
 public:
  RtcpTiming(const RtcpTimingConfig& config, Rng& rng);

  // Our own SSRCs: members of the session with times of their own.
  void AddLocal(Timestamp now, uint32_t ssrc);
  void RemoveLocal(uint32_t ssrc);
  // we_sent: has sent RTP since the last but one report (section 6.3.8).
  void SetLocalSender(uint32_t ssrc, bool sender);
  // All members and senders, ours included. A decrease moves the times nearer (reverse reconsideration,
  // section 6.3.4).
  void SetSession(Timestamp now, std::size_t members, std::size_t senders);
  void SetBandwidth(DataRate rtcp_bandwidth) { config_.rtcp_bandwidth = rtcp_bandwidth; }
  // An RTCP packet of somebody, size with UDP and IP, `reporting` SSRCs with SR or RR in it (RFC 8108
  // section 5.3.1).
  void OnReceived(DataSize size, std::size_t reporting);

  // There is feedback to give from `ssrc`, of no use after `max_delay` (T_max_fb_delay).
  FeedbackDecision RequestFeedback(Timestamp now, uint32_t ssrc, TimeDelta max_delay);
  // Leaves the session: a kBye transmission at once, or with more than 50 members after the back-off of
  // section 6.3.7; then OnByeReceived() counts the others' BYEs. Nothing else is sent any more.
  void Leave(Timestamp now, DataSize bye_size);
  void OnByeReceived();

  void HandleTimeout(Timestamp now);
  Timestamp NextTimeout() const;
  std::optional<RtcpTransmission> PollTransmission();
  // The transmission went, with the first `included` of its SSRCs, in one packet of `size` with UDP and IP.
  void OnSent(Timestamp now, const RtcpTransmission& transmission, std::size_t included,
              DataSize size);

  // Td (section 6.3.1), not randomised, for a non-sender; and after how long of silence a member has left
  // (RFC 8108 section 7.1.4: five times Td with a Tmin of 5 s, whatever the profile).
  TimeDelta DeterministicInterval() const;
  TimeDelta MemberTimeout() const;
  double average_size() const { return average_size_; }

 private:
  struct Local {
    bool sender = false;
    bool initial = true;
    bool allow_early = true;
    bool feedback_stored = false;
    Timestamp tp;
    Timestamp tn;
    TimeDelta t_rr;                         // the last T
    std::optional<Timestamp> early;         // te
    std::optional<Timestamp> last_regular;  // t_rr_last
  };

  double IntervalSeconds(bool sender, TimeDelta minimum) const;
  TimeDelta Minimum(const Local& local) const;
  TimeDelta RandomInterval(Local& local);
  void Reschedule(Local& local, Timestamp from);
  void SendEarly(uint32_t ssrc, Local& local);
  void HandleRegular(Timestamp now, uint32_t ssrc, Local& local);
  bool SuppressedByInterval(const Local& local);
  RtcpTransmission Aggregate(uint32_t first) const;
  void OnRegularSent(Timestamp now, std::span<const uint32_t> ssrcs);
  void UpdateAverage(DataSize size, std::size_t reporting);

  RtcpTimingConfig config_;
  Rng& rng_;
  std::map<uint32_t, Local> locals_;
  std::size_t members_ = 1;
  std::size_t senders_ = 0;
  double average_size_;
  bool leaving_ = false;
  bool bye_sent_ = false;
  Timestamp bye_tp_;
  Timestamp bye_tn_ = Timestamp::PlusInfinity();
  std::deque<RtcpTransmission> queue_;
  bool awaiting_sent_ = false;  // a polled regular packet has not been reported as sent yet
};

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_RTCP_TIMING_H_
