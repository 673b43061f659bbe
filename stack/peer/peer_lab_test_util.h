// Two PeerConnections in virtual time for tests and benchmarks: a network with delay, jitter, loss and duplicates, and a
// signalling channel that keeps the order. The network draws from a stream of its own.
#ifndef RTCLAB_STACK_PEER_PEER_LAB_TEST_UTIL_H_
#define RTCLAB_STACK_PEER_PEER_LAB_TEST_UTIL_H_

#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "stack/base/check.h"
#include "stack/base/sans_io.h"
#include "stack/crypto/digest.h"
#include "stack/peer/peer_connection.h"
#include "stack/peer/perfect_negotiation.h"

namespace rtclab::peer {

inline PeerConfig LabPeerConfig() {
  PeerConfig config;
  config.ice.ta = TimeDelta::Millis(5);
  return config;
}

class PeerLab {
 public:
  struct Side {
    Side(PeerConfig config, uint64_t seed, int which, Timestamp now)
        : index(which),
          rng(seed, which == 0 ? "a" : "b"),
          pc(std::move(config), rng, now),
          negotiation(pc, which == 1) {}
    int index;
    Rng rng;
    PeerConnection pc;
    PerfectNegotiation negotiation;  // b is the polite one
    std::vector<std::pair<Timestamp, PeerEvent>> events;
    std::vector<PeerError> signal_errors;
    uint16_t next_port = 5000;
    bool mute = false;  // hears and says nothing any more
  };
  // Sees every datagram as it is sent; false drops it.
  using Filter = std::function<bool(int sender, Transmit& packet)>;
  // Sees every signal; it may change it. False drops it.
  using SignalFilter = std::function<bool(int sender, Signal& signal)>;

  PeerLab() : PeerLab(LabPeerConfig(), LabPeerConfig()) {}
  explicit PeerLab(PeerConfig first, PeerConfig second, uint64_t seed = 1)
      : network_rng_(seed, "network"),
        sides_{std::make_unique<Side>(std::move(first), seed, 0, now_),
               std::make_unique<Side>(std::move(second), seed, 1, now_)} {}

  Side& side(int i) { return *sides_[static_cast<std::size_t>(i)]; }
  PeerConnection& a() { return side(0).pc; }
  PeerConnection& b() { return side(1).pc; }
  Timestamp now() const { return now_; }

  TimeDelta delay = TimeDelta::Millis(10);
  TimeDelta jitter;  // uniform, on top: reorders
  double loss = 0;
  double duplicate = 0;
  TimeDelta signal_delay = TimeDelta::Millis(10);
  Filter filter;
  SignalFilter signal_filter;
  bool restart_on_failure = false;  // side a restarts ICE when it fails, as applications do
  bool signalling = true;           // false: events are only recorded

  // Takes out what the connections made. Call it after each call to one of them.
  void DrainAll() {
    for (auto& s : sides_) {
      Drain(
          s->pc, [&](Transmit&& t) { Deliver(*s, std::move(t)); },
          [&](PeerEvent&& e) { Handle(*s, std::move(e)); });
    }
  }

  bool RunFor(TimeDelta span, const std::function<bool()>& done = {}) {
    DrainAll();
    const Timestamp end = now_ + span;
    while (!(done && done())) {
      Timestamp next = Timestamp::PlusInfinity();
      for (auto& s : sides_) {
        if (!s->mute) next = std::min(next, s->pc.NextTimeout());
      }
      const bool packet = !queue_.empty() && queue_.top().at <= next;
      if (packet) next = queue_.top().at;
      if (next > end) {
        now_ = end;
        return false;
      }
      now_ = std::max(now_, next);
      if (packet) {
        const auto run = queue_.top().run;
        queue_.pop();
        run();
      } else {
        for (auto& s : sides_) {
          if (!s->mute && s->pc.NextTimeout() <= now_) s->pc.HandleTimeout(now_);
        }
      }
      DrainAll();
    }
    return true;
  }
  bool RunUntil(const std::function<bool()>& done, TimeDelta most = TimeDelta::Seconds(60)) {
    return RunFor(most, done);
  }
  bool BothConnected() {
    return a().connection_state() == ConnectionState::kConnected &&
           b().connection_state() == ConnectionState::kConnected;
  }
  bool Connect(TimeDelta most = TimeDelta::Seconds(60)) {
    return RunUntil([this] { return BothConnected(); }, most);
  }

