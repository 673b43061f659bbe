// Where packet events go: an optional sink for everything, and a log of drops that is always kept.
#ifndef RTCLAB_SIM_TRACE_TRACER_H_
#define RTCLAB_SIM_TRACE_TRACER_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/trace/packet_event.h"
#include "stack/base/bytes.h"

namespace rtclab::sim {

// Called synchronously, in virtual-time order, for every send, receive, translation and drop. Must
// not call back into the network.
class PacketEventSink {
 public:
  virtual ~PacketEventSink() = default;
  virtual void OnPacketEvent(const PacketEvent& event) = 0;
};

// A sink that keeps everything, for tests and explanations.
class PacketEventRecorder final : public PacketEventSink {
 public:
  void OnPacketEvent(const PacketEvent& event) override {
    events_.push_back(event);
    events_.back().payload = {};
  }
  const std::vector<PacketEvent>& events() const { return events_; }
  void Clear() { events_.clear(); }

 private:
  std::vector<PacketEvent> events_;
};

class Tracer {
 public:
  // Drops stored whole; later ones are only counted, so that a long lossy run stays small.
  static constexpr std::size_t kMaxStoredDrops = 10'000;

  // nullptr: nobody listens, and an event costs its sender a comparison. Not owned.
  void SetSink(PacketEventSink* sink) { sink_ = sink; }
  // Ask before making an event other than a drop.
  bool listening() const { return sink_ != nullptr; }
  // To the sink; a drop also into the log.
  void Emit(const PacketEvent& event);

  // The first kMaxStoredDrops drops, in order.
  const std::vector<PacketEvent>& drops() const { return drops_; }
  // How many packets ended, by (where, rule).
  const std::map<std::pair<std::string, std::string>, uint64_t>& drop_counts() const {
    return drop_counts_;
  }

 private:
  PacketEventSink* sink_ = nullptr;
  std::vector<PacketEvent> drops_;
  std::map<std::pair<std::string, std::string>, uint64_t> drop_counts_;
};

// The transaction id of the STUN message (RFC 8489 section 5) that a UDP payload is or carries: in
// the DATA attribute of a TURN Send or Data indication (RFC 8656 section 11) or in ChannelData
// (RFC 8656 section 12.4). What is inside wins over the indication's own id; nullopt when there is
// no STUN message.
std::optional<std::array<uint8_t, 12>> FindStunTransaction(ByteView payload);

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_TRACE_TRACER_H_
