// A small network in virtual time for closed-loop tests: bottlenecks with a rate schedule and a drop
// tail, media flows (encoder, pacer, controller, receiver, feedback) and TCP-like flows.
#ifndef RTCLAB_STACK_CONGESTION_TEST_UTIL_H_
#define RTCLAB_STACK_CONGESTION_TEST_UTIL_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

#include "stack/base/rng.h"
#include "stack/base/units.h"
#include "stack/congestion/controller.h"
#include "stack/congestion/feedback_adapter.h"
#include "stack/congestion/pacer.h"
#include "stack/congestion/rates.h"

namespace rtclab::congestion::test {

inline Timestamp At(double seconds) { return Timestamp::Zero() + TimeDelta::SecondsF(seconds); }
inline TimeDelta Ms(double ms) { return TimeDelta::SecondsF(ms / 1000); }
inline DataRate Kbps(double kbps) { return FromBps(kbps * 1000); }

// What crosses the network. `flow` indexes Network's flows.
struct Datagram {
  int flow = 0;
  int64_t id = 0;
  DataSize size;
  bool feedback = false;  // goes back to the sender
  bool ce = false;        // marked by the bottleneck
  Timestamp queued;       // entered the link it is in
  TimeDelta waited;       // in queues, so far
  std::size_t hop = 0;    // index into the route
  std::vector<PacketReport> reports;
};

struct LinkConfig {
  std::vector<std::pair<double, DataRate>> capacity;    // from second, rate; rising
  TimeDelta queue_limit = TimeDelta::Millis(300);       // RFC 8867 section 4.2
  double loss = 0;                                      // random, before the queue
  TimeDelta ecn_threshold = TimeDelta::PlusInfinity();  // marks what finds a longer queue
};

// One FIFO bottleneck. Serves a packet at the rate that holds when its service begins.
class Link {
 public:
  explicit Link(LinkConfig config) : config_(std::move(config)) {}

  DataRate Capacity(Timestamp now) const {
    DataRate rate;
    for (const auto& [from, r] : config_.capacity) {
      if (now >= At(from)) rate = r;
    }
    return rate;
  }
  // What it could have carried in [from, to), in bits.
  double CapacityBits(double from, double to) const {
    double bits = 0;
    for (std::size_t i = 0; i < config_.capacity.size(); ++i) {
      const double end = i + 1 < config_.capacity.size() ? config_.capacity[i + 1].first : to;
      const double a = std::max(from, config_.capacity[i].first);
      const double b = std::min(to, end);
      if (b > a) bits += (b - a) * Bps(config_.capacity[i].second);
    }
    return bits;
  }
  // False: dropped.
  bool Offer(Timestamp now, Datagram packet, Rng& rng) {
    if (rng.Bernoulli(config_.loss)) return false;
    const TimeDelta wait = Capacity(now).TransmissionTime(queued_);
    if (wait > config_.queue_limit) return false;
    packet.ce |= wait > config_.ecn_threshold;
    packet.queued = now;
    queued_ = queued_ + packet.size;
    fifo_.push_back(std::move(packet));
    if (fifo_.size() == 1) Serve(now);
    return true;
  }
  Timestamp next() const { return next_; }
  Datagram Take(Timestamp now) {
    Datagram packet = fifo_.pop_front();
    queued_ = queued_ - packet.size;
    next_ = Timestamp::PlusInfinity();
    if (!fifo_.empty()) Serve(now);
    return packet;
  }

 private:
  void Serve(Timestamp now) { next_ = now + Capacity(now).TransmissionTime(fifo_.front().size); }
  LinkConfig config_;
  Ring<Datagram> fifo_;
  DataSize queued_;
  Timestamp next_ = Timestamp::PlusInfinity();
};

// What a flow did, in bins of 100 ms of arrival time.
class Record {
 public:
  static constexpr double kBin = 0.1;
  void Received(Timestamp now, DataSize size, TimeDelta queueing) {
    Bin(now).bits += static_cast<double>(size.bits());
    Bin(now).delays.push_back(queueing.millis_f());
  }
  void Sent(Timestamp now) { Bin(now).sent += 1; }
  void Dropped(Timestamp now) { Bin(now).dropped += 1; }

