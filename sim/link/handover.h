// Passes packets on that arrive in the moment they are sent, without a simulator event a hop.
#ifndef RTCLAB_SIM_LINK_HANDOVER_H_
#define RTCLAB_SIM_LINK_HANDOVER_H_

#include <cstddef>
#include <vector>

#include "ns3/packet.h"
#include "ns3/ptr.h"

namespace rtclab::sim {

class PacketSink {
 public:
  virtual ~PacketSink() = default;
  virtual void Accept(const ns3::Ptr<ns3::Packet>& packet) = 0;
};

// A first-in first-out list of packets to hand over at the current time. It is worked off by the
// outermost Guard, at its end: by then whoever sent the packet has returned, so a host is never
// called inside its own call, and a chain of ideal links never recurses. A packet sent outside any
// guard (by an application's own event) gets one event for the whole list.
class Handover {
 public:
  Handover() = default;
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  class Guard {
   public:
    explicit Guard(Handover& handover) : Guard(&handover) {}
    // nullptr: does nothing.
    explicit Guard(Handover* handover) : handover_(handover) {
      if (handover_ != nullptr) ++handover_->depth_;
    }
    ~Guard() {
      if (handover_ == nullptr) return;
      if (handover_->depth_ == 1 && !handover_->list_.empty()) handover_->WorkOff();
      --handover_->depth_;
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    Handover* handover_;
  };

  // `to` lives until the simulator is destroyed.
  void Push(PacketSink& to, const ns3::Ptr<ns3::Packet>& packet);

 private:
  struct Item {
    PacketSink* to;
    ns3::Ptr<ns3::Packet> packet;
  };

  void WorkOff();
  void RunScheduled();

  std::vector<Item> list_;
  std::size_t next_ = 0;
  int depth_ = 0;
  bool scheduled_ = false;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_LINK_HANDOVER_H_
