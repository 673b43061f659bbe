// Our TURN client and NAT discovery against coturn's server on loopback, in real time.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "conformance/interop/child_process.h"
#include "conformance/interop/loopback.h"
#include "conformance/socket/udp_driver.h"
#include "stack/base/rng.h"
#include "stack/stun/credentials.h"
#include "stack/stun/nat_discovery.h"
#include "stack/turn/client.h"

namespace rtclab::conformance {
namespace {

constexpr TimeDelta kServerPatience = TimeDelta::Seconds(10);

// Answered Binding requests say that coturn is up.
class Probe {
 public:
  struct Event {};
  Probe(TransportAddress local, TransportAddress server) : local_(local), server_(server) {}
  void HandlePacket(Timestamp, const Datagram& packet) { up = packet.source == server_; }
  void HandleTimeout(Timestamp now) { next_ = now; }
  std::optional<Transmit> PollTransmit() {
    if (next_.IsInfinite()) return std::nullopt;
    next_ = Timestamp::PlusInfinity();
    ++sent_;
    return Transmit{local_, server_,
                    stun::MessageBuilder(stun::MessageClass::kRequest, stun::Method::kBinding,
                                         stun::TransactionId{1})
                        .Build()};
  }
  std::optional<Event> PollEvent() { return std::nullopt; }
  Timestamp NextTimeout() const { return Timestamp::Millis(50 * sent_); }

  void set_local(const TransportAddress& local) { local_ = local; }
  bool up = false;

 private:
  TransportAddress local_;
  TransportAddress server_;
  Timestamp next_ = Timestamp::Zero();
  int64_t sent_ = 0;
};

class Coturn {
 public:
  // `options` beside those every test needs. Waits until it answers.
  explicit Coturn(std::vector<std::string> options)
      : port_(FreePort()), alternate_port_(FreePort()) {
    std::vector<std::string> arguments = {"turnserver",
                                          "--log-file=stdout",
                                          "--simple-log",
                                          "-n",
                                          "--listening-port=" + std::to_string(port_),
                                          "--alt-listening-port=" + std::to_string(alternate_port_),
                                          "--realm=rtclab.example",
                                          "--allow-loopback-peers",
                                          "--no-cli",
                                          "--no-tls",
                                          "--no-dtls",
                                          "--no-tcp",
                                          "--pidfile=pid",
                                          "--userdb=users",
                                          "--listening-ip=127.0.0.1",
                                          "--relay-ip=127.0.0.1"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    auto started = ChildProcess::Start(std::move(arguments));
    if (!started) {
      ADD_FAILURE() << started.error().reason << "; scripts/setup installs coturn";
      return;
    }
    process_ = std::make_unique<ChildProcess>(std::move(*started));
    UdpDriver driver;
    Probe probe({}, At(AddressFamily::kIpv4));
    auto* const host = driver.Add(probe, [](Probe::Event&&) {});
    const auto local = driver.Bind(host, {Loopback(AddressFamily::kIpv4), 0});
    probe.set_local(local.value());
    up_ =
        driver.RunUntil([&] { return probe.up || process_->Poll(); }, kServerPatience) && probe.up;
    EXPECT_TRUE(up_) << "coturn does not answer:\n" << process_->Output();
  }

  bool up() const { return up_; }
  TransportAddress At(AddressFamily family) const { return {Loopback(family), port_}; }
  std::string Output() const { return process_->Output(); }

 private:
  uint16_t port_;
  uint16_t alternate_port_;
  std::unique_ptr<ChildProcess> process_;
  bool up_ = false;
};

const std::vector<std::string> kDualStack = {"--listening-ip=::1", "--relay-ip=::1",
                                             "--lt-cred-mech", "--user=alice:wonderland"};

// A client on a real socket, and an echoing peer.
class Session {
 public:
  Session(const Coturn& coturn, AddressFamily transport_family) : rng_(11) {
    config.server = coturn.At(transport_family);
    config.username = "alice";
    config.password = "wonderland";
  }

