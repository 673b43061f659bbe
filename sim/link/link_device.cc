#include "sim/link/link_device.h"

#include <vector>

#include "ns3/mac48-address.h"
#include "ns3/simulator.h"
#include "sim/link/link_rules.h"
#include "sim/trace/ip_view.h"
#include "stack/base/check.h"

namespace rtclab::sim {
namespace {

std::string LossDetail(const char* rule, const LinkBehaviour& link, std::size_t size) {
  if (rule == link_rule::kQueueFull) {
    if (link.queue_bytes > 0) {
      return "The link's queue of " + std::to_string(link.queue_bytes) + " bytes was full.";
    }
    return "All " + std::to_string(link.queue_packets) + " places in the link's queue were taken.";
  }
  if (rule == link_rule::kMtu) {
    return "A packet of " + std::to_string(size) + " bytes does not fit the link's MTU of " +
           std::to_string(link.mtu) + ".";
  }
  for (const RuleInfo& info : link_rule::kTable) {
    if (info.id == rule) return std::string(info.meaning);
  }
  return {};
}

// Turns one bit over in a copy of the packet that keeps its uid.
ns3::Ptr<ns3::Packet> FlipBit(const ns3::Ptr<ns3::Packet>& packet, uint32_t bit, Fabric& fabric) {
  const ByteView bytes = fabric.Flatten(*packet);
  Bytes changed(bytes.begin(), bytes.end());
  changed[bit / 8] ^= static_cast<uint8_t>(0x80 >> bit % 8);
  ns3::Ptr<ns3::Packet> copy = packet->Copy();
  copy->RemoveAtStart(copy->GetSize());
  copy->AddAtEnd(ns3::Create<ns3::Packet>(changed.data(), static_cast<uint32_t>(changed.size())));
  return copy;
}

}  // namespace

// A packet in flight. Freed events are kept for the next packet.
class LinkDevice::Delivery final : public ns3::EventImpl {
 public:
  Delivery(LinkDevice& to, const ns3::Ptr<ns3::Packet>& packet) : to_(to), packet_(packet) {}

  static void* operator new(std::size_t size) {
    std::vector<void*>& pool = Pool();
    if (pool.empty()) return ::operator new(size);
    void* memory = pool.back();
    pool.pop_back();
    return memory;
  }
  static void operator delete(void* memory) {
    if (Pool().size() < 4096) {
      Pool().push_back(memory);
    } else {
      ::operator delete(memory);
    }
  }

 private:
  struct PoolMemory {
    ~PoolMemory() {
      for (void* memory : free) ::operator delete(memory);
    }
    std::vector<void*> free;
  };
  static std::vector<void*>& Pool() {
    static PoolMemory pool;
    return pool.free;
  }

  void Notify() override {
    Handover::Guard guard(to_.fabric_->handover());
    to_.Accept(packet_);
  }