  double Kbps(double from, double to) const {
    double bits = 0;
    Each(from, to, [&](const Slot& s) { bits += s.bits; });
    return bits / (to - from) / 1000;
  }
  double Loss(double from, double to) const {
    double sent = 0;
    double dropped = 0;
    Each(from, to, [&](const Slot& s) { sent += s.sent, dropped += s.dropped; });
    return sent > 0 ? dropped / sent : 0;
  }
  // Time in queues of the packets that arrived; `share` 0.5 for the median.
  double DelayMs(double from, double to, double share) const {
    std::vector<double> all;
    Each(from, to, [&](const Slot& s) { all.insert(all.end(), s.delays.begin(), s.delays.end()); });
    if (all.empty()) return 0;
    const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(all.size() - 1));
    std::nth_element(all.begin(), all.begin() + at, all.end());
    return all[static_cast<std::size_t>(at)];
  }
  // Seconds from `from` until the rate over one second first reaches `kbps`; `give_up` if not before.
  double TimeToReach(double from, double kbps, double give_up) const {
    for (double t = from; t - from < give_up; t += kBin) {
      if (Kbps(t, t + 1) >= kbps) return t - from;
    }
    return give_up;
  }
  // Seconds from `from` until 95 % of a second's packets wait less than `ms`.
  double TimeToDrain(double from, double ms, double give_up) const {
    for (double t = from; t - from < give_up; t += kBin) {
      if (DelayMs(t, t + 1, 0.95) < ms) return t - from;
    }
    return give_up;
  }

 private:
  struct Slot {
    double bits = 0;
    double sent = 0;
    double dropped = 0;
    std::vector<double> delays;
  };
  Slot& Bin(Timestamp now) {
    const auto i = static_cast<std::size_t>(now.seconds() / kBin);
    if (i >= slots_.size()) slots_.resize(i + 1);
    return slots_[i];
  }
  template <typename F>
  void Each(double from, double to, F f) const {
    const auto a = static_cast<std::size_t>(from / kBin + 0.5);
    const auto b = static_cast<std::size_t>(to / kBin + 0.5);
    for (std::size_t i = a; i < std::min(b, slots_.size()); ++i) f(slots_[i]);
  }
  std::vector<Slot> slots_;
};

// The two ends of a flow.
class Flow {
 public:
  virtual ~Flow() = default;
  virtual Timestamp Next() const = 0;
  virtual void Wake(Timestamp now) = 0;
  virtual void OnArrival(Timestamp now, const Datagram& packet) = 0;   // at the receiver
  virtual void OnFeedback(Timestamp now, const Datagram& packet) = 0;  // at the sender

  std::vector<int> route;    // links on the way there
  std::vector<int> back;     // links on the way back
  TimeDelta delay = Ms(50);  // one way, each way
  TimeDelta jitter;          // uniform in [0, jitter), in order
  Record record;
  std::vector<Datagram> out;  // drained by Network after each call
};

class Network {
 public:
  explicit Network(uint64_t seed = 1) : rng_(seed) {}

  int AddLink(LinkConfig config) {
    links_.emplace_back(std::move(config));
    return static_cast<int>(links_.size()) - 1;
  }
  template <typename T>
  T& AddFlow(std::unique_ptr<T> flow) {
    T& reference = *flow;
    flows_.push_back(std::move(flow));
    last_arrival_.push_back(Timestamp::Zero());
    return reference;
  }
  Link& link(int i) { return links_[static_cast<std::size_t>(i)]; }
  Rng& rng() { return rng_; }

  void Run(double until) {
    wakes_.clear();
    for (const auto& f : flows_) wakes_.push_back(f->Next());
    while (true) {
      Timestamp next = flight_.empty() ? Timestamp::PlusInfinity() : flight_.top().arrives;
      for (const Link& l : links_) next = std::min(next, l.next());
      for (const Timestamp wake : wakes_) next = std::min(next, wake);
      if (next > At(until)) return;
      now_ = std::max(now_, next);
      for (Link& l : links_) {
        if (l.next() <= now_) Forward(l.Take(now_));
      }
      while (!flight_.empty() && flight_.top().arrives <= now_) {
        Datagram packet = std::move(const_cast<InFlight&>(flight_.top()).packet);
        flight_.pop();
        Flow& flow = *flows_[static_cast<std::size_t>(packet.flow)];
        packet.feedback ? flow.OnFeedback(now_, packet) : Deliver(flow, packet);
        Drain(packet.flow);
      }
      for (std::size_t i = 0; i < flows_.size(); ++i) {
        if (wakes_[i] > now_) continue;
        flows_[i]->Wake(now_);
        Drain(static_cast<int>(i));
      }
    }
  }

