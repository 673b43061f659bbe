// Discovery against our own server through a NAT model of the test's own: a few dozen lines that know only RFC 4787.
#include "stack/stun/nat_discovery.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "stack/base/sans_io.h"
#include "stack/stun/server.h"

namespace rtclab::stun {
namespace {

enum class Rule { kIndependent, kAddress, kAddressAndPort };

struct ModelNat {
  Rule mapping = Rule::kIndependent;
  Rule filtering = Rule::kAddressAndPort;
  HairpinningResult hairpinning = HairpinningResult::kNone;
  TimeDelta timeout = TimeDelta::Seconds(120);
  bool inbound_refreshes = false;
  bool rewrites_payloads = false;  // a generic ALG
  // What comes in through a mapping makes a session, and what goes back there belongs to it.
  bool inbound_opens_sessions = false;
};

const IpAddress kExternal = IpAddress::V4(203, 0, 113, 1);
const TransportAddress kLocal = *TransportAddress::Parse("10.0.0.2:50000");
const TransportAddress kSecond = *TransportAddress::Parse("10.0.0.2:50002");
const TransportAddress kPrimary = *TransportAddress::Parse("192.0.2.1:3478");
const TransportAddress kAlternate = *TransportAddress::Parse("192.0.2.2:3479");
constexpr TimeDelta kOneWay = TimeDelta::Millis(10);

// What of an address a rule looks at.
TransportAddress Key(Rule rule, const TransportAddress& a) {
  if (rule == Rule::kIndependent) return {};
  return rule == Rule::kAddress ? TransportAddress{a.ip, 0} : a;
}

class World {
 public:
  World(ModelNat nat, NatDiscoveryConfig config, bool translated = true, bool two_addresses = true)
      : nat_(nat),
        translated_(translated),
        rng_(7),
        server_(ServerFor(two_addresses), rng_),
        client_(config, rng_) {}

  NatReport Run() {
    client_.Start(now_);
    Pump();
    while (!client_.done() || !wire_.empty()) {
      const Timestamp next = std::min(client_.NextTimeout(),
                                      wire_.empty() ? Timestamp::PlusInfinity() : wire_.top().at);
      if (next.IsInfinite()) break;
      now_ = next;
      if (!wire_.empty() && wire_.top().at <= now_) {
        const Packet packet = wire_.top();
        wire_.pop();
        Arrive(packet);
      } else {
        client_.HandleTimeout(now_);
      }
      Pump();
    }
    EXPECT_TRUE(client_.done());
    EXPECT_TRUE(report_);
    return client_.report();
  }

  bool lose_everything = false;
  bool lose_first_transmissions = false;
  std::vector<Timestamp> begun;  // when new transactions went out
  std::vector<std::string> tests;
  Timestamp now() const { return now_; }

 private:
  struct Mapping {
    TransportAddress internal;
    uint16_t port;
    std::map<TransportAddress, bool> filter;
    std::set<TransportAddress> sessions;  // that were opened from outside
    Timestamp used;
  };
  struct Packet {
    Timestamp at;
    uint64_t order;
    TransportAddress source, destination;
    Bytes payload;
    bool operator<(const Packet& o) const { return std::tie(o.at, o.order) < std::tie(at, order); }
  };

  static ServerConfig ServerFor(bool two_addresses) {
    ServerConfig config;
    config.addresses = {{kPrimary, two_addresses ? std::optional(kAlternate) : std::nullopt}};
    return config;
  }

  void Put(const TransportAddress& from, const TransportAddress& to, Bytes payload) {
    wire_.push({now_ + kOneWay, order_++, from, to, std::move(payload)});
  }

  bool Alive(const Mapping& m) const { return now_ - m.used < nat_.timeout; }

  Mapping& Outbound(const TransportAddress& from, const TransportAddress& to) {
    const auto key = std::pair(from, Key(nat_.mapping, to));
    for (auto& [unused, m] : mappings_) {
      if (m.internal == from && m.sessions.contains(to) && Alive(m)) {
        m.used = now_;
        return m;
      }
    }
    auto it = mappings_.find(key);
    if (it == mappings_.end() || !Alive(it->second)) {
      it = mappings_.insert_or_assign(key, Mapping{from, next_port_++, {}, {}, now_}).first;
    }
    it->second.used = now_;
    it->second.filter[Key(nat_.filtering, to)] = true;
    return it->second;
  }

