#include "stack/peer/ice_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>

#include "stack/base/sans_io.h"
#include "stack/turn/server.h"

namespace rtclab::peer {
namespace {

constexpr TimeDelta kDelay = TimeDelta::Millis(10);

TransportAddress Address(std::string_view text) { return TransportAddress::Parse(text).value(); }

std::string Types(const ice::CandidatePair& pair) {
  return std::string(ToString(pair.local.type)) + "-" + std::string(ToString(pair.remote.type));
}

// Two transports and a TURN server with kDelay between any two of them, on one clock.
class IceTransportTest : public testing::Test {
 protected:
  struct Side {
    std::unique_ptr<Rng> rng;
    std::unique_ptr<IceTransport> transport;
    TransportAddress local;
    std::optional<ice::CandidatePair> selected;
    std::vector<RelayRefused> refused;
    std::vector<RelayPeerRefused> peer_refused;
    std::vector<RelayLost> lost;
    std::string received;
  };

  void SetUp() override { MakeServer(); }

  // Also a new server in place of the old one, which knows of no allocation.
  void MakeServer() {
    turn::ServerConfig config;
    config.listening = {server_address_};
    config.relay_addresses = {server_address_.ip};
    turn::ServerAuthentication authentication;
    authentication.long_term.realm = "example.org";
    auto users = std::make_shared<stun::StaticCredentials>();
    ASSERT_TRUE(users->Add("user", "secret"));
    authentication.credentials = users;
    config.authentication = authentication;
    config.peer_policy.deny = denied_peers_;
    server_ = std::make_unique<turn::Server>(config, server_rng_);
  }

  void Start(ice::CandidatePolicy policy, const std::string& password = "secret") {
    for (Side* side : {&a_, &b_}) {
      IceTransportConfig config;
      config.agent.role = side == &a_ ? ice::Role::kControlling : ice::Role::kControlled;
      config.agent.policy = policy;
      config.turn_servers = {
          {.address = server_address_, .username = "user", .password = password}};
      side->local = Address(side == &a_ ? "198.51.100.1:5000" : "203.0.113.1:5000");
      side->rng = std::make_unique<Rng>(1, side == &a_ ? "a" : "b");
      side->transport = std::make_unique<IceTransport>(config, *side->rng);
    }
    for (Side* side : {&a_, &b_}) {
      Side& other = side == &a_ ? b_ : a_;
      side->transport->Gather(now_, {&side->local, 1});
      ASSERT_TRUE(side->transport->SetRemoteParameters(
          now_, {.credentials = other.transport->agent().local_credentials()}));
    }
    DrainAll();
  }

  // An ICE restart by one side, which the other follows.
  void Restart(Side& side) {
    Side& other = &side == &a_ ? b_ : a_;
    a_.selected.reset();
    b_.selected.reset();
    side.transport->Restart(now_);
    Tell(side, other);
    DrainAll();
  }

  void Tell(Side& from, Side& to) {
    queue_.emplace(now_ + kDelay, [this, &to, c = from.transport->agent().local_credentials()] {
      ASSERT_TRUE(to.transport->SetRemoteParameters(now_, {.credentials = c}));
    });
  }

  void SendBothWays() {
    EXPECT_TRUE(a_.transport->Send(now_, AsBytes("\x80 to b")));
    EXPECT_TRUE(b_.transport->Send(now_, AsBytes("\x80 to a")));
    DrainAll();
    RunFor(TimeDelta::Seconds(1));
    EXPECT_EQ(b_.received, "\x80 to b");
    EXPECT_EQ(a_.received, "\x80 to a");
  }

  void DrainAll() {
    for (Side* side : {&a_, &b_}) {
      Drain(
          *side->transport, [&](Transmit&& t) { Deliver(std::move(t)); },
          [&](IceTransportEvent&& e) { Handle(*side, std::move(e)); });
    }
    Drain(
        *server_, [&](Transmit&& t) { Deliver(std::move(t)); },
        [&](turn::ServerEvent&& e) {
          if (const auto* wanted = std::get_if<turn::RelayWanted>(&e))
            server_->RelayBound(now_, wanted->id);
        });
  }

  void Handle(Side& side, IceTransportEvent event) {
    Side& other = &side == &a_ ? b_ : a_;
    if (const auto* gathered = std::get_if<ice::LocalCandidateGathered>(&event)) {
      queue_.emplace(now_ + kDelay, [this, &other, c = gathered->candidate] {
        other.transport->AddRemoteCandidate(now_, c);
      });
    } else if (const auto* complete = std::get_if<ice::GatheringComplete>(&event)) {
      queue_.emplace(now_ + kDelay, [this, &other, u = complete->ufrag] {
        other.transport->EndOfRemoteCandidates(now_, u);
      });
    } else if (const auto* selected = std::get_if<ice::SelectedPairChanged>(&event)) {
      side.selected = selected->pair;
    } else if (auto* refused = std::get_if<RelayRefused>(&event)) {
      side.refused.push_back(*refused);
    } else if (auto* peer_refused = std::get_if<RelayPeerRefused>(&event)) {
      side.peer_refused.push_back(*peer_refused);
    } else if (auto* lost = std::get_if<RelayLost>(&event)) {
      side.lost.push_back(*lost);
    } else if (std::get_if<ice::Restarted>(&event) != nullptr) {
      Tell(side, other);
    } else if (const auto* data = std::get_if<ice::DataReceived>(&event)) {
      side.received += AsString(data->payload);
    }
  }

