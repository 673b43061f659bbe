// Links that change while packets are under way, and what a path carries.
#include <gtest/gtest.h>

#include "ns3/simulator.h"
#include "sim/link/link_device.h"
#include "sim/topology/network_test_util.h"

namespace rtclab::sim {
namespace {

// a in a LAN whose uplink has 1 Mbit/s and no delay; b on the core. 97 bytes of payload are 125 bytes of IP: 1 ms.
class LinkChangeTest : public NetworkTestBase {
 protected:
  void SetUp() override {
    BuildOne(1'000'000, [](LinkSpec&) {});
  }

  template <typename F>
  void BuildOne(int64_t rate_bps, F&& change) {
    NetworkSpec spec;
    spec.lans = {Lan("n", std::nullopt)};
    spec.lans[0].uplink = {};
    if (rate_bps > 0) {
      spec.lans[0].uplink.up.rate = spec.lans[0].uplink.down.rate = DataRate::BitsPerSec(rate_bps);
    }
    change(spec.lans[0].uplink);
    spec.hosts = {Host("a", "n"), Host("b", "")};
    Build(spec);
    inbox_.items.clear();
    a_ = Bind("a", 1000, unused_);
    b_ = Bind("b", 2000, inbox_);
  }

  void SendMany(int count) {
    for (int i = 0; i < count; ++i) Send("a", a_, b_, std::string(97, 'x'));
  }
  static void At(int64_t us, std::function<void()> f) {
    ns3::Simulator::Schedule(ns3::MicroSeconds(us), std::move(f));
  }
  std::vector<int64_t> ArrivalsUs() const {
    std::vector<int64_t> out;
    for (const Inbox::Item& item : inbox_.items)
      out.push_back((item.time - Timestamp::Zero()).nanos() / 1000);
    return out;
  }