  turn::Client& Start() {
    // The local address is part of the configuration and known only once bound.
    const auto wanted = TransportAddress{Loopback(config.server.family()), FreePort()};
    config.local = wanted;
    client_ = std::make_unique<turn::Client>(config, rng_);
    auto* const host = driver.Add(
        *client_, [this](turn::ClientEvent&& event) { events.push_back(std::move(event)); });
    EXPECT_TRUE(driver.Bind(host, wanted));
    client_->Allocate(driver.Now());
    return *client_;
  }
  TransportAddress AddPeer(AddressFamily family) {
    auto* const host = driver.Add(peer, [](EchoPeer::Event&&) {});
    return driver.Bind(host, {Loopback(family), 0}).value();
  }
  template <typename T>
  std::vector<T> All() const {
    std::vector<T> out;
    for (const auto& event : events) {
      if (const T* e = std::get_if<T>(&event)) out.push_back(*e);
    }
    return out;
  }
  // Waits for the next event of a kind.
  template <typename T>
  testing::AssertionResult Await(std::size_t count = 1) {
    if (driver.RunUntil([&] { return All<T>().size() >= count; }, kServerPatience)) {
      return testing::AssertionSuccess();
    }
    auto failure = testing::AssertionFailure() << "the event did not come";
    for (const auto& f : All<turn::AllocateFailed>()) failure << "; " << f.code << " " << f.reason;
    for (const auto& f : All<turn::PermissionFailed>())
      failure << "; " << f.code << " " << f.reason;
    for (const auto& f : All<turn::ChannelFailed>()) failure << "; " << f.code << " " << f.reason;
    for (const auto& f : All<turn::AllocationLost>()) failure << "; " << f.code << " " << f.reason;
    return failure;
  }

  turn::ClientConfig config;
  EchoPeer peer;
  std::vector<turn::ClientEvent> events;
  UdpDriver driver;  // last: it hosts the others