  Mapping* Inbound(const TransportAddress& from, const TransportAddress& to) {
    for (auto& [key, m] : mappings_) {
      if (m.port != to.port || !Alive(m)) continue;
      if (!m.filter.contains(Key(nat_.filtering, from))) return nullptr;
      if (nat_.inbound_refreshes) m.used = now_;
      if (nat_.inbound_opens_sessions) m.sessions.insert(from);
      return &m;
    }
    return nullptr;
  }

  void FromClient(const Transmit& t) {
    if (lose_everything) return;
    if (lose_first_transmissions && seen_.emplace(ToHex(t.payload), true).second) return;
    if (!translated_) return Put(t.source, t.destination, t.payload);
    Mapping& m = Outbound(t.source, t.destination);
    const TransportAddress external = {kExternal, m.port};
    if (t.destination.ip != kExternal) return Put(external, t.destination, t.payload);
    if (nat_.hairpinning == HairpinningResult::kNone) return;
    if (Mapping* in = Inbound(external, t.destination)) {
      const bool internal = nat_.hairpinning == HairpinningResult::kInternalSource;
      Put(internal ? t.source : external, in->internal, t.payload);
    }
  }

  void Arrive(const Packet& p) {
    if (p.destination == kLocal || p.destination == kSecond) {
      client_.HandlePacket(now_, {p.source, p.destination, p.payload});
      return;
    }
    if (p.destination.ip != kExternal) {
      server_.HandlePacket(now_, {p.source, p.destination, p.payload});
      return;
    }
    if (Mapping* m = Inbound(p.source, p.destination)) {
      Bytes payload = p.payload;
      if (nat_.rewrites_payloads) Rewrite(payload, p.destination, m->internal);
      client_.HandlePacket(now_, {p.source, m->internal, payload});
    }
  }

