#include "sim/link/link_device.h"

#include <gtest/gtest.h>

#include "ns3/drop-tail-queue.h"
#include "ns3/node.h"
#include "ns3/simulator.h"
#include "sim/link/link_rules.h"

namespace rtclab::sim {
namespace {

class LinkDeviceTest : public testing::Test, public LinkReceiver {
 protected:
  ~LinkDeviceTest() override {
    lower_ = upper_ = nullptr;
    ns3::Simulator::Destroy();
  }

  void Connect(const LinkBehaviour& behaviour) {
    lower_ = ns3::CreateObject<LinkDevice>();
    upper_ = ns3::CreateObject<LinkDevice>();
    lower_->Setup(fabric_, LinkModel(behaviour, 1, "x/up"), "x", true);
    upper_->Setup(fabric_, LinkModel(behaviour, 1, "x/down"), "x", false);
    ns3::CreateObject<LinkChannel>()->Connect(lower_, upper_);
    ns3::CreateObject<ns3::Node>()->AddDevice(lower_);
    ns3::CreateObject<ns3::Node>()->AddDevice(upper_);
    upper_->SetReceiver(this, 0);
  }
  void OnLinkPacket(int, const ns3::Ptr<ns3::Packet>& packet) override {
    arrivals_.push_back({SimulatorNow(), packet->GetSize()});
    last_ = packet;
  }

  static ns3::Ptr<ns3::Packet> Packet(uint32_t size) {
    Bytes bytes(size, 0);
    bytes[0] = 0x45;
    return ns3::Create<ns3::Packet>(bytes.data(), size);
  }
  uint64_t Drops(const char* where, const char* rule) {
    const auto& counts = fabric_.tracer().drop_counts();
    const auto it = counts.find({where, rule});
    return it == counts.end() ? 0 : it->second;
  }

  Fabric fabric_;
  ns3::Ptr<LinkDevice> lower_, upper_;
  std::vector<std::pair<Timestamp, uint32_t>> arrivals_;
  ns3::Ptr<ns3::Packet> last_;
};

TEST_F(LinkDeviceTest, IsAnNs3DeviceOnAnNs3Channel) {
  Connect({});
  EXPECT_EQ(lower_->GetChannel()->GetNDevices(), 2u);
  EXPECT_EQ(lower_->GetChannel()->GetDevice(1), upper_);
  EXPECT_EQ(lower_->GetNode()->GetDevice(0), lower_);
  EXPECT_TRUE(lower_->IsPointToPoint());
  EXPECT_FALSE(lower_->NeedsArp());
  EXPECT_NE(lower_->GetAddress(), upper_->GetAddress());
  EXPECT_FALSE(lower_->Send(Packet(100), lower_->GetBroadcast(), 0x0806));
}

TEST_F(LinkDeviceTest, IdealLinkNeedsOneEventForAllAndNeverCallsBackInsideSend) {
  Connect({});
  ns3::Simulator::Run();  // the nodes' own start
  const uint64_t before = ns3::Simulator::GetEventCount();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(lower_->SendIp(Packet(100)));
  EXPECT_TRUE(arrivals_.empty());
  ns3::Simulator::Run();
  EXPECT_EQ(arrivals_.size(), 5u);
  EXPECT_EQ(ns3::Simulator::GetEventCount() - before, 1u);
}

TEST_F(LinkDeviceTest, TooLargePacketIsDroppedWithItsRule) {
  LinkBehaviour behaviour;
  behaviour.mtu = 1280;
  Connect(behaviour);
  EXPECT_TRUE(lower_->SendIp(Packet(1280)));
  EXPECT_FALSE(lower_->SendIp(Packet(1281)));
  ns3::Simulator::Run();
  EXPECT_EQ(arrivals_.size(), 1u);
  EXPECT_EQ(Drops("link/x/up", link_rule::kMtu), 1u);
}

TEST_F(LinkDeviceTest, UnconnectedDeviceDrops) {
  const auto device = ns3::CreateObject<LinkDevice>();
  device->Setup(fabric_, LinkModel({}, 1, "y/up"), "y", true);
  EXPECT_FALSE(device->SendIp(Packet(100)));
  EXPECT_EQ(Drops("link/y/up", link_rule::kDown), 1u);
}

// The computed queue and a real ns-3 queue of the same length give the same times and drops.
TEST_F(LinkDeviceTest, Ns3QueueAgreesWithTheComputedOne) {
  LinkBehaviour behaviour;
  behaviour.rate = DataRate::MegabitsPerSec(1);
  behaviour.delay = TimeDelta::Millis(5);
  behaviour.queue_packets = 3;
  const auto run = [&](bool with_queue) {
    Connect(behaviour);
    if (with_queue) {
      const auto queue = ns3::CreateObject<ns3::DropTailQueue<ns3::Packet>>();
      queue->SetMaxSize(ns3::QueueSize("3p"));
      lower_->SetQueue(queue);
    }
    for (int i = 0; i < 20; ++i) {
      ns3::Simulator::Schedule(ns3::MicroSeconds(300 * i),
                               [this, i] { lower_->SendIp(Packet(100 + 7 * i)); });
    }
    ns3::Simulator::Run();
    ns3::Simulator::Destroy();
    return std::exchange(arrivals_, {});
  };
  const auto computed = run(false);
  const uint64_t drops = Drops("link/x/up", link_rule::kQueueFull);
  const auto queued = run(true);
  EXPECT_GT(drops, 5u);
  EXPECT_EQ(Drops("link/x/up", link_rule::kQueueFull), 2 * drops);
  ASSERT_EQ(computed.size(), queued.size());
  for (std::size_t i = 0; i < computed.size(); ++i) EXPECT_EQ(computed[i], queued[i]) << i;
}

TEST_F(LinkDeviceTest, Ns3ErrorModelOnTheReceiverTakesPackets) {
  Connect({});
  const auto model = ns3::CreateObject<ns3::ReceiveListErrorModel>();
  model->SetList({1, 3});
  upper_->SetReceiveErrorModel(model);
  for (int i = 0; i < 5; ++i) lower_->SendIp(Packet(100));
  ns3::Simulator::Run();
  EXPECT_EQ(arrivals_.size(), 3u);
  EXPECT_EQ(Drops("link/x/up", link_rule::kErrorModel), 2u);
}

TEST_F(LinkDeviceTest, CorruptionFlipsOneBitAndKeepsTheUid) {
  LinkBehaviour behaviour;
  behaviour.corruption = 1;
  Connect(behaviour);
  const auto packet = Packet(100);
  const uint64_t uid = packet->GetUid();
  Bytes before(100);
  packet->CopyData(before.data(), 100);
  lower_->SendIp(packet);
  ns3::Simulator::Run();
  ASSERT_TRUE(last_);
  EXPECT_EQ(last_->GetUid(), uid);
  Bytes after(100);
  last_->CopyData(after.data(), 100);
  int flipped = 0;
  for (int i = 0; i < 100; ++i) flipped += __builtin_popcount(before[i] ^ after[i]);
  EXPECT_EQ(flipped, 1);
}

TEST_F(LinkDeviceTest, DuplicateArrivesAsAPacketOfItsOwn) {
  LinkBehaviour behaviour;
  behaviour.duplication = 1;
  behaviour.delay = TimeDelta::Millis(1);
  Connect(behaviour);
  lower_->SendIp(Packet(100));
  ns3::Simulator::Run();
  EXPECT_EQ(arrivals_.size(), 2u);
}

}  // namespace
}  // namespace rtclab::sim
