#include "sim/link/handover.h"

#include "ns3/simulator.h"

namespace rtclab::sim {

void Handover::Push(PacketSink& to, const ns3::Ptr<ns3::Packet>& packet) {
  list_.push_back({&to, packet});
  if (depth_ == 0 && !scheduled_) {
    scheduled_ = true;
    ns3::Simulator::ScheduleNow(&Handover::RunScheduled, this);
  }
}

void Handover::RunScheduled() {
  scheduled_ = false;
  Guard guard(*this);
}

void Handover::WorkOff() {
  while (next_ < list_.size()) {
    const Item item = list_[next_++];  // a copy: the list may grow underneath
    item.to->Accept(item.packet);
  }
  list_.clear();
  next_ = 0;
}

}  // namespace rtclab::sim