 private:
  struct InFlight {
    Timestamp arrives;
    uint64_t order;
    Datagram packet;
    bool operator<(const InFlight& o) const {
      return arrives != o.arrives ? arrives > o.arrives : order > o.order;
    }
  };
  void Deliver(Flow& flow, const Datagram& packet) {
    flow.record.Received(now_, packet.size, packet.waited);
    flow.OnArrival(now_, packet);
  }
  void Drain(int index) {
    Flow& flow = *flows_[static_cast<std::size_t>(index)];
    for (Datagram& packet : flow.out) {
      packet.flow = index;
      if (!packet.feedback) flow.record.Sent(now_);
      Enter(std::move(packet));
    }
    flow.out.clear();
    wakes_[static_cast<std::size_t>(index)] = flow.Next();
  }
  // Into its next link, or, behind the last one, onto the wire.
  void Enter(Datagram packet) {
    Flow& flow = *flows_[static_cast<std::size_t>(packet.flow)];
    const auto& route = packet.feedback ? flow.back : flow.route;
    if (packet.hop < route.size()) {
      Link& next = link(route[packet.hop++]);
      const bool feedback = packet.feedback;
      if (!next.Offer(now_, std::move(packet), rng_) && !feedback) flow.record.Dropped(now_);
      return;
    }
    const auto i = static_cast<std::size_t>(packet.flow);
    Timestamp arrives = now_ + flow.delay;
    if (!packet.feedback) {
      arrives += TimeDelta::SecondsF(rng_.UniformReal() * flow.jitter.seconds());
      arrives = std::max(arrives, last_arrival_[i]);
      last_arrival_[i] = arrives;
    }
    flight_.push({arrives, order_++, std::move(packet)});
  }
  void Forward(Datagram packet) {
    packet.waited += now_ - packet.queued;
    Enter(std::move(packet));
  }

  Rng rng_;
  Timestamp now_;
  std::vector<Link> links_;
  std::vector<std::unique_ptr<Flow>> flows_;
  std::vector<Timestamp> wakes_;
  std::vector<Timestamp> last_arrival_;
  std::priority_queue<InFlight> flight_;
  uint64_t order_ = 0;
};

struct MediaConfig {
  ControllerKind kind = ControllerKind::kGcc;
  ControllerConfig controller;
  double start = 0;
  double stop = 1e6;
  double pause = 1e6;  // from here
  double resume = 1e6;
  double application_kbps = 1e6;  // the encoder makes no more
  TimeDelta feedback_interval = Ms(50);
  // Feedback is lost in between these.
  double feedback_lost_from = 1e6;
  double feedback_lost_to = 1e6;
  PacerConfig pacer;
};

// RFC 8867 section 4.3: 30 frames a second, +-5 % around the target, a new target taken over within
// 100 ms; beside it 20 kbit/s of audio.
class MediaFlow : public Flow {
 public:
  MediaFlow(const MediaConfig& config, Rng& rng)
      : config_(config),
        rng_(rng),
        controller_(MakeController(config.kind, config.controller)),
        pacer_(config.pacer),
        next_frame_(At(config.start)),
        next_audio_(At(config.start)),
        next_feedback_(At(config.start) + config.feedback_interval) {}

  Controller& controller() { return *controller_; }
  Pacer& pacer() { return pacer_; }
  int probes_sent() const { return probes_sent_; }
  // Longest time a packet has waited in the pacer, and the greatest flight, so far.
  TimeDelta max_pacer_delay() const { return max_pacer_delay_; }
  DataSize max_in_flight() const { return max_in_flight_; }
  // Packets that left although the window was full.
  int beyond_window() const { return beyond_window_; }

  Timestamp Next() const override {
    return std::min({next_frame_, next_audio_, next_feedback_, controller_->NextTimeout(),
                     started_ ? pacer_.NextTimeout() : Timestamp::PlusInfinity()});
  }