  void Deliver(Transmit t) {
    const bool direct = t.source.ip != server_address_.ip && t.destination.ip != server_address_.ip;
    if (direct && block_direct_) return;
    if (t.source == a_.local && a_external_) t.source = *a_external_;
    queue_.emplace(now_ + kDelay, [this, t = std::move(t)] {
      const Datagram packet{t.source, t.destination, t.payload};
      if (t.destination.ip == server_address_.ip) {
        server_->HandlePacket(now_, packet);
      } else if (t.destination == a_external_.value_or(a_.local)) {
        a_.transport->HandlePacket(now_, {t.source, a_.local, t.payload});
      } else if (t.destination == b_.local) {
        b_.transport->HandlePacket(now_, packet);
      }
    });
  }

  void RunFor(TimeDelta span) {
    const Timestamp end = now_ + span;
    while (true) {
      Timestamp next = std::min(
          {a_.transport->NextTimeout(), b_.transport->NextTimeout(), server_->NextTimeout()});
      const bool packet = !queue_.empty() && queue_.begin()->first <= next;
      if (packet) next = queue_.begin()->first;
      if (next > end) break;
      now_ = std::max(now_, next);
      if (packet) {
        const auto run = std::move(queue_.begin()->second);
        queue_.erase(queue_.begin());
        run();
      } else {
        for (Side* side : {&a_, &b_}) {
          if (side->transport->NextTimeout() <= now_) side->transport->HandleTimeout(now_);
        }
        if (server_->NextTimeout() <= now_) server_->HandleTimeout(now_);
      }
      DrainAll();
    }
    now_ = end;
  }

