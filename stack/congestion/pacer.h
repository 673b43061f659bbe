// Spreads packets over time: one leaky bucket for all streams, priorities by what a packet carries,
// probe clusters, padding, and the limit of a controller's window. Sans-IO.
//
// The drive: after Enqueue(), SetRates(), SetInFlight(), AddProbe() or at NextTimeout():
//
//   while (auto packet = pacer.Poll(now)) Send(*packet);
//   if (DataSize wanted = pacer.PaddingWanted(now); wanted > DataSize()) {
//     make padding of about that size and Enqueue() it as kPadding, then poll again;
//   }
//
// PaddingWanted() that is not answered asks again a little later.
#ifndef RTCLAB_STACK_CONGESTION_PACER_H_
#define RTCLAB_STACK_CONGESTION_PACER_H_

#include <array>
#include <cstdint>
#include <optional>

#include "stack/base/bytes.h"
#include "stack/base/ring.h"
#include "stack/base/units.h"
#include "stack/congestion/types.h"

namespace rtclab::congestion {

struct PacerConfig {
  // Packets due within this much leave together. A group of GCC's arrival-time filter is as long
  // (draft-ietf-rmcat-gcc-02 section 5.2).
  TimeDelta burst = TimeDelta::Millis(5);
  // No packet shall wait longer: a fuller queue raises the rate, as deployed (2 s). PlusInfinity():
  // never.
  TimeDelta queue_time_limit = TimeDelta::Seconds(2);
  bool pace_audio = false;      // otherwise audio leaves as soon as the window allows, as deployed
  bool audio_in_budget = true;  // whether audio delays what follows
  // A closed window lets one packet through this often, so that lost feedback cannot silence a
  // sender for good (RFC 8298 section 8: minimum send rate without feedback).
  TimeDelta closed_window_interval = TimeDelta::Millis(500);
};

// A packet in the queue. `payload` and `handle` are the caller's.
struct PacedPacket {
  PacketClass packet_class = PacketClass::kVideo;
  uint32_t ssrc = 0;
  DataSize size;  // bytes on the wire, IP and UDP headers included; > 0
  Bytes payload;
  uint64_t handle = 0;
  Timestamp enqueued;      // set by Enqueue()
  int probe_cluster = -1;  // set by Poll()
};

class Pacer {
 public:
  explicit Pacer(const PacerConfig& config = {}) : config_(config) {}

  void Enqueue(Timestamp now, PacedPacket packet);
  // `pacing` > 0. `padding`: the rate that padding fills up to; zero for none.
  void SetRates(Timestamp now, DataRate pacing, DataRate padding);
  // The controller's window and what is in flight; Poll() adds what it hands out to the latter.
  void SetWindow(std::optional<DataSize> window) { window_ = window; }
  void SetInFlight(DataSize in_flight) { in_flight_ = in_flight; }
  // Sent as soon as a packet is there to send, one cluster after the other; given up after 5 s.
  void AddProbe(Timestamp now, const ProbeCluster& cluster);
  // Paused: nothing leaves, time does not pile up credit.
  void SetPaused(Timestamp now, bool paused);
  // Drops queued packets of one stream, for a stream that ended or was paused.
  void RemoveStream(uint32_t ssrc);

  // The next packet that may leave at `now`.
  std::optional<PacedPacket> Poll(Timestamp now);
  // Bytes of padding wanted now; zero: none. See above.
  DataSize PaddingWanted(Timestamp now);
  // When Poll() or PaddingWanted() may next have something.
  Timestamp NextTimeout() const;
  // Nothing of its own to do: Poll() takes `now`. Here for the common shape.
  void HandleTimeout(Timestamp) {}

  bool empty() const { return packets_ == 0; }
  std::size_t queued_packets() const { return packets_; }
  DataSize queued() const { return queued_; }
  DataSize queued(PacketClass packet_class) const;
  // How long the packet that waited longest has waited.
  TimeDelta OldestAge(Timestamp now) const;
  // Time to empty the queue at the present rate; the rate must have been set.
  TimeDelta ExpectedQueueTime() const { return EffectiveRate().TransmissionTime(queued_); }
  DataSize in_flight() const { return in_flight_; }
  bool probing() const { return !probes_.empty(); }

 private:
  // Audio, retransmission, video and FEC, padding.
  static constexpr std::size_t kQueues = 4;
  struct Probe {
    ProbeCluster cluster;
    Timestamp added;
    std::optional<Timestamp> started;
    int packets = 0;
    DataSize sent;
  };

  static std::size_t QueueOf(PacketClass packet_class);
  std::size_t NextQueue() const;
  bool WindowOpen(Timestamp now) const;
  DataRate EffectiveRate() const;
  DataRate RateToDrain(Timestamp now) const;
  void Advance(Timestamp now);
  Timestamp ProbeDue(const Probe& probe) const;
  void DropStaleProbes(Timestamp now);
  void CountSent(Timestamp now, const PacedPacket& packet);

  PacerConfig config_;
  std::array<Ring<PacedPacket>, kQueues> queues_;
  std::array<DataSize, kQueues> queue_bytes_{};
  std::size_t packets_ = 0;
  DataSize queued_;
  DataRate pacing_;
  DataRate padding_;
  DataRate drain_rate_;  // raised rate of the queue-time limit
  std::optional<DataSize> window_;
  DataSize in_flight_;
  Ring<Probe> probes_;
  bool paused_ = false;
  Timestamp last_advance_;
  Timestamp last_sent_;
  Timestamp padding_retry_;
  // Bits sent that the rates have not yet paid for.
  double media_debt_bits_ = 0;
  double padding_debt_bits_ = 0;
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_PACER_H_
