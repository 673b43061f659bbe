// Lost, duplicated and reordered flights on virtual time (RFC 6347 section 4.2.4).
#include <gtest/gtest.h>

#include "stack/dtls/dtls_test_util.h"

namespace rtclab::dtls {
namespace {

TEST(TransportLossTest, FirstFlightComesAgainAfterOneSecondThenDoubling) {
  TestPair pair;
  pair.on_wire = [](const TestPair::Sent&) { return TestPair::Arriving(); };
  pair.Start();
  pair.RunIdle();
  std::vector<int64_t> at_ms;
  for (const auto& sent : pair.sent) at_ms.push_back(sent.at.millis() - 5'000);
  EXPECT_EQ(at_ms, (std::vector<int64_t>{0, 1'000, 3'000, 7'000, 15'000, 31'000}));
  EXPECT_EQ(pair.client->counters().retransmissions, 5u);
}

TEST(TransportLossTest, TheTimersAreConfigured) {
  TestPair::Options options;
  options.client.initial_retransmission = TimeDelta::Millis(50);
  options.client.max_retransmission = TimeDelta::Millis(400);
  options.client.handshake_timeout = TimeDelta::Millis(2'000);
  TestPair pair(options);
  pair.on_wire = [](const TestPair::Sent&) { return TestPair::Arriving(); };
  pair.client->Start(pair.now);
  pair.RunIdle();
  std::vector<int64_t> at_ms;
  for (const auto& sent : pair.sent) at_ms.push_back(sent.at.millis() - 5'000);
  EXPECT_EQ(at_ms, (std::vector<int64_t>{0, 50, 150, 350, 750, 1'150, 1'550, 1'950}));
  EXPECT_EQ(pair.client_record.failed_at.millis(), 7'000);
}

// Each of the four flights lost once: how late the two sides are.
TEST(TransportLossTest, AnyLostFlightCostsOneSecond) {
  for (std::size_t lost = 0; lost < 4; ++lost) {
    TestPair pair;
    std::size_t count = 0;
    pair.on_wire = [&](const TestPair::Sent& sent) {
      return count++ == lost ? TestPair::Arriving() : TestPair::Arriving{sent.datagram};
    };
    ASSERT_TRUE(pair.Connect()) << lost;
    const TimeDelta took = pair.client_record.connected_at - Timestamp::Seconds(5);
    EXPECT_GE(took, TimeDelta::Millis(1'020)) << lost;
    EXPECT_LE(took, TimeDelta::Millis(1'060)) << lost;
  }
}

// A new flight begins with the first timer again.
TEST(TransportLossTest, EveryFlightBeginsWithOneSecond) {
  TestPair pair;
  int client_flights = 0;
  pair.on_wire = [&](const TestPair::Sent& sent) {
    // The client's first flight is lost twice; its second one, with the certificate, once.
    if (sent.from_client) ++client_flights;
    const bool lost = sent.from_client && (client_flights <= 2 || client_flights == 4);
    return lost ? TestPair::Arriving() : TestPair::Arriving{sent.datagram};
  };
  ASSERT_TRUE(pair.Connect());
  // 1 s and 2 s for the first, two one-way delays, 1 s for the second, two more.
  EXPECT_EQ(pair.client_record.connected_at - Timestamp::Seconds(5), TimeDelta::Millis(4'040));
}

// The flights that are sent again are packed as tightly as the first time.
TEST(TransportLossTest, RetransmissionsShareDatagrams) {
  TestPair pair;
  std::size_t count = 0;
  pair.on_wire = [&](const TestPair::Sent& sent) {
    return count++ == 1 ? TestPair::Arriving() : TestPair::Arriving{sent.datagram};
  };
  ASSERT_TRUE(pair.Connect());
  for (const auto& sent : pair.sent) EXPECT_LE(sent.datagram.size(), 1'200u);
  // Six flights at the most: the lost one again, perhaps with the client's first.
  EXPECT_LE(pair.sent.size(), 6u);
}

class TransportLossSweepTest : public testing::TestWithParam<int> {};

// With loss, duplication and reordering every handshake ends, and most succeed; data afterwards is right.
TEST_P(TransportLossSweepTest, HandshakesEnd) {
  const double loss = GetParam() / 100.0;
  int connected = 0;
  constexpr int kRuns = 20;
  for (int run = 0; run < kRuns; ++run) {
    TestPair::Options options;
    options.seed = 100 + static_cast<uint64_t>(run);
    options.client.mtu = options.server.mtu = run % 2 == 0 ? 300 : 1'200;
    TestPair pair(options);
    Rng network(static_cast<uint64_t>(run));
    std::optional<Bytes> delayed;
    pair.on_wire = [&](const TestPair::Sent& sent) {
      TestPair::Arriving arriving;
      if (!network.Bernoulli(loss)) arriving.push_back(sent.datagram);
      if (network.Bernoulli(0.1)) arriving.push_back(sent.datagram);
      return arriving;
    };
    const bool both = pair.Connect();
    connected += both ? 1 : 0;
    if (!both) {
      EXPECT_TRUE(pair.client_record.failed || pair.server_record.failed)
          << "seed " << options.seed;
      continue;
    }
    pair.on_wire = nullptr;
    EXPECT_TRUE(pair.client->Send(pair.now, Bytes{1, 2}));
    EXPECT_TRUE(pair.server->Send(pair.now, Bytes{3}));
    pair.RunIdle();
    EXPECT_EQ(pair.server_record.data, std::vector<Bytes>{(Bytes{1, 2})})
        << "seed " << options.seed;
    EXPECT_EQ(pair.client_record.data, std::vector<Bytes>{Bytes{3}}) << "seed " << options.seed;
  }
  EXPECT_GE(connected, GetParam() <= 10 ? kRuns : kRuns - 3) << "loss " << GetParam() << " %";
}

INSTANTIATE_TEST_SUITE_P(Percent, TransportLossSweepTest, testing::Values(0, 5, 10, 20, 30));

// Data that overtakes the end of the handshake is not lost on the way to the application.
TEST(TransportLossTest, DataThatOvertakesTheLastFlight) {
  TestPair pair;
  std::optional<Bytes> last_flight;
  pair.on_wire = [&](const TestPair::Sent& sent) {
    if (!sent.from_client && pair.sent.size() == 3) {
      last_flight = sent.datagram;
      return TestPair::Arriving();
    }
    return TestPair::Arriving{sent.datagram};
  };
  pair.Start();
  pair.RunUntil([&] { return pair.server_record.connected.has_value(); });
  ASSERT_TRUE(pair.server->Send(pair.now, Bytes{1, 2, 3}));
  pair.RunUntil([&] { return pair.client->counters().datagrams_received == 2; });
  ASSERT_TRUE(last_flight);
  EXPECT_TRUE(pair.client_record.data.empty());
  pair.client->HandlePacket(pair.now, *last_flight);
  pair.Drain();
  EXPECT_TRUE(pair.client_record.connected);
  EXPECT_EQ(pair.client_record.data, std::vector<Bytes>{(Bytes{1, 2, 3})});
}

}  // namespace
}  // namespace rtclab::dtls