  static void Rewrite(Bytes& payload, const TransportAddress& from, const TransportAddress& to) {
    const ByteView want = from.ip.bytes();
    for (std::size_t i = 0; i + 4 <= payload.size(); ++i) {
      if (std::equal(want.begin(), want.end(), payload.begin() + static_cast<std::ptrdiff_t>(i))) {
        std::copy(to.ip.bytes().begin(), to.ip.bytes().end(),
                  payload.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
  }

  void Pump() {
    Drain(
        client_,
        [&](Transmit&& t) {
          if (seen_begun_.emplace(ToHex(t.payload), true).second) begun.push_back(now_);
          FromClient(t);
        },
        [&](NatDiscovery::Event&& event) {
          if (auto* test = std::get_if<NatTestFinished>(&event)) {
            tests.push_back(std::string(test->name) + (test->answered ? " yes" : " no"));
          } else {
            report_ = std::get<NatDiscoveryDone>(event).report;
          }
        });
    Drain(
        server_, [&](Transmit&& t) { Put(t.source, t.destination, std::move(t.payload)); },
        [](Server::Event&&) {});
  }

  ModelNat nat_;
  bool translated_;
  Rng rng_;
  Server server_;
  NatDiscovery client_;
  Timestamp now_;
  uint64_t order_ = 0;
  uint16_t next_port_ = 20000;
  std::map<std::pair<TransportAddress, TransportAddress>, Mapping> mappings_;
  std::map<std::string, bool> seen_, seen_begun_;
  std::priority_queue<Packet> wire_;
  std::optional<NatReport> report_;
};

NatDiscoveryConfig DiscoveryConfig() {
  NatDiscoveryConfig config;
  config.local = kLocal;
  config.second_local = kSecond;
  config.server = kPrimary;
  return config;
}

TEST(NatDiscoveryTest, EveryMappingAndFilteringIsRecognised) {
  for (const Rule mapping : {Rule::kIndependent, Rule::kAddress, Rule::kAddressAndPort}) {
    for (const Rule filtering : {Rule::kIndependent, Rule::kAddress, Rule::kAddressAndPort}) {
      ModelNat nat;
      nat.mapping = mapping;
      nat.filtering = filtering;
      const NatReport report = World(nat, DiscoveryConfig()).Run();
      EXPECT_TRUE(report.udp_works && report.server_supports && report.translated);
      EXPECT_FALSE(report.generic_alg);
      EXPECT_EQ(static_cast<int>(report.mapping), 1 + static_cast<int>(mapping));
      EXPECT_EQ(static_cast<int>(report.filtering), 1 + static_cast<int>(filtering));
      EXPECT_EQ(report.mapped.ip, kExternal);
    }
  }
}

TEST(NatDiscoveryTest, MappingIsRecognisedThoughFilteringTestsLeaveSessions) {
  for (const Rule mapping : {Rule::kIndependent, Rule::kAddress, Rule::kAddressAndPort}) {
    for (const Rule filtering : {Rule::kIndependent, Rule::kAddress, Rule::kAddressAndPort}) {
      ModelNat nat;
      nat.mapping = mapping;
      nat.filtering = filtering;
      nat.inbound_opens_sessions = true;
      const NatReport report = World(nat, DiscoveryConfig()).Run();
      EXPECT_EQ(static_cast<int>(report.mapping), 1 + static_cast<int>(mapping))
          << static_cast<int>(filtering);
      EXPECT_EQ(static_cast<int>(report.filtering), 1 + static_cast<int>(filtering))
          << static_cast<int>(mapping);
    }
  }
}

TEST(NatDiscoveryTest, TheMappedAddressIsThatOfThePortUnderTest) {
  World world(ModelNat(), DiscoveryConfig());
  EXPECT_EQ(world.Run().mapped,
            (TransportAddress{kExternal, 20000}));  // the first that the NAT gave
}

TEST(NatDiscoveryTest, WithOnePortMappingIsTestedFromIt) {
  for (const Rule mapping : {Rule::kIndependent, Rule::kAddress, Rule::kAddressAndPort}) {
    ModelNat nat;
    nat.mapping = mapping;
    NatDiscoveryConfig config = DiscoveryConfig();
    config.second_local = {};
    World world(nat, config);
    EXPECT_EQ(static_cast<int>(world.Run().mapping), 1 + static_cast<int>(mapping));
    EXPECT_EQ(std::count(world.tests.begin(), world.tests.end(), "mapping I yes"), 0);
  }
}

TEST(NatDiscoveryTest, FilteringIsTestedBeforeMappingOpensTheFilter) {
  ModelNat nat;
  nat.mapping = Rule::kAddressAndPort;
  World world(nat, DiscoveryConfig());
  world.Run();
  EXPECT_EQ(world.tests,
            (std::vector<std::string>{"connectivity yes", "filtering II no", "filtering III no",
                                      "mapping I yes", "mapping II yes", "mapping III yes"}));
}

TEST(NatDiscoveryTest, WithoutANatTheMappingIsEndpointIndependent) {
  const NatReport report = World(ModelNat(), DiscoveryConfig(), false).Run();
  EXPECT_TRUE(report.udp_works);
  EXPECT_FALSE(report.translated);
  EXPECT_EQ(report.mapping, MappingResult::kEndpointIndependent);
  EXPECT_EQ(report.filtering, FilteringResult::kEndpointIndependent);
}

TEST(NatDiscoveryTest, WithoutAnAnswerThereIsNoUdp) {
  World world(ModelNat(), DiscoveryConfig());
  world.lose_everything = true;
  const NatReport report = world.Run();
  EXPECT_FALSE(report.udp_works);
  EXPECT_EQ(world.now(), Timestamp::Millis(39'500));
  EXPECT_EQ(report.mapping, MappingResult::kUnknown);
}

TEST(NatDiscoveryTest, ServerWithOneAddressCannotTellMappingOrFiltering) {
  const NatReport report = World(ModelNat(), DiscoveryConfig(), true, false).Run();
  EXPECT_TRUE(report.udp_works);
  EXPECT_FALSE(report.server_supports);
  EXPECT_EQ(report.mapping, MappingResult::kUnknown);
  EXPECT_EQ(report.filtering, FilteringResult::kUnknown);
}

TEST(NatDiscoveryTest, LostPacketsAreSentAgain) {
  ModelNat nat;
  nat.filtering = Rule::kIndependent;
  World world(nat, DiscoveryConfig());
  world.lose_first_transmissions = true;
  const NatReport report = world.Run();
  EXPECT_EQ(report.mapping, MappingResult::kEndpointIndependent);
  EXPECT_EQ(report.filtering, FilteringResult::kEndpointIndependent);
}

TEST(NatDiscoveryTest, AtMostTenTransactionsASecond) {
  ModelNat nat;
  nat.filtering = Rule::kIndependent;
  nat.mapping = Rule::kAddress;
  World world(nat, DiscoveryConfig());
  world.Run();
  ASSERT_EQ(world.begun.size(), 5u);
  for (std::size_t i = 1; i < world.begun.size(); ++i) {
    EXPECT_EQ(world.begun[i] - world.begun[i - 1], TimeDelta::Millis(100));
  }
}

TEST(NatDiscoveryTest, HairpinningIsRecognisedThroughAnyFilter) {
  for (const HairpinningResult wanted :
       {HairpinningResult::kNone, HairpinningResult::kInternalSource,
        HairpinningResult::kExternalSource}) {
    for (const Rule filtering : {Rule::kIndependent, Rule::kAddress, Rule::kAddressAndPort}) {
      ModelNat nat;
      nat.hairpinning = wanted;
      nat.filtering = filtering;
      NatDiscoveryConfig config = DiscoveryConfig();
      config.hairpinning = true;
      EXPECT_EQ(World(nat, config).Run().hairpinning, wanted)
          << ToString(wanted) << static_cast<int>(filtering);
    }
  }
}

TEST(NatDiscoveryTest, LifetimeAndRefreshDirectionAreMeasured) {
  for (const int seconds : {30, 120, 300}) {
    for (const bool inbound : {false, true}) {
      ModelNat nat;
      nat.timeout = TimeDelta::Seconds(seconds);
      nat.inbound_refreshes = inbound;
      NatDiscoveryConfig config = DiscoveryConfig();
      config.lifetime = true;
      config.filtering = config.mapping = false;
      const NatReport report = World(nat, config).Run();
      ASSERT_TRUE(report.lifetime);
      // The model's clock starts when the packet passes; the answer that refreshes it comes a round trip later.
      EXPECT_LE(report.lifetime->at_least, TimeDelta::Seconds(seconds) + TimeDelta::Millis(20));
      EXPECT_GE(report.lifetime->less_than, TimeDelta::Seconds(seconds) - TimeDelta::Millis(20));
      EXPECT_LE(report.lifetime->less_than - report.lifetime->at_least, TimeDelta::Seconds(1));
      EXPECT_EQ(report.lifetime->refreshed_by_inbound, inbound);
    }
  }
}

TEST(NatDiscoveryTest, LongLivedBindingIsOnlyKnownFromBelow) {
  ModelNat nat;
  nat.timeout = TimeDelta::Seconds(100'000);
  NatDiscoveryConfig config = DiscoveryConfig();
  config.lifetime = true;
  const NatReport report = World(nat, config).Run();
  ASSERT_TRUE(report.lifetime);
  EXPECT_EQ(report.lifetime->at_least, TimeDelta::Seconds(600));
  EXPECT_TRUE(report.lifetime->less_than.IsInfinite());
}

TEST(NatDiscoveryTest, GenericAlgIsNoticed) {
  ModelNat nat;
  nat.rewrites_payloads = true;
  EXPECT_TRUE(World(nat, DiscoveryConfig()).Run().generic_alg);
}

TEST(NatDiscoveryTest, PaddedMessagesShowThatFragmentsPass) {
  NatDiscoveryConfig config = DiscoveryConfig();
  config.fragments = true;
  EXPECT_EQ(World(ModelNat(), config).Run().fragments, true);
}

TEST(NatDiscoveryTest, ForeignPacketsAreNotTaken) {
  Rng rng(1);
  NatDiscovery client(DiscoveryConfig(), rng);
  client.Start(Timestamp::Zero());
  const auto request = client.PollTransmit();
  ASSERT_TRUE(request);
  const Bytes other = *FromHex("0101 0000 2112a442 0102030405060708090a0b0c");
  EXPECT_FALSE(client.HandlePacket(Timestamp::Zero(), {kPrimary, kLocal, other}));
  EXPECT_FALSE(client.HandlePacket(Timestamp::Zero(), {kPrimary, kLocal, Bytes{1, 2, 3}}));
  const auto answer = [&](std::string body) {
    Bytes bytes = *FromHex("0101 0000 2112a442 000000000000000000000000" + body);
    StoreU16(bytes.data() + 2, static_cast<uint16_t>(bytes.size() - 20));
    std::copy_n(request->payload.begin() + 8, 12, bytes.begin() + 8);
    return bytes;
  };
  // Without an address it is discarded; with an unknown required attribute the transaction has failed.
  const Bytes no_address = answer("");
  EXPECT_TRUE(client.HandlePacket(Timestamp::Zero(), {kPrimary, kLocal, no_address}));
  EXPECT_EQ(client.NextTimeout(), Timestamp::Millis(500));
  EXPECT_FALSE(client.done());
  const Bytes unknown = answer("0020 0008 00012c84 e112a643 7001 0000");
  EXPECT_TRUE(client.HandlePacket(Timestamp::Zero(), {kPrimary, kLocal, unknown}));
  EXPECT_TRUE(client.done());
  EXPECT_TRUE(client.report().mapped.IsNone());
}

}  // namespace
}  // namespace rtclab::stun
