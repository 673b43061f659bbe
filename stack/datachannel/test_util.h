// What the tests of this room share: two ends on a simulated path, in virtual time.
#ifndef RTCLAB_STACK_DATACHANNEL_TEST_UTIL_H_
#define RTCLAB_STACK_DATACHANNEL_TEST_UTIL_H_

#include <algorithm>
#include <deque>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "stack/base/rng.h"
#include "stack/base/sans_io.h"
#include "stack/datachannel/channel_manager.h"

namespace rtclab::datachannel {

// Two protocols whose transmits are packets (Bytes), and a path between them.
template <typename A, typename B>
class TestPath {
 public:
  TestPath(A& a, B& b) : a_(a), b_(b) {}

  Timestamp now = Timestamp::Seconds(1);
  TimeDelta delay = TimeDelta::Millis(10);  // one way
  // Looks at a packet and says whether it is lost; `to_b`: on its way from A to B.
  std::function<bool(bool to_b, const Bytes& packet)> lose;
  std::vector<typename A::Event> a_events;
  std::vector<typename B::Event> b_events;
  std::size_t packets = 0;

  // Until nothing is left to do before `limit` has passed.
  void Run(TimeDelta limit = TimeDelta::Seconds(20)) {
    const Timestamp end = now + limit;
    while (true) {
      Timestamp next = Collect();
      if (!wire_.empty()) next = std::min(next, wire_.front().arrival);
      if (next > end) break;
      now = std::max(now, next);
      Step();
    }
    now = end;
  }
  // Until `done`; false when that does not happen within `limit`.
  bool RunUntil(const std::function<bool()>& done, TimeDelta limit = TimeDelta::Seconds(60)) {
    const Timestamp end = now + limit;
    while (true) {
      Timestamp next = Collect();
      if (done()) return true;
      if (!wire_.empty()) next = std::min(next, wire_.front().arrival);
      if (next > end) return false;
      now = std::max(now, next);
      Step();
    }
  }
  Timestamp Collect() {
    const Timestamp a = Drain(
        a_, [this](Bytes&& packet) { Carry(true, std::move(packet)); },
        [this](typename A::Event&& event) { a_events.push_back(std::move(event)); });
    const Timestamp b = Drain(
        b_, [this](Bytes&& packet) { Carry(false, std::move(packet)); },
        [this](typename B::Event&& event) { b_events.push_back(std::move(event)); });
    return std::min(a, b);
  }

 private:
  struct InFlight {
    Timestamp arrival;
    bool to_b;
    Bytes packet;
  };
  void Carry(bool to_b, Bytes packet) {
    ++packets;
    if (lose && lose(to_b, packet)) return;
    wire_.push_back({now + delay, to_b, std::move(packet)});
  }
  void Step() {
    while (!wire_.empty() && wire_.front().arrival <= now) {
      const InFlight arrived = std::move(wire_.front());
      wire_.pop_front();
      if (arrived.to_b) {
        b_.HandlePacket(now, arrived.packet);
      } else {
        a_.HandlePacket(now, arrived.packet);
      }
    }
    if (a_.NextTimeout() <= now) a_.HandleTimeout(now);
    if (b_.NextTimeout() <= now) b_.HandleTimeout(now);
  }

  A& a_;
  B& b_;
  std::deque<InFlight> wire_;  // one delay for all: in the order of arrival
};

template <typename T, typename Event>
std::vector<T> EventsOf(const std::vector<Event>& events) {
  std::vector<T> found;
  for (const Event& event : events) {
    if (const auto* e = std::get_if<T>(&event)) found.push_back(*e);
  }
  return found;
}

// Two managers; A is the DTLS client.
struct ManagerPair {
  explicit ManagerPair(ManagerConfig a_config = {}, ManagerConfig b_config = {})
      : a_rng(1), b_rng(2), a(a_config, a_rng), b(b_config, b_rng), path(a, b) {}
  void Start() {
    a.Start(path.now, true);
    b.Start(path.now, false);
  }
  void Connect() {
    Start();
    path.RunUntil([this] {
      return a.transport_state() == TransportState::kConnected &&
             b.transport_state() == TransportState::kConnected;
    });
  }
  // Makes a channel at A and waits until both ends have it. The id at B is `remote`.
  ChannelId Open(const ChannelInit& init, ChannelId* remote = nullptr) {
    const std::size_t before = EventsOf<ChannelAnnounced>(path.b_events).size();
    const ChannelId id = a.Create(path.now, init).value();
    path.Run(TimeDelta::Seconds(1));
    const auto announced = EventsOf<ChannelAnnounced>(path.b_events);
    if (remote != nullptr && announced.size() > before) *remote = announced.back().id;
    return id;
  }
  // Messages that B has received so far, as text.
  std::vector<std::string> ReceivedByB() const {
    std::vector<std::string> texts;
    for (const auto& m : EventsOf<MessageReceived>(path.b_events)) {
      texts.emplace_back(AsString(m.payload));
    }
    return texts;
  }

  Rng a_rng, b_rng;
  ChannelManager a, b;
  TestPath<ChannelManager, ChannelManager> path;
};

// A manager (A, the DTLS client) against a bare association (B) that may say anything.
struct ManagerAndRawPeer {
  explicit ManagerAndRawPeer(ManagerConfig config = {}, sctp::AssociationConfig peer_config = {})
      : a_rng(1), b_rng(2), a(config, a_rng), peer(peer_config, b_rng), path(a, peer) {
    a.Start(path.now, true);
    path.RunUntil([this] {
      return a.transport_state() == TransportState::kConnected &&
             peer.state() == sctp::State::kEstablished;
    });
  }
  void Say(uint16_t stream, uint32_t ppid, Bytes payload, bool ordered = true) {
    sctp::SendOptions options;
    options.ordered = ordered;
    const auto sent =
        peer.Send(path.now, sctp::StreamId{stream}, ppid, std::move(payload), options);
    if (!sent)
      path.a_events.push_back(ProtocolViolation{stream, "not sent: " + sent.error().reason});
    path.Run(TimeDelta::Seconds(1));
  }
  void SayReset(uint16_t stream) {
    const sctp::StreamId id{stream};
    peer.ResetStreams(path.now, {&id, 1});
    path.Run(TimeDelta::Seconds(1));
  }
  // DATA_CHANNEL_OPEN, reliable and ordered, with the label "x".
  static Bytes OpenBytes() { return {3, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 'x'}; }
  // The id of the channel announced last.
  ChannelId Announced() const { return EventsOf<ChannelAnnounced>(path.a_events).back().id; }
  std::vector<std::string> Violations() const {
    std::vector<std::string> ids;
    for (const auto& v : EventsOf<ProtocolViolation>(path.a_events)) {
      ids.push_back(v.reason.substr(0, v.reason.find(':')));
    }
    return ids;
  }
  // The streams that A has reset, in order.
  std::vector<int> ResetsSeen() const {
    std::vector<int> streams;
    for (const auto& e : EventsOf<sctp::IncomingStreamsReset>(path.b_events)) {
      for (const auto stream : e.streams) streams.push_back(static_cast<int>(stream));
    }
    return streams;
  }

  Rng a_rng, b_rng;
  ChannelManager a;
  sctp::Association peer;
  TestPath<ChannelManager, sctp::Association> path;
};

// `size` bytes that depend on `seed`.
inline Bytes Pattern(std::size_t size, uint64_t seed) {
  Bytes bytes(size);
  Rng rng(seed);
  rng.Fill(bytes);
  return bytes;
}

}  // namespace rtclab::datachannel

#endif  // RTCLAB_STACK_DATACHANNEL_TEST_UTIL_H_
