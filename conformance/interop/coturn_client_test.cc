// coturn's load client against our TURN server on loopback, in real time.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "conformance/interop/child_process.h"
#include "conformance/interop/loopback.h"
#include "conformance/socket/udp_driver.h"
#include "stack/base/rng.h"
#include "stack/stun/credentials.h"
#include "stack/turn/server.h"

namespace rtclab::conformance {
namespace {

constexpr TimeDelta kPatience = TimeDelta::Seconds(30);

// Our server on real sockets, with an echoing peer beside it.
class UclientTest : public testing::TestWithParam<AddressFamily> {
 protected:
  UclientTest() : rng_(3) {
    const IpAddress loopback = Loopback(AddressFamily::kIpv4);
    turn::ServerConfig config;
    config.listening = {{loopback, FreePort()}};
    config.relay_addresses = {loopback, Loopback(AddressFamily::kIpv6)};
    config.peer_policy.allow_loopback = true;
    auto store = std::make_shared<stun::StaticCredentials>();
    EXPECT_TRUE(store->Add("alice", "wonderland"));
    turn::ServerAuthentication authentication;
    authentication.long_term.realm = "rtclab.example";
    authentication.credentials = std::move(store);
    config.authentication = std::move(authentication);
    server_ = std::make_unique<turn::Server>(config, rng_);
    host_ = driver_.Add(*server_, [this](turn::ServerEvent&& event) { Handle(std::move(event)); });
    EXPECT_TRUE(driver_.Bind(host_, config.listening[0]));
    auto* const peer = driver_.Add(peer_, [](EchoPeer::Event&&) {});
    peer_address_ = driver_.Bind(peer, {Loopback(GetParam()), 0}).value();
  }

  void Handle(turn::ServerEvent&& event) {
    if (const auto* wanted = std::get_if<turn::RelayWanted>(&event)) {
      if (driver_.Bind(host_, wanted->address)) {
        server_->RelayBound(driver_.Now(), wanted->id);
      } else {
        server_->RelayBindFailed(driver_.Now(), wanted->id);
      }
    } else if (const auto* released = std::get_if<turn::RelayReleased>(&event)) {
      driver_.Close(released->address);
    }
  }

  // Runs the client to its end; its output.
  std::string RunClient(std::vector<std::string> options) {
    const TransportAddress listening = server_->config().listening[0];
    std::vector<std::string> arguments = {"turnutils_uclient",
                                          "-u",
                                          "alice",
                                          "-w",
                                          "wonderland",
                                          "-p",
                                          std::to_string(listening.port),
                                          "-n",
                                          "20",
                                          "-l",
                                          "200",
                                          "-z",
                                          "5",
                                          "-c",
                                          "-e",
                                          peer_address_.ip.ToString(),
                                          "-r",
                                          std::to_string(peer_address_.port)};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.push_back(listening.ip.ToString());
    auto child = ChildProcess::Start(std::move(arguments));
    if (!child) {
      ADD_FAILURE() << child.error().reason << "; scripts/setup installs coturn";
      return {};
    }
    EXPECT_TRUE(driver_.RunUntil([&] { return child->Poll().has_value(); }, kPatience))
        << child->Output();
    EXPECT_EQ(child->Poll(), 0) << child->Output();
    return child->Output();
  }

  Rng rng_;
  std::unique_ptr<turn::Server> server_;
  EchoPeer peer_;
  TransportAddress peer_address_;
  UdpDriver driver_;  // last: it hosts the others
  UdpDriver::Host* host_ = nullptr;
};

TEST_P(UclientTest, SendsAndReceivesThroughIndications) {
  const std::string output = RunClient({"-s", GetParam() == AddressFamily::kIpv6 ? "-x" : "-X"});
  EXPECT_NE(output.find("tot_send_msgs=20, tot_recv_msgs=20"), std::string::npos) << output;
  EXPECT_GE(peer_.received.size(), 20u);
  EXPECT_GE(server_->counters().allocations_created, 1u);
}

INSTANTIATE_TEST_SUITE_P(Families, UclientTest,
                         testing::Values(AddressFamily::kIpv4, AddressFamily::kIpv6),
                         [](const auto& test) {
                           return test.param == AddressFamily::kIpv4 ? "Ipv4" : "Ipv6";
                         });

}  // namespace
}  // namespace rtclab::conformance