  const TransportAddress server_address_ = Address("192.0.2.1:3478");
  std::vector<turn::IpPrefix> denied_peers_;
  Timestamp now_;
  Rng server_rng_{7};
  std::unique_ptr<turn::Server> server_;
  Side a_, b_;
  bool block_direct_ = false;
  std::optional<TransportAddress> a_external_;  // what a NAT before a makes of its address
  std::multimap<Timestamp, std::function<void()>> queue_;
};

TEST_F(IceTransportTest, PrefersTheDirectPair) {
  Start(ice::CandidatePolicy::kAll);
  RunFor(TimeDelta::Seconds(3));
  ASSERT_TRUE(a_.selected && b_.selected);
  EXPECT_EQ(Types(*a_.selected), "host-host");
  EXPECT_EQ(Types(*b_.selected), "host-host");
}

TEST_F(IceTransportTest, UsesTheRelayWhenNothingDirectWorksAndCarriesDataBothWays) {
  block_direct_ = true;
  Start(ice::CandidatePolicy::kAll);
  RunFor(TimeDelta::Seconds(5));
  ASSERT_TRUE(a_.selected && b_.selected);
  EXPECT_THAT(Types(*a_.selected), testing::HasSubstr("relay"));
  SendBothWays();
}

TEST_F(IceTransportTest, RelayOnlyConnectsTwoRelayedCandidates) {
  Start(ice::CandidatePolicy::kRelayOnly);
  RunFor(TimeDelta::Seconds(5));
  ASSERT_TRUE(a_.selected && b_.selected);
  EXPECT_EQ(Types(*a_.selected), "relay-relay");
}

TEST_F(IceTransportTest, ARelayStaysAliveBeyondEveryLifetime) {
  block_direct_ = true;
  Start(ice::CandidatePolicy::kAll);
  // Longer than permission (5 min), channel (10 min) and allocation (10 min) last without refreshes.
  RunFor(TimeDelta::Seconds(3600));
  EXPECT_TRUE(a_.transport->Send(now_, AsBytes("\x80still")));
  DrainAll();
  RunFor(TimeDelta::Seconds(1));
  EXPECT_EQ(b_.received, "\x80still");
}

TEST_F(IceTransportTest, WrongCredentialsAreReportedAndTheDirectPairStillWorks) {
  Start(ice::CandidatePolicy::kAll, "wrong");
  RunFor(TimeDelta::Seconds(5));
  ASSERT_EQ(a_.refused.size(), 1u);
  EXPECT_EQ(a_.refused[0].code, 401);
  ASSERT_TRUE(a_.selected);
  EXPECT_EQ(Types(*a_.selected), "host-host");
}

TEST_F(IceTransportTest, CloseGivesTheAllocationsBack) {
  block_direct_ = true;
  Start(ice::CandidatePolicy::kAll);
  RunFor(TimeDelta::Seconds(5));
  EXPECT_GT(server_->allocation_count(), 0u);
  a_.transport->Close(now_);
  b_.transport->Close(now_);
  DrainAll();
  RunFor(TimeDelta::Seconds(1));
  EXPECT_EQ(server_->allocation_count(), 0u);
}

TEST_F(IceTransportTest, ARestartKeepsAnAllocationThatIsThere) {
  Start(ice::CandidatePolicy::kRelayOnly);
  RunFor(TimeDelta::Seconds(5));
  ASSERT_TRUE(a_.selected && b_.selected);
  const TransportAddress a_relay = a_.selected->local.address, b_relay = b_.selected->local.address;
  Restart(a_);
  RunFor(TimeDelta::Seconds(5));
  ASSERT_TRUE(a_.selected && b_.selected);
  EXPECT_EQ(a_.selected->local.address, a_relay);
  EXPECT_EQ(b_.selected->local.address, b_relay);
  EXPECT_TRUE(a_.lost.empty() && b_.lost.empty());
  EXPECT_EQ(server_->allocation_count(), 2u);
  SendBothWays();
}

TEST_F(IceTransportTest, ARestartReplacesAllocationsThatTheServerForgot) {
  Start(ice::CandidatePolicy::kRelayOnly);
  RunFor(TimeDelta::Seconds(5));
  ASSERT_TRUE(a_.selected && b_.selected);
  const TransportAddress a_relay = a_.selected->local.address, b_relay = b_.selected->local.address;
  MakeServer();
  Restart(b_);
  RunFor(TimeDelta::Seconds(5));
  ASSERT_TRUE(a_.selected && b_.selected);
  EXPECT_EQ(Types(*a_.selected), "relay-relay");
  EXPECT_NE(a_.selected->local.address, a_relay);
  EXPECT_NE(b_.selected->local.address, b_relay);
  ASSERT_EQ(a_.lost.size(), 1u);
  EXPECT_EQ(a_.lost[0].code, 437);
  EXPECT_EQ(server_->allocation_count(), 2u);
  SendBothWays();
}

TEST_F(IceTransportTest, ARestartAfterANatRebootAllocatesFromTheNewAddress) {
  block_direct_ = true;
  a_external_ = Address("192.0.2.99:40000");
  Start(ice::CandidatePolicy::kAll);
  RunFor(TimeDelta::Seconds(5));
  ASSERT_TRUE(a_.selected && b_.selected);
  a_external_ = Address("192.0.2.99:40001");
  Restart(a_);
  RunFor(TimeDelta::Seconds(10));
  ASSERT_TRUE(a_.selected && b_.selected);
  SendBothWays();
  std::vector<TransportAddress> reflexive;
  for (const ice::Candidate& c : a_.transport->agent().local_candidates()) {
    if (c.type == ice::CandidateType::kServerReflexive) reflexive.push_back(c.address);
  }
  EXPECT_EQ(reflexive, std::vector<TransportAddress>{*a_external_});
}

TEST_F(IceTransportTest, ALostAllocationTakesItsCandidateAlong) {
  Start(ice::CandidatePolicy::kRelayOnly);
  RunFor(TimeDelta::Seconds(5));
  ASSERT_TRUE(a_.selected);
  MakeServer();
  // The next refresh of a permission, channel or allocation finds out.
  RunFor(TimeDelta::Seconds(600));
  ASSERT_EQ(a_.lost.size(), 1u);
  EXPECT_FALSE(a_.transport->Send(now_, AsBytes("\x80")));
  EXPECT_TRUE(a_.transport->agent().valid_pairs().empty());
  Restart(a_);
  RunFor(TimeDelta::Seconds(5));
  ASSERT_TRUE(a_.selected && b_.selected);
  SendBothWays();
}

class RefusingServerTest : public IceTransportTest {
 protected:
  void SetUp() override {
    denied_peers_ = {{IpAddress::Parse("0.0.0.0").value(), 0}};
    IceTransportTest::SetUp();
  }
};

TEST_F(RefusingServerTest, ARefusedPermissionIsReported) {
  block_direct_ = true;
  Start(ice::CandidatePolicy::kAll);
  RunFor(TimeDelta::Seconds(60));
  ASSERT_FALSE(a_.peer_refused.empty());
  EXPECT_EQ(a_.peer_refused[0].code, 403);
  EXPECT_FALSE(a_.selected);
  EXPECT_EQ(a_.transport->agent().state(), ice::AgentState::kFailed);
}

}  // namespace
}  // namespace rtclab::peer