  void Wake(Timestamp now) override {
    if (!started_ && now >= At(config_.start)) {
      started_ = true;
      controller_->OnNetworkAvailable(now, true);
    }
    if (now >= controller_->NextTimeout()) controller_->HandleTimeout(now);
    if (now >= next_frame_) MakeFrame(now);
    if (now >= next_audio_) MakeAudio(now);
    Send(now);
    if (now >= next_feedback_) SendFeedback(now);
  }

  void OnArrival(Timestamp now, const Datagram& packet) override {
    // In order of arrival; the network keeps a flow's order.
    for (; next_report_ < packet.id; ++next_report_) reports_.push_back({next_report_, {}, 0});
    // The receiver's clock starts somewhere else.
    reports_.push_back({packet.id, now + TimeDelta::Seconds(12345),
                        packet.ce ? kEcnCongestionExperienced : uint8_t{0}});
    next_report_ = packet.id + 1;
  }

  void OnFeedback(Timestamp now, const Datagram& packet) override {
    controller_->OnFeedback(now, adapter_.OnFeedback(now, packet.reports));
    pacer_.SetInFlight(adapter_.in_flight());
    Send(now);
  }

 private:
  bool Silent(Timestamp now) const {
    return now >= At(config_.stop) || (now >= At(config_.pause) && now < At(config_.resume));
  }

  void MakeFrame(Timestamp now) {
    next_frame_ = now + TimeDelta::Micros(33'333);
    if (Silent(now)) return;
    controller_->OnQueue(now, pacer_.queued());
    if (now - last_encoder_change_ >= Ms(100)) {
      encoder_kbps_ = Bps(controller_->output().target) / 1000 - kAudioKbps;
      last_encoder_change_ = now;
    }
    const double kbps = std::clamp(encoder_kbps_, 10.0, config_.application_kbps);
    const double variation = 0.95 + 0.1 * rng_.UniformReal();
    auto bytes = static_cast<int64_t>(kbps * 1000 / 8 / 30 * variation);
    for (const int64_t packets = (bytes + 1199) / 1200, each = bytes / packets + 1; bytes > 0;
         bytes -= each) {
      pacer_.Enqueue(now, {.packet_class = PacketClass::kVideo,
                           .ssrc = 1,
                           .size = DataSize::Bytes(std::min(each, bytes))});
    }
  }
  void MakeAudio(Timestamp now) {
    next_audio_ = now + Ms(20);
    if (Silent(now)) return;
    pacer_.Enqueue(now, {.packet_class = PacketClass::kAudio,
                         .ssrc = 2,
                         .size = DataSize::Bytes(static_cast<int64_t>(kAudioKbps * 20 / 8))});
  }

  void Send(Timestamp now) {
    const ControllerOutput& output = controller_->output();
    pacer_.SetRates(now, output.pacing, output.padding);
    pacer_.SetWindow(output.window);
    while (auto probe = controller_->PollProbe()) {
      pacer_.AddProbe(now, *probe);
      ++probes_sent_;
    }
    while (true) {
      while (auto packet = pacer_.Poll(now)) Transmit(now, *packet);
      DataSize padding = pacer_.PaddingWanted(now);
      if (padding == DataSize()) break;
      for (; padding > DataSize(); padding = padding - DataSize::Bytes(250)) {
        pacer_.Enqueue(
            now, {.packet_class = PacketClass::kPadding, .ssrc = 1, .size = DataSize::Bytes(250)});
      }
    }
    max_in_flight_ = std::max(max_in_flight_, pacer_.in_flight());
  }
  void Transmit(Timestamp now, const PacedPacket& packet) {
    max_pacer_delay_ = std::max(max_pacer_delay_, now - packet.enqueued);
    const auto window = controller_->output().window;
    if (window && adapter_.in_flight() >= *window) ++beyond_window_;
    controller_->OnPacketSent(adapter_.OnPacketSent({.id = next_id_,
                                                     .sent = now,
                                                     .size = packet.size,
                                                     .ssrc = packet.ssrc,
                                                     .packet_class = packet.packet_class,
                                                     .probe_cluster = packet.probe_cluster}));
    out.push_back({.id = next_id_++, .size = packet.size});
  }
  void SendFeedback(Timestamp now) {
    next_feedback_ = now + config_.feedback_interval;
    if (reports_.empty()) return;
    const bool lost = now >= At(config_.feedback_lost_from) && now < At(config_.feedback_lost_to);
    Datagram message{.size = DataSize::Bytes(60), .feedback = true};
    message.reports.swap(reports_);
    if (!lost) out.push_back(std::move(message));
  }

  static constexpr double kAudioKbps = 20;
  MediaConfig config_;
  Rng& rng_;
  std::unique_ptr<Controller> controller_;
  Pacer pacer_;
  FeedbackAdapter adapter_;
  bool started_ = false;
  Timestamp next_frame_;
  Timestamp next_audio_;
  Timestamp next_feedback_;
  Timestamp last_encoder_change_ = At(-1);
  double encoder_kbps_ = 0;
  int64_t next_id_ = 1;
  int64_t next_report_ = 1;
  int probes_sent_ = 0;
  int beyond_window_ = 0;
  TimeDelta max_pacer_delay_;
  DataSize max_in_flight_;
  std::vector<PacketReport> reports_;
};

struct TcpConfig {
  double start = 0;
  double stop = 1e6;
  // Zero: one endless transfer. Otherwise transfers of 30 to 50 KB with idle times of this mean
  // between them (RFC 8868 section 5.1).
  double mean_idle = 0;
  bool starts_idle = false;
};

// A sender with slow start, additive increase and halving on loss (RFC 5681), selective
// acknowledgement of every packet and a timeout of one second. No reordering is assumed.
class TcpFlow : public Flow {
 public:
  TcpFlow(const TcpConfig& config, Rng& rng) : config_(config), rng_(rng), wake_(At(config.start)) {
    if (config.starts_idle) wake_ += Idle();
  }