  Inbox inbox_, unused_;
  TransportAddress a_, b_;
};

using Times = std::vector<int64_t>;

TEST_F(LinkChangeTest, ARateThatMayChangeIsTheSameUntilItDoes) {
  SendMany(4);
  RunFor(100);
  const Times fixed = ArrivalsUs();
  EXPECT_EQ(fixed, (Times{1000, 2000, 3000, 4000}));
  SetUp();
  network_->AllowRateChanges("n");
  SendMany(4);
  RunFor(100);
  EXPECT_EQ(ArrivalsUs(), fixed);
}

// The packet on the wire ends as it began; those that wait go at the new rate.
TEST_F(LinkChangeTest, ANewRateHoldsForPacketsThatWait) {
  network_->AllowRateChanges("n");
  SendMany(4);
  At(1500, [&] { network_->SetLink("n", {.rate = DataRate::BitsPerSec(500'000)}, true, false); });
  At(5000, [&] { network_->SetLink("n", {.rate = DataRate::BitsPerSec(4'000'000)}, true, false); });
  RunFor(100);
  EXPECT_EQ(ArrivalsUs(), (Times{1000, 2000, 4000, 6000}));
  inbox_.items.clear();
  SendMany(1);
  RunFor(100);
  EXPECT_EQ(ArrivalsUs(), (Times{100'250}));
}

TEST_F(LinkChangeTest, OneDirectionLeavesTheOtherAlone) {
  network_->AllowRateChanges("n");
  network_->SetLink("n", {.rate = DataRate::BitsPerSec(500'000)}, false, true);
  SendMany(1);
  RunFor(100);
  EXPECT_EQ(ArrivalsUs(), (Times{1000}));
  EXPECT_EQ(network_->lower_device("n")->model().behaviour().rate, DataRate::BitsPerSec(1'000'000));
  EXPECT_EQ(network_->upper_device("n")->model().behaviour().rate, DataRate::BitsPerSec(500'000));
}

TEST_F(LinkChangeTest, DelayAndLossChangeOnAnyLink) {
  SendMany(1);
  At(10'000, [&] {
    network_->SetLink("n", {.delay = TimeDelta::Millis(7)}, true, true);
    SendMany(1);
  });
  At(30'000, [&] {
    network_->SetLink("n", {.loss = 1.0}, true, true);
    SendMany(3);
  });
  At(50'000, [&] {
    network_->SetLink("n", {.loss = 0.0}, true, true);
    SendMany(1);
  });
  RunFor(100);
  EXPECT_EQ(ArrivalsUs(), (Times{1000, 18'000, 58'000}));
  EXPECT_EQ(Drops("link/n/up", "link.loss"), 3u);
}

TEST_F(LinkChangeTest, ALinkWithoutARateGetsOne) {
  BuildOne(0, [](LinkSpec&) {});
  network_->AllowRateChanges("n");
  EXPECT_FALSE(network_->PathRate("a", "b"));  // as good as none
  At(1000, [&] {
    network_->SetLink("n", {.rate = DataRate::BitsPerSec(1'000'000)}, true, true);
    SendMany(2);
  });
  RunFor(100);
  EXPECT_EQ(ArrivalsUs(), (Times{2000, 3000}));
  EXPECT_EQ(network_->PathRate("a", "b"), DataRate::BitsPerSec(1'000'000));
}

// The queue stays what it was, in packets or bytes, whatever the rate becomes.
TEST_F(LinkChangeTest, TheQueueKeepsItsLimit) {
  BuildOne(1'000'000, [](LinkSpec& link) { link.up.queue_packets = 3; });
  network_->AllowRateChanges("n");
  SendMany(10);
  RunFor(100);
  EXPECT_EQ(inbox_.items.size(), 4u);
  EXPECT_EQ(Drops("link/n/up", "link.queue-full"), 6u);
  BuildOne(1'000'000, [](LinkSpec& link) { link.up.queue_bytes = 500; });
  network_->AllowRateChanges("n");
  SendMany(10);
  RunFor(100);
  EXPECT_EQ(inbox_.items.size(), 5u);  // the one being sent and 4 times 125 bytes
}

// A host in two networks is one name for both its links.
TEST_F(LinkChangeTest, AHostsNameStandsForAllItsLinks) {
  NetworkSpec spec;
  spec.lans = {Lan("w", std::nullopt), Lan("m", std::nullopt)};
  spec.hosts = {Host("a", "w"), Host("b", "")};
  spec.hosts[0].attachments.push_back({.lan = "m", .access = {}});
  Build(spec);
  network_->AllowRateChanges("a");
  network_->SetLink("a", {.rate = DataRate::KilobitsPerSec(64)}, true, true);
  for (const char* link : {"a/w", "a/m"}) {
    EXPECT_EQ(network_->lower_device(link)->model().behaviour().rate, DataRate::KilobitsPerSec(64));
  }
  network_->SetLinkUp("a", false);
  EXPECT_FALSE(network_->lower_device("a/m")->IsLinkUp());
  EXPECT_TRUE(network_->lower_device("w")->IsLinkUp());
  EXPECT_DEATH(network_->SetLinkUp("nobody", false), "CHECK");
}

TEST_F(LinkChangeTest, PathRateIsOfTheSlowestLinkOnTheWay) {
  NetworkSpec spec;
  spec.lans = {Lan("isp", std::nullopt), Lan("home", std::nullopt, "isp"), Lan("other")};
  const auto rates = [](LinkSpec& link, int up, int down) {
    link.up.rate = DataRate::KilobitsPerSec(up);
    link.down.rate = DataRate::KilobitsPerSec(down);
  };
  rates(spec.lans[0].uplink, 500, 5000);
  rates(spec.lans[1].uplink, 800, 900);
  spec.hosts = {Host("a", "home"), Host("a2", "home"), Host("i", "isp"), Host("o", "other"),
                Host("c", "")};
  rates(spec.hosts[1].attachments[0].access, 100, 200);
  Build(spec);
  const auto kbps = [&](const char* from, const char* to) -> int64_t {
    const auto rate = network_->PathRate(from, to);
    return rate ? rate->bps() / 1000 : -1;
  };
  EXPECT_EQ(kbps("a", "c"), 500);
  EXPECT_EQ(kbps("c", "a"), 900);
  EXPECT_EQ(kbps("c", "i"), 5000);
  EXPECT_EQ(kbps("a", "i"), 800);   // not over the provider's uplink
  EXPECT_EQ(kbps("a", "a2"), 200);  // neighbours
  EXPECT_EQ(kbps("a2", "o"), 100);
  EXPECT_EQ(kbps("o", "c"), -1);
  network_->AllowRateChanges("isp");
  network_->SetLink("isp", {.rate = DataRate::KilobitsPerSec(50)}, true, true);
  EXPECT_EQ(kbps("a", "c"), 50);
}

}  // namespace
}  // namespace rtclab::sim
