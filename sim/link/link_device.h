// A full-duplex point-to-point link of two ns-3 devices, each sending with a LinkBehaviour of its
// own. On the wire are bare IP packets; there are no link-layer addresses to resolve.
#ifndef RTCLAB_SIM_LINK_LINK_DEVICE_H_
#define RTCLAB_SIM_LINK_LINK_DEVICE_H_

#include <array>
#include <string>

#include "ns3/channel.h"
#include "ns3/error-model.h"
#include "ns3/net-device.h"
#include "ns3/node.h"
#include "ns3/packet.h"
#include "ns3/ptr.h"
#include "ns3/queue.h"
#include "sim/link/fabric.h"
#include "sim/link/link_model.h"

namespace rtclab::sim {

class LinkChannel;
class LinkDevice;

inline constexpr uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr uint16_t kEtherTypeIpv6 = 0x86dd;

// What a node of ours gives its devices, to get packets without ns-3's callbacks.
class LinkReceiver {
 public:
  virtual ~LinkReceiver() = default;
  virtual void OnLinkPacket(int port, const ns3::Ptr<ns3::Packet>& packet) = 0;
};

class LinkDevice final : public ns3::NetDevice, public PacketSink {
 public:
  static ns3::TypeId GetTypeId();

  LinkDevice();
  ~LinkDevice() override;

  // Once, before the device is used. `up` tells which way of the link this device sends.
  void Setup(Fabric& fabric, LinkModel model, std::string_view link_name, bool up);
  // Sends an IP packet. True when it was taken, even if the link then loses it.
  bool SendIp(const ns3::Ptr<ns3::Packet>& packet);
  // Packets that arrive go to `receiver` as of `port`, not to ns-3's receive callback.
  void SetReceiver(LinkReceiver* receiver, int port);

  // An administratively down device loses what it is given to send; what is on its way still arrives.
  void SetAdminUp(bool up) { admin_up_ = up; }

  // "link/<name>/up" or "link/<name>/down": what this device's drops say.
  const std::string& where() const { return where_; }
  LinkModel& model() { return model_; }
  ns3::Ptr<LinkDevice> peer() const { return peer_; }

  // Judges every packet that arrives, as ns-3's own devices do it. The model draws from ns-3's
  // random streams: call its AssignStreams().
  void SetReceiveErrorModel(ns3::Ptr<ns3::ErrorModel> model) { error_model_ = model; }
  // Replaces the counted drop-tail queue; the link's rate must be finite.
  void SetQueue(ns3::Ptr<ns3::Queue<ns3::Packet>> queue) { queue_ = queue; }

  // Gives a device without a rate one; before it is used.
  void LimitRate(DataRate rate) { model_.SetFirstRate(rate); }

  // ns3::NetDevice
  void SetIfIndex(const uint32_t index) override { if_index_ = index; }
  uint32_t GetIfIndex() const override { return if_index_; }
  ns3::Ptr<ns3::Channel> GetChannel() const override;
  void SetAddress(ns3::Address address) override { address_ = address; }
  ns3::Address GetAddress() const override;
  bool SetMtu(const uint16_t mtu) override;
  uint16_t GetMtu() const override { return mtu_; }
  bool IsLinkUp() const override { return peer_ != nullptr && admin_up_; }
  void AddLinkChangeCallback(ns3::Callback<void> callback) override;
  bool IsBroadcast() const override { return true; }
  ns3::Address GetBroadcast() const override;
  bool IsMulticast() const override { return true; }
  ns3::Address GetMulticast(ns3::Ipv4Address group) const override;
  ns3::Address GetMulticast(ns3::Ipv6Address group) const override;
  bool IsBridge() const override { return false; }
  bool IsPointToPoint() const override { return true; }
  bool Send(ns3::Ptr<ns3::Packet> packet, const ns3::Address& destination,
            uint16_t protocol) override;
  bool SendFrom(ns3::Ptr<ns3::Packet> packet, const ns3::Address& source,
                const ns3::Address& destination, uint16_t protocol) override;
  ns3::Ptr<ns3::Node> GetNode() const override { return node_; }
  void SetNode(ns3::Ptr<ns3::Node> node) override { node_ = node; }
  bool NeedsArp() const override { return false; }
  void SetReceiveCallback(ReceiveCallback callback) override { receive_ = callback; }
  void SetPromiscReceiveCallback(PromiscReceiveCallback callback) override {
    promiscuous_ = callback;
  }
  bool SupportsSendFrom() const override { return false; }

  // PacketSink: a packet has arrived at this end.
  void Accept(const ns3::Ptr<ns3::Packet>& packet) override;

 protected:
  void DoDispose() override;

 private:
  friend class LinkChannel;
  class Delivery;

  void Enqueue(const ns3::Ptr<ns3::Packet>& packet);
  void StartTransmission(const ns3::Ptr<ns3::Packet>& packet);
  void EndTransmission(ns3::Ptr<ns3::Packet> packet);
  void ApplyFate(const ns3::Ptr<ns3::Packet>& packet, const LinkFate& fate);
  void DeliverAt(Timestamp arrival, const ns3::Ptr<ns3::Packet>& packet);
  void Lose(const ns3::Ptr<ns3::Packet>& packet, const char* rule);
  void Tap(const ns3::Packet& packet, std::string_view comment);
  void ReceiveByCallback(const ns3::Ptr<ns3::Packet>& packet);

  Fabric* fabric_ = nullptr;
  LinkModel model_;
  std::string link_name_;
  std::string where_;
  bool up_ = true;
  uint16_t mtu_ = 1500;
  LinkReceiver* receiver_ = nullptr;
  int port_ = 0;
  ns3::Ptr<LinkDevice> peer_;
  ns3::Ptr<LinkChannel> channel_;
  ns3::Ptr<ns3::Node> node_;
  ns3::Address address_;
  uint32_t if_index_ = 0;
  ns3::Ptr<ns3::ErrorModel> error_model_;
  ns3::Ptr<ns3::Queue<ns3::Packet>> queue_;
  bool transmitting_ = false;
  bool admin_up_ = true;
  ReceiveCallback receive_;
  PromiscReceiveCallback promiscuous_;
};

class LinkChannel final : public ns3::Channel {
 public:
  static ns3::TypeId GetTypeId();

  // Once: ties two devices together.
  void Connect(ns3::Ptr<LinkDevice> lower, ns3::Ptr<LinkDevice> upper);

  std::size_t GetNDevices() const override { return devices_[0] ? 2 : 0; }
  ns3::Ptr<ns3::NetDevice> GetDevice(std::size_t i) const override { return devices_.at(i); }

 protected:
  void DoDispose() override;

 private:
  std::array<ns3::Ptr<LinkDevice>, 2> devices_;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_LINK_LINK_DEVICE_H_