  Timestamp Next() const override { return wake_; }
  void Wake(Timestamp now) override {
    if (now >= At(config_.stop)) {
      wake_ = Timestamp::PlusInfinity();
      left_ = 0;
      return;
    }
    if (left_ == 0) {
      left_ = config_.mean_idle > 0 ? static_cast<int64_t>(rng_.Uniform(30'000, 50'000)) / kSegment
                                    : int64_t{1} << 40;
      cwnd_ = 10;  // RFC 6928
      threshold_ = 1e9;
    } else if (next_id_ > acked_) {
      threshold_ = std::max(2.0, cwnd_ / 2);
      cwnd_ = 1;
      left_ += next_id_ - 1 - acked_;
      acked_ = next_id_ - 1;
    }
    Send(now);
  }
  void OnArrival(Timestamp, const Datagram& packet) override {
    out.push_back({.id = packet.id, .size = DataSize::Bytes(60), .feedback = true});
  }
  void OnFeedback(Timestamp now, const Datagram& packet) override {
    if (packet.id <= acked_) return;
    const int64_t missing = packet.id - acked_ - 1;
    acked_ = packet.id;
    left_ += missing;  // sent again
    if (missing > 0 && packet.id > recover_) {
      threshold_ = std::max(2.0, cwnd_ / 2);
      cwnd_ = threshold_;
      recover_ = next_id_ - 1;
    } else {
      cwnd_ += cwnd_ < threshold_ ? 1 : 1 / cwnd_;
    }
    Send(now);
  }

 private:
  TimeDelta Idle() { return TimeDelta::SecondsF(config_.mean_idle * rng_.Exponential()); }
  void Send(Timestamp now) {
    while (left_ > 0 && static_cast<double>(next_id_ - 1 - acked_) < cwnd_) {
      out.push_back({.id = next_id_++, .size = DataSize::Bytes(kSegment + 40)});
      --left_;
    }
    const bool done = left_ == 0 && next_id_ - 1 == acked_;
    wake_ = done ? now + Idle() : now + TimeDelta::Seconds(1);
  }

  static constexpr int64_t kSegment = 1460;
  TcpConfig config_;
  Rng& rng_;
  Timestamp wake_;
  double cwnd_ = 10;
  double threshold_ = 1e9;
  int64_t left_ = 0;
  int64_t next_id_ = 1;
  int64_t acked_ = 0;
  int64_t recover_ = 0;
};

}  // namespace rtclab::congestion::test

#endif  // RTCLAB_STACK_CONGESTION_TEST_UTIL_H_
