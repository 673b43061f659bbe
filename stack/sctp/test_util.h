// Two associations joined in memory by a link that delays, loses, reorders, duplicates and corrupts, under
// virtual time.
#ifndef RTCLAB_STACK_SCTP_TEST_UTIL_H_
#define RTCLAB_STACK_SCTP_TEST_UTIL_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "stack/base/rng.h"
#include "stack/base/units.h"
#include "stack/sctp/association.h"
#include "stack/sctp/packet.h"

namespace rtclab::sctp::test {

struct LinkConfig {
  TimeDelta delay = TimeDelta::Millis(20);
  double loss = 0;
  double reorder = 0;  // a packet comes up to three delays later
  double duplicate = 0;
  double corrupt = 0;        // one bit
  std::size_t mtu = 65'535;  // larger packets vanish
};

class Pair;

// One association, what it reported and what it sent.
class Endpoint {
 public:
  Endpoint(AssociationConfig config, uint64_t seed, std::string name)
      : rng_(seed, "sctp/" + name), association_(std::make_unique<Association>(config, rng_)) {}

  Association& operator*() { return *association_; }
  Association* operator->() { return association_.get(); }

  template <typename E>
  std::vector<E> Events() const {
    std::vector<E> found;
    for (const Event& event : events) {
      if (const E* e = std::get_if<E>(&event)) found.push_back(*e);
    }
    return found;
  }
  template <typename E>
  std::size_t Count() const {
    return Events<E>().size();
  }
  template <typename E>
  bool Has() const {
    return Count<E>() > 0;
  }
  // The same place, another association: a peer that lost its memory.
  void Replace(AssociationConfig config) {
    association_ = std::make_unique<Association>(config, rng_);
  }

  std::vector<Event> events;
  std::vector<Bytes> sent;
  bool record = false;

 private:
  Rng rng_;
  std::unique_ptr<Association> association_;
};

class Pair {
 public:
  explicit Pair(AssociationConfig config = {}, LinkConfig link_config = {}, uint64_t seed = 1)
      : Pair(config, config, link_config, seed) {}
  Pair(AssociationConfig a_config, AssociationConfig z_config, LinkConfig link_config,
       uint64_t seed)
      : link(link_config), a(a_config, seed, "a"), z(z_config, seed, "z"), rng_(seed, "link") {}

  // Passes packets until nothing is due before `end`, or `done` says so. False: not done in time.
  bool RunUntil(Timestamp end, const std::function<bool()>& done = {}) {
    DrainBoth();
    while (!(done && done())) {
      Timestamp next = std::min(a->NextTimeout(), z->NextTimeout());
      if (!under_way_.empty()) next = std::min(next, under_way_.begin()->first);
      if (next > end) {
        now = end;
        return !done;
      }
      now = std::max(now, next);
      while (!under_way_.empty() && under_way_.begin()->first <= now) {
        auto item = under_way_.extract(under_way_.begin());
        Endpoint& to = item.mapped().to_z ? z : a;
        to->HandlePacket(now, item.mapped().packet);
        DrainBoth();
      }
      for (Endpoint* e : {&a, &z}) {
        if ((*e)->NextTimeout() <= now) (*e)->HandleTimeout(now);
      }
      DrainBoth();
    }
    return true;
  }
  bool RunFor(TimeDelta time, const std::function<bool()>& done = {}) {
    return RunUntil(now + time, done);
  }
  // Handshake from a; true when both are up.
  bool Connect() {
    a->Connect(now);
    return RunFor(TimeDelta::Seconds(120), [this] {
      return a->state() == State::kEstablished && z->state() == State::kEstablished;
    });
  }
  void DrainBoth() {
    bool more = true;
    while (more) {
      more = DrainOne(a, true);
      more |= DrainOne(z, false);
    }
  }
  // Puts a packet on the link as it is.
  void Inject(bool to_z, Bytes packet) {
    under_way_.emplace(now + link.delay, Flying{to_z, std::move(packet)});
  }

  LinkConfig link;
  Endpoint a;
  Endpoint z;
  Timestamp now;
  // Sees each packet; false: it vanishes. It may change it.
  std::function<bool(bool to_z, Bytes&)> filter;
  std::function<void(bool at_z, const Event&)> on_event;
  bool deliver_events = true;  // false: events stay in the associations

 private:
  struct Flying {
    bool to_z;
    Bytes packet;
  };
  bool DrainOne(Endpoint& e, bool to_z) {
    bool progress = false;
    while (auto packet = e->PollTransmit()) {
      progress = true;
      if (e.record) e.sent.push_back(*packet);
      Put(to_z, std::move(*packet));
    }
    while (deliver_events) {
      auto event = e->PollEvent();
      if (!event) break;
      progress = true;
      if (on_event) on_event(!to_z, *event);
      e.events.push_back(std::move(*event));
    }
    return progress;
  }
  void Put(bool to_z, Bytes packet) {
    if (filter && !filter(to_z, packet)) return;
    const bool lost = rng_.Bernoulli(link.loss);
    const bool twice = rng_.Bernoulli(link.duplicate);
    const bool corrupt = rng_.Bernoulli(link.corrupt);
    const bool late = rng_.Bernoulli(link.reorder);
    const double how_late = rng_.UniformReal();
    if (lost || packet.size() > link.mtu) return;
    if (corrupt) {
      packet[rng_.Uniform(0, packet.size() - 1)] ^= static_cast<uint8_t>(1u << rng_.Uniform(0, 7));
    }
    Timestamp at = now + link.delay;
    if (late) at += TimeDelta::SecondsF(link.delay.seconds() * 3 * how_late);
    if (twice) under_way_.emplace(at + TimeDelta::Millis(1), Flying{to_z, packet});
    under_way_.emplace(at, Flying{to_z, std::move(packet)});
  }

  Rng rng_;
  std::multimap<Timestamp, Flying> under_way_;
};

// `size` bytes that depend on `tag`.
inline Bytes Pattern(std::size_t size, uint64_t tag) {
  Bytes bytes(size);
  Rng(tag).Fill(bytes);
  return bytes;
}

// The chunks of a packet, by type.
inline std::vector<uint8_t> ChunkTypes(ByteView bytes) {
  std::vector<uint8_t> types;
  const auto packet = PacketView::Parse(bytes);
  if (!packet) return types;
  std::size_t offset = PacketView::kFirstChunk;
  while (true) {
    const auto chunk = packet->NextChunk(offset);
    if (!chunk || !*chunk) return types;
    types.push_back((*chunk)->type);
  }
}
inline bool HasChunk(ByteView bytes, ChunkType type) {
  for (const uint8_t t : ChunkTypes(bytes)) {
    if (t == static_cast<uint8_t>(type)) return true;
  }
  return false;
}

}  // namespace rtclab::sctp::test

#endif  // RTCLAB_STACK_SCTP_TEST_UTIL_H_