 private:
  Rng rng_;
  std::unique_ptr<turn::Client> client_;
};

struct Families {
  AddressFamily transport;
  AddressFamily relay;
};

class CoturnRelayTest : public testing::TestWithParam<Families> {};

TEST_P(CoturnRelayTest, WholeLifeOfAnAllocation) {
  const Coturn coturn(kDualStack);
  ASSERT_TRUE(coturn.up());
  Session session(coturn, GetParam().transport);
  session.config.family = GetParam().relay;
  session.config.lifetime = TimeDelta::Seconds(900);
  const TransportAddress peer = session.AddPeer(GetParam().relay);
  turn::Client& client = session.Start();
  ASSERT_TRUE(session.Await<turn::Allocated>());
  const turn::Allocated allocated = session.All<turn::Allocated>()[0];
  ASSERT_EQ(allocated.relayed.size(), 1u);
  EXPECT_EQ(allocated.relayed[0].family(), GetParam().relay);
  EXPECT_EQ(allocated.mapped, client.config().local);
  EXPECT_EQ(allocated.lifetime, TimeDelta::Seconds(900));

  client.CreatePermission(session.driver.Now(), std::vector{peer.ip});
  ASSERT_TRUE(session.Await<turn::PermissionCreated>());
  const Bytes small = {1, 2, 3};
  ASSERT_TRUE(client.Send(session.driver.Now(), peer, small));
  ASSERT_TRUE(session.Await<turn::DataReceived>(1));

  client.BindChannel(session.driver.Now(), peer);
  ASSERT_TRUE(session.Await<turn::ChannelBound>());
  const Bytes large(1200, 0x5a);
  ASSERT_TRUE(client.Send(session.driver.Now(), peer, large));
  ASSERT_TRUE(session.Await<turn::DataReceived>(2));
  const auto data = session.All<turn::DataReceived>();
  EXPECT_EQ(data[0].payload, small);
  EXPECT_EQ(data[1].payload, large);
  for (const auto& d : data) {
    EXPECT_EQ(d.peer, peer);
    EXPECT_EQ(d.relayed, allocated.relayed[0]);
  }

  client.Refresh(session.driver.Now(), TimeDelta::Seconds(1200));
  ASSERT_TRUE(session.Await<turn::AllocationRefreshed>());
  EXPECT_EQ(session.All<turn::AllocationRefreshed>()[0].lifetime, TimeDelta::Seconds(1200));
  client.Close(session.driver.Now());
  ASSERT_TRUE(session.Await<turn::Closed>());
}

INSTANTIATE_TEST_SUITE_P(Families, CoturnRelayTest,
                         testing::Values(Families{AddressFamily::kIpv4, AddressFamily::kIpv4},
                                         Families{AddressFamily::kIpv4, AddressFamily::kIpv6},
                                         Families{AddressFamily::kIpv6, AddressFamily::kIpv4},
                                         Families{AddressFamily::kIpv6, AddressFamily::kIpv6}),
                         [](const auto& test) {
                           const auto name = [](AddressFamily f) {
                             return f == AddressFamily::kIpv4 ? "Ipv4" : "Ipv6";
                           };
                           return std::string("Over") + name(test.param.transport) + "Relay" +
                                  name(test.param.relay);
                         });

TEST(CoturnTest, ReservedPort) {
  const Coturn coturn(kDualStack);
  ASSERT_TRUE(coturn.up());
  Session first(coturn, AddressFamily::kIpv4);
  first.config.reserve_next = true;
  first.Start();
  ASSERT_TRUE(first.Await<turn::Allocated>());
  const turn::Allocated rtp = first.All<turn::Allocated>()[0];
  ASSERT_TRUE(rtp.reservation_token);
  EXPECT_EQ(rtp.relayed[0].port % 2, 0);
  Session second(coturn, AddressFamily::kIpv4);
  second.config.reservation_token = rtp.reservation_token;
  second.Start();
  ASSERT_TRUE(second.Await<turn::Allocated>());
  EXPECT_EQ(second.All<turn::Allocated>()[0].relayed[0].port, rtp.relayed[0].port + 1);
}

TEST(CoturnTest, WrongPasswordIsToldSo) {
  const Coturn coturn(kDualStack);
  ASSERT_TRUE(coturn.up());
  Session session(coturn, AddressFamily::kIpv4);
  session.config.password = "looking glass";
  session.Start();
  ASSERT_TRUE(session.Await<turn::AllocateFailed>());
  EXPECT_EQ(session.All<turn::AllocateFailed>()[0].code, 401);
}

TEST(CoturnTest, ForbiddenPeerIsToldSoAndTheOthersWork) {
  std::vector<std::string> options = kDualStack;
  options.push_back("--denied-peer-ip=127.0.0.3");
  const Coturn coturn(options);
  ASSERT_TRUE(coturn.up());
  Session session(coturn, AddressFamily::kIpv4);
  turn::Client& client = session.Start();
  ASSERT_TRUE(session.Await<turn::Allocated>());
  client.CreatePermission(session.driver.Now(),
                          std::vector{IpAddress::V4(127, 0, 0, 1), IpAddress::V4(127, 0, 0, 3)});
  ASSERT_TRUE(session.Await<turn::PermissionFailed>());
  ASSERT_TRUE(session.Await<turn::PermissionCreated>());
  EXPECT_EQ(session.All<turn::PermissionFailed>()[0].code, 403);
  EXPECT_EQ(session.All<turn::PermissionCreated>()[0].peer, IpAddress::V4(127, 0, 0, 1));
}

TEST(CoturnTest, TimeLimitedCredentials) {
  const Coturn coturn({"--use-auth-secret", "--static-auth-secret=south"});
  ASSERT_TRUE(coturn.up());
  Session session(coturn, AddressFamily::kIpv4);
  // coturn reads the expiry into 31 bits, so this is as late as it gets (2038).
  const auto credential = stun::MakeRestCredential("south", 2'147'000'000, "alice");
  session.config.username = credential.username;
  session.config.password = credential.password;
  session.Start();
  ASSERT_TRUE(session.Await<turn::Allocated>());
}

TEST(CoturnTest, StaleNonceIsRenewedWithoutLoss) {
  std::vector<std::string> options = kDualStack;
  options.push_back("--stale-nonce=1");
  const Coturn coturn(options);
  ASSERT_TRUE(coturn.up());
  Session session(coturn, AddressFamily::kIpv4);
  turn::Client& client = session.Start();
  ASSERT_TRUE(session.Await<turn::Allocated>());
  session.driver.RunFor(TimeDelta::Millis(2'200));
  client.Refresh(session.driver.Now(), TimeDelta::Seconds(700));
  ASSERT_TRUE(session.Await<turn::AllocationRefreshed>());
  EXPECT_TRUE(session.All<turn::AllocationLost>().empty());
}

TEST(CoturnTest, NatDiscoverySeesNoNat) {
  const Coturn coturn({"--listening-ip=127.0.0.2", "--no-auth"});
  ASSERT_TRUE(coturn.up());
  Rng rng(5);
  stun::NatDiscoveryConfig config;
  config.local = {Loopback(AddressFamily::kIpv4), FreePort()};
  config.server = coturn.At(AddressFamily::kIpv4);
  config.retransmit.rto = TimeDelta::Millis(100);
  config.retransmit.rc = 4;
  stun::NatDiscovery discovery(config, rng);
  UdpDriver driver;
  auto* const host = driver.Add(discovery, [](stun::NatDiscovery::Event&&) {});
  ASSERT_TRUE(driver.Bind(host, config.local));
  discovery.Start(driver.Now());
  ASSERT_TRUE(driver.RunUntil([&] { return discovery.done(); }, TimeDelta::Seconds(30)));
  const stun::NatReport& report = discovery.report();
  EXPECT_TRUE(report.udp_works);
  EXPECT_TRUE(report.server_supports);
  EXPECT_FALSE(report.translated);
  EXPECT_EQ(report.mapped, config.local);
  EXPECT_EQ(report.filtering, stun::FilteringResult::kEndpointIndependent);
  EXPECT_EQ(report.mapping, stun::MappingResult::kEndpointIndependent);
}

}  // namespace
}  // namespace rtclab::conformance