  LinkDevice& to_;
  ns3::Ptr<ns3::Packet> packet_;
};

NS_OBJECT_ENSURE_REGISTERED(LinkDevice);
NS_OBJECT_ENSURE_REGISTERED(LinkChannel);

ns3::TypeId LinkDevice::GetTypeId() {
  static ns3::TypeId tid = ns3::TypeId("rtclab::LinkDevice").SetParent<ns3::NetDevice>();
  return tid;
}

LinkDevice::LinkDevice() : model_(LinkBehaviour{}, 0, "") {}
LinkDevice::~LinkDevice() = default;

void LinkDevice::Setup(Fabric& fabric, LinkModel model, std::string_view link_name, bool up) {
  fabric_ = &fabric;
  model_ = std::move(model);
  link_name_ = link_name;
  up_ = up;
  where_ = "link/" + link_name_ + (up ? "/up" : "/down");
  mtu_ = static_cast<uint16_t>(model_.behaviour().mtu);
}

void LinkDevice::SetReceiver(LinkReceiver* receiver, int port) {
  receiver_ = receiver;
  port_ = port;
}

void LinkDevice::DoDispose() {
  peer_ = nullptr;
  channel_ = nullptr;
  node_ = nullptr;
  error_model_ = nullptr;
  queue_ = nullptr;
  receive_ = ReceiveCallback();
  promiscuous_ = PromiscReceiveCallback();
  ns3::NetDevice::DoDispose();
}

bool LinkDevice::SendIp(const ns3::Ptr<ns3::Packet>& packet) {
  if (!IsLinkUp()) {
    Lose(packet, link_rule::kDown);
    return false;
  }
  const uint32_t size = packet->GetSize();
  if (size > mtu_) {
    Lose(packet, link_rule::kMtu);
    return false;
  }
  if (model_.ideal()) {
    if (fabric_->tap() != nullptr) [[unlikely]]
      Tap(*packet, {});
    fabric_->handover().Push(*peer_, packet);
    return true;
  }
  if (queue_) [[unlikely]] {
    Enqueue(packet);
  } else {
    ApplyFate(packet, model_.Send(SimulatorNow(), size));
  }
  return true;
}

void LinkDevice::Enqueue(const ns3::Ptr<ns3::Packet>& packet) {
  if (!transmitting_) {
    StartTransmission(packet);
  } else if (!queue_->Enqueue(packet)) {
    Lose(packet, link_rule::kQueueFull);
  }
}

void LinkDevice::StartTransmission(const ns3::Ptr<ns3::Packet>& packet) {
  transmitting_ = true;
  const TimeDelta busy = model_.TransmissionTime(packet->GetSize());
  ns3::Simulator::Schedule(ns3::NanoSeconds(busy.nanos()), &LinkDevice::EndTransmission, this,
                           packet);
}

void LinkDevice::EndTransmission(ns3::Ptr<ns3::Packet> packet) {
  Handover::Guard guard(fabric_->handover());
  transmitting_ = false;
  ApplyFate(packet, model_.Propagate(SimulatorNow(), packet->GetSize()));
  if (ns3::Ptr<ns3::Packet> next = queue_->Dequeue()) StartTransmission(next);
}

void LinkDevice::ApplyFate(const ns3::Ptr<ns3::Packet>& packet, const LinkFate& fate) {
  if (fate.rule != nullptr) {
    Lose(packet, fate.rule);
    return;
  }
  if (fabric_->tap() != nullptr) [[unlikely]] {
    Tap(*packet, fate.flipped_bit ? "one bit will flip on the way" : "");
    if (fate.duplicate) Tap(*packet, "duplicated by the link");
  }
  const ns3::Ptr<ns3::Packet> arriving =
      fate.flipped_bit ? FlipBit(packet, *fate.flipped_bit, *fabric_) : packet;
  // Two receivers must not change one packet.
  if (fate.duplicate) DeliverAt(*fate.duplicate, arriving->Copy());
  DeliverAt(fate.arrival, arriving);
}

void LinkDevice::DeliverAt(Timestamp arrival, const ns3::Ptr<ns3::Packet>& packet) {
  const TimeDelta delay = arrival - SimulatorNow();
  if (delay == TimeDelta::Zero()) {
    fabric_->handover().Push(*peer_, packet);
    return;
  }
  ns3::Simulator::ScheduleWithContext(peer_->node_->GetId(), ns3::TimeStep(delay.nanos()),
                                      new Delivery(*peer_, packet));
}

void LinkDevice::Lose(const ns3::Ptr<ns3::Packet>& packet, const char* rule) {
  std::string detail = LossDetail(rule, model_.behaviour(), packet->GetSize());
  if (fabric_->tap() != nullptr) Tap(*packet, std::string(rule) + ": " + detail);
  fabric_->Drop(*packet, where_, rule, std::move(detail), /*at_node=*/false);
}

void LinkDevice::Tap(const ns3::Packet& packet, std::string_view comment) {
  fabric_->tap()->OnPacket(link_name_, up_ ? TapDirection::kUp : TapDirection::kDown,
                           SimulatorNow(), fabric_->Flatten(packet), comment);
}

void LinkDevice::Accept(const ns3::Ptr<ns3::Packet>& packet) {
  if (error_model_ && error_model_->IsCorrupt(packet)) [[unlikely]] {
    fabric_->Drop(*packet, peer_->where_, link_rule::kErrorModel,
                  LossDetail(link_rule::kErrorModel, model_.behaviour(), packet->GetSize()),
                  /*at_node=*/true);
    return;
  }
  if (receiver_ != nullptr) {
    receiver_->OnLinkPacket(port_, packet);
  } else {
    ReceiveByCallback(packet);
  }
}

void LinkDevice::ReceiveByCallback(const ns3::Ptr<ns3::Packet>& packet) {
  uint8_t first = 0;
  packet->CopyData(&first, 1);
  const uint16_t protocol = first >> 4 == 6 ? kEtherTypeIpv6 : kEtherTypeIpv4;
  const ns3::Address sender = peer_->GetAddress();
  if (!promiscuous_.IsNull()) {
    promiscuous_(this, packet, protocol, sender, GetAddress(), PACKET_HOST);
  }
  if (!receive_.IsNull()) receive_(this, packet, protocol, sender);
}

bool LinkDevice::Send(ns3::Ptr<ns3::Packet> packet, const ns3::Address&, uint16_t protocol) {
  if (protocol != kEtherTypeIpv4 && protocol != kEtherTypeIpv6) return false;
  return SendIp(packet);
}

bool LinkDevice::SendFrom(ns3::Ptr<ns3::Packet>, const ns3::Address&, const ns3::Address&,
                          uint16_t) {
  return false;
}

ns3::Ptr<ns3::Channel> LinkDevice::GetChannel() const { return channel_; }

// Locally administered, from the node and the interface: not from ns-3's process-wide counter.
ns3::Address LinkDevice::GetAddress() const {
  if (!address_.IsInvalid()) return address_;
  uint8_t mac[6] = {0x02, 0, 0, 0, 0, static_cast<uint8_t>(if_index_)};
  const uint32_t id = node_ ? node_->GetId() : 0;
  mac[1] = static_cast<uint8_t>(if_index_ >> 8);
  mac[2] = static_cast<uint8_t>(id >> 16);
  mac[3] = static_cast<uint8_t>(id >> 8);
  mac[4] = static_cast<uint8_t>(id);
  ns3::Mac48Address address;
  address.CopyFrom(mac);
  return address;
}

bool LinkDevice::SetMtu(const uint16_t mtu) {
  mtu_ = mtu;
  return true;
}

void LinkDevice::AddLinkChangeCallback(ns3::Callback<void>) {}  // a link here never goes down

ns3::Address LinkDevice::GetBroadcast() const { return ns3::Mac48Address::GetBroadcast(); }
ns3::Address LinkDevice::GetMulticast(ns3::Ipv4Address group) const {
  return ns3::Mac48Address::GetMulticast(group);
}
ns3::Address LinkDevice::GetMulticast(ns3::Ipv6Address group) const {
  return ns3::Mac48Address::GetMulticast(group);
}

ns3::TypeId LinkChannel::GetTypeId() {
  static ns3::TypeId tid = ns3::TypeId("rtclab::LinkChannel").SetParent<ns3::Channel>();
  return tid;
}

void LinkChannel::Connect(ns3::Ptr<LinkDevice> lower, ns3::Ptr<LinkDevice> upper) {
  CHECK(!devices_[0]);
  devices_ = {lower, upper};
  lower->peer_ = upper;
  upper->peer_ = lower;
  lower->channel_ = upper->channel_ = this;
}

void LinkChannel::DoDispose() {
  devices_ = {};
  ns3::Channel::DoDispose();
}

}  // namespace rtclab::sim