  template <typename T>
  std::vector<T> Events(int i) {
    std::vector<T> found;
    for (const auto& [at, event] : side(i).events) {
      if (const T* t = std::get_if<T>(&event)) found.push_back(*t);
    }
    return found;
  }
  // Signals by hand, when `signalling` is off.
  void SendSignal(int from, Signal signal) { Send(side(from), std::move(signal)); }
  // A digest over every datagram sent so far, its time and addresses.
  std::string TraceDigest() const { return ToHex(trace_); }
  uint64_t datagrams() const { return datagrams_; }
  uint64_t bytes() const { return bytes_; }

 private:
  struct Queued {
    Timestamp at;
    uint64_t order;
    std::function<void()> run;
    bool operator<(const Queued& o) const { return at != o.at ? at > o.at : order > o.order; }
  };

  void At(Timestamp at, std::function<void()> run) {
    queue_.push({at, next_order_++, std::move(run)});
  }

  void Handle(Side& s, PeerEvent event) {
    if (const auto* wanted = std::get_if<SocketsWanted>(&event)) {
      const TransportAddress host{IpAddress::V4(10, 0, 0, static_cast<uint8_t>(s.index + 1)),
                                  s.next_port++};
      s.pc.AddSockets(now_, wanted->transport, {&host, 1});
    }
    if (restart_on_failure && s.index == 0) {
      const auto* failed = std::get_if<ConnectionFailed>(&event);
      if (failed != nullptr && failed->reason == "ice-failed") s.pc.RestartIce(now_);
    }
    if (signalling) {
      if (auto signal = s.negotiation.HandleEvent(now_, event)) Send(s, std::move(*signal));
    }
    if (keep_events) s.events.emplace_back(now_, std::move(event));
  }

  void Send(Side& from, Signal signal) {
    if (from.mute || (signal_filter && !signal_filter(from.index, signal))) return;
    Side& to = side(1 - from.index);
    At(now_ + signal_delay, [this, &to, signal = std::move(signal)] {
      if (to.mute) return;
      auto answer = to.negotiation.HandleSignal(now_, signal);
      if (!answer) {
        to.signal_errors.push_back(answer.error());
      } else if (*answer) {
        Send(to, std::move(**answer));
      }
    });
  }

  void Note(const Transmit& t) {
    ++datagrams_;
    bytes_ += t.payload.size();
    if (!trace) return;
    Bytes record(trace_.begin(), trace_.end());
    const std::string head =
        std::to_string(now_.nanos()) + t.source.ToString() + ">" + t.destination.ToString() + ":";
    record.insert(record.end(), head.begin(), head.end());
    record.insert(record.end(), t.payload.begin(), t.payload.end());
    const auto digest = crypto::Sha256(record);
    trace_.assign(digest.begin(), digest.end());
  }

  void Deliver(Side& from, Transmit t) {
    Note(t);
    if (from.mute || (filter && !filter(from.index, t))) return;
    Side& to = side(1 - from.index);
    const int copies = network_rng_.Bernoulli(loss) ? 0 : network_rng_.Bernoulli(duplicate) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      TimeDelta wait = delay;
      if (jitter > TimeDelta::Zero())
        wait += TimeDelta::Nanos(
            static_cast<int64_t>(network_rng_.Uniform(0, static_cast<uint64_t>(jitter.nanos()))));
      At(now_ + wait, [this, &to, t] {
        if (!to.mute) to.pc.HandlePacket(now_, {t.source, t.destination, t.payload});
      });
    }
  }

 public:
  bool trace = false;
  bool keep_events = true;

 private:
  Timestamp now_;
  Rng network_rng_;
  std::unique_ptr<Side> sides_[2];
  std::priority_queue<Queued> queue_;
  uint64_t next_order_ = 0;
  Bytes trace_;
  uint64_t datagrams_ = 0, bytes_ = 0;
};

}  // namespace rtclab::peer

#endif  // RTCLAB_STACK_PEER_PEER_LAB_TEST_UTIL_H_
