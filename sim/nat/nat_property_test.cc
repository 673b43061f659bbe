// Random traffic through the NAT and through a slow, obvious model of RFC 4787 beside it. The model has no table, no index
// and no timer: it keeps the history of every session and asks it again each time.
#include <gtest/gtest.h>
#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "sim/nat/nat_test_util.h"

namespace rtclab::sim {
namespace {

class Reference {
 public:
  explicit Reference(const NatBehaviour& behaviour) : b_(behaviour) {}

  struct Event {
    Timestamp time;
    bool outbound;
  };
  struct Session {
    TransportAddress remote;
    bool from_inside;
    Timestamp cap;  // from outside: what it may last without any refresh
    std::vector<Event> events;
  };
  struct Binding {
    TransportAddress internal, external, scope;
    std::vector<Session> sessions;
  };

  Timestamp Expiry(const Session& s) const {
    bool out = false, in = false;
    Timestamp refreshed, expiry = s.from_inside ? Timestamp() : s.cap;
    for (std::size_t i = 0; i < s.events.size(); ++i) {
      const Event& e = s.events[i];
      (e.outbound ? out : in) = true;
      const bool refreshes = e.outbound ? (b_.refresh != Refresh::kInbound || i == 0)
                                        : b_.refresh != Refresh::kOutbound;
      if (refreshes) refreshed = e.time;
      if (!refreshes && !out) continue;
      const Timestamp until = refreshed + (out && in ? b_.udp_timeout : b_.udp_unreplied_timeout);
      // Only a refresh may set it anew; a change of state alone never shortens.
      expiry = refreshes ? until : std::max(expiry, until);
    }
    return expiry;
  }
  bool Alive(const Session& s, Timestamp now) const { return Expiry(s) > now; }
  bool Alive(const Binding& m, Timestamp now) const {
    return std::ranges::any_of(m.sessions, [&](const Session& s) { return Alive(s, now); });
  }
  // The inside has sent to it, or it has kept the way open itself.
  bool Opens(const Session& s) const {
    return std::ranges::any_of(
        s.events, [&](const Event& e) { return e.outbound || b_.refresh != Refresh::kOutbound; });
  }

  TransportAddress Scope(const TransportAddress& remote) const {
    switch (b_.mapping) {
      case Mapping::kEndpointIndependent:
        return {};
      case Mapping::kAddressDependent:
        return {remote.ip, 0};
      case Mapping::kAddressAndPortDependent:
        return remote;
    }
    return {};
  }

  // The session that carries an outbound packet, if there is one.
  std::pair<Binding*, Session*> FindOutbound(Timestamp now, const TransportAddress& internal,
                                             const TransportAddress& remote) {
    std::pair<Binding*, Session*> found{};
    for (Binding& m : bindings_) {
      if (m.internal != internal) continue;
      for (Session& s : m.sessions) {
        if (s.remote != remote || !Alive(s, now)) continue;
        const bool older =
            found.second == nullptr || s.events.front().time < found.second->events.front().time;
        if (found.second == nullptr || (s.from_inside && !found.second->from_inside) ||
            (older && s.from_inside == found.second->from_inside)) {
          found = {&m, &s};
        }
      }
    }
    return found;
  }
  Binding* FindBinding(Timestamp now, const TransportAddress& internal,
                       const TransportAddress& scope) {
    for (Binding& m : bindings_) {
      if (m.internal == internal && m.scope == scope && Alive(m, now)) return &m;
    }
    return nullptr;
  }
  bool Accepts(Timestamp now, const Binding& m, const TransportAddress& remote) const {
    if (b_.filtering == Filtering::kEndpointIndependent) return Alive(m, now);
    return std::ranges::any_of(m.sessions, [&](const Session& s) {
      return Alive(s, now) && Opens(s) && s.remote.ip == remote.ip &&
             (b_.filtering == Filtering::kAddressDependent || s.remote == remote);
    });
  }
  // Where an inbound packet belongs; nullptr: nowhere.
  Binding* FindInbound(Timestamp now, const TransportAddress& remote,
                       const TransportAddress& external) {
    for (Binding& m : bindings_) {
      if (m.external == external && Alive(m, now) && Accepts(now, m, remote)) return &m;
    }
    return nullptr;
  }
  Session* FindSession(Timestamp now, Binding& m, const TransportAddress& remote) {
    for (Session& s : m.sessions) {
      if (s.remote == remote && Alive(s, now)) return &s;
    }
    return nullptr;
  }
  int LiveSessions(Timestamp now, const Binding& m) const {
    return static_cast<int>(
        std::ranges::count_if(m.sessions, [&](const Session& s) { return Alive(s, now); }));
  }
  int LiveBindings(Timestamp now) const {
    return static_cast<int>(
        std::ranges::count_if(bindings_, [&](const Binding& m) { return Alive(m, now); }));
  }
  Timestamp Expiry(const Binding& m) const {
    Timestamp latest;
    for (const Session& s : m.sessions) latest = std::max(latest, Expiry(s));
    return latest;
  }
  // Whether the rules allow a mapping towards `remote` on `port`.
  bool PortAllowed(Timestamp now, const TransportAddress& internal, const TransportAddress& remote,
                   uint16_t port) const {
    if (port < b_.port_low || port > b_.port_high) return false;
    if (b_.port_parity && (port ^ internal.port) & 1) return false;
    return std::ranges::none_of(bindings_, [&](const Binding& m) {
      return m.external.port == port && Alive(m, now) &&
             (!b_.port_overlapping || std::ranges::any_of(m.sessions, [&](const Session& s) {
               return s.remote == remote && Alive(s, now);
             }));
    });
  }
  bool AnyPort(Timestamp now, const TransportAddress& internal,
               const TransportAddress& remote) const {
    for (uint32_t port = b_.port_low; port <= b_.port_high; ++port) {
      if (PortAllowed(now, internal, remote, static_cast<uint16_t>(port))) return true;
    }
    return false;
  }

  std::vector<Binding>& bindings() { return bindings_; }
  // Keeps the histories short; what is dead stays dead.
  void Forget(Timestamp now) {
    for (Binding& m : bindings_) {
      std::erase_if(m.sessions, [&](const Session& s) { return !Alive(s, now); });
    }
    std::erase_if(bindings_, [](const Binding& m) { return m.sessions.empty(); });
  }

 private:
  const NatBehaviour b_;
  std::vector<Binding> bindings_;
};

class RandomTraffic {
 public:
  RandomTraffic(uint64_t seed, const NatBehaviour& behaviour)
      : rng_(seed), b_(behaviour), nat_(MakeNat(behaviour, seed)), reference_(behaviour) {}

  void Go(int packets) {
    for (int i = 0; i < packets && !testing::Test::HasFailure(); ++i) {
      // Mostly quick, now and then past a timeout, often exactly at one.
      const uint64_t kind = rng_.Uniform(0, 19);
      if (kind < 14) now_ += TimeDelta::Millis(static_cast<int64_t>(rng_.Uniform(0, 900)));
      if (kind == 14) now_ += TimeDelta::Seconds(static_cast<int64_t>(rng_.Uniform(5, 25)));
      if (kind == 15) JumpToAnEnd();
      rng_.Bernoulli(0.55) ? Outbound() : Inbound();
      if (i % 50 == 0) CompareMappings();
      if (i % 100 == 0) reference_.Forget(now_);
    }
  }

  int accepted = 0, filtered = 0, unknown = 0, refused = 0;

 private:
  TransportAddress Inside() {
    return {IpAddress::V4(10, 0, 0, static_cast<uint8_t>(rng_.Uniform(2, 4))),
            static_cast<uint16_t>(rng_.Uniform(2000, 2003))};
  }
  TransportAddress Outside() {
    return {IpAddress::V4(203, 0, 113, static_cast<uint8_t>(rng_.Uniform(1, 3))),
            static_cast<uint16_t>(rng_.Uniform(5000, 5002))};
  }
  // The end of some session, or a nanosecond before.
  void JumpToAnEnd() {
    if (reference_.bindings().empty()) return;
    const auto& m = reference_.bindings()[rng_.Uniform(0, reference_.bindings().size() - 1)];
    const Timestamp end = reference_.Expiry(m.sessions[rng_.Uniform(0, m.sessions.size() - 1)]);
    now_ = std::max(now_, end - TimeDelta::Nanos(static_cast<int64_t>(rng_.Uniform(0, 1))));
  }

  void Outbound() {
    const TransportAddress inside = Inside(), remote = Outside();
    auto [binding, session] = reference_.FindOutbound(now_, inside, remote);
    std::string expected;
    if (session == nullptr) {
      binding = reference_.FindBinding(now_, inside, reference_.Scope(remote));
      if (binding != nullptr) {
        if (reference_.LiveSessions(now_, *binding) >= b_.max_sessions_per_mapping) {
          expected = nat_rule::kSessionLimit;
        }
      } else if (reference_.LiveBindings(now_) >= b_.max_mappings) {
        expected = nat_rule::kMappingLimit;
      } else if (!reference_.AnyPort(now_, inside, remote)) {
        expected = nat_rule::kPortExhausted;
      }
    }
    const Verdict v = nat_.Outbound(now_, Udp(inside, remote));
    ASSERT_EQ(v.dropped() ? v.rule : "", expected) << Where() << v.detail;
    if (v.dropped()) {
      ++refused;
      return;
    }
    const TransportAddress external = v.tuple.source;
    if (binding == nullptr) {
      ASSERT_TRUE(reference_.PortAllowed(now_, inside, remote, external.port))
          << Where() << external.ToString();
      reference_.bindings().push_back({inside, external, reference_.Scope(remote), {}});
      binding = &reference_.bindings().back();
    }
    ASSERT_EQ(external, binding->external) << Where() << inside.ToString() << remote.ToString();
    if (session == nullptr) {
      binding->sessions.push_back({remote, true, {}, {}});
      session = &binding->sessions.back();
    }
    session->events.push_back({now_, true});
  }

  void Inbound() {
    const TransportAddress remote = Outside();
    TransportAddress external{Ip(kPublic), static_cast<uint16_t>(rng_.Uniform(2000, 2011))};
    if (!reference_.bindings().empty() && rng_.Bernoulli(0.8)) {
      const auto& all = reference_.bindings();
      external = all[rng_.Uniform(0, all.size() - 1)].external;
    }
    Reference::Binding* binding = reference_.FindInbound(now_, remote, external);
    const bool mapped = std::ranges::any_of(reference_.bindings(), [&](const auto& m) {
      return m.external == external && reference_.Alive(m, now_);
    });
    Reference::Session* session =
        binding == nullptr ? nullptr : reference_.FindSession(now_, *binding, remote);
    const bool full = binding != nullptr && session == nullptr &&
                      reference_.LiveSessions(now_, *binding) >= b_.max_sessions_per_mapping;
    const Verdict v = nat_.Inbound(now_, Udp(remote, external));
    if (binding == nullptr || full) {
      ASSERT_TRUE(v.dropped()) << Where();
      if (full) {
        ASSERT_STREQ(v.rule, nat_rule::kSessionLimit) << Where();
      } else if (mapped) {
        ASSERT_TRUE(std::string_view(v.rule).starts_with("nat.filter.")) << Where() << v.rule;
        ++filtered;
      } else {
        ASSERT_TRUE(v.rule == nat_rule::kNoMapping || v.rule == nat_rule::kMappingExpired)
            << v.rule;
        ++unknown;
      }
      return;
    }
    ASSERT_FALSE(v.dropped()) << Where() << v.detail;
    ASSERT_EQ(v.tuple, (FlowTuple{IpProtocol::kUdp, remote, binding->internal})) << Where();
    ++accepted;
    if (session == nullptr) {
      binding->sessions.push_back({remote, false, reference_.Expiry(*binding), {}});
      session = &binding->sessions.back();
    }
    session->events.push_back({now_, false});
  }

  void CompareMappings() {
    std::vector<NatMapping> expected;
    for (const auto& m : reference_.bindings()) {
      if (!reference_.Alive(m, now_)) continue;
      NatMapping out;
      out.internal = m.internal;
      out.external = m.external;
      if (!m.scope.IsNone()) out.remote = m.scope;
      out.expires = reference_.Expiry(m);
      out.sessions = reference_.LiveSessions(now_, m);
      expected.push_back(out);
    }
    ASSERT_EQ(nat_.Mappings(now_), expected) << Where();
    if (b_.port_overlapping) return;
    std::set<TransportAddress> external;
    for (const NatMapping& m : expected) ASSERT_TRUE(external.insert(m.external).second) << Where();
  }

  std::string Where() const { return "at " + std::to_string(now_.nanos()) + " ns: "; }

  Rng rng_;
  const NatBehaviour b_;
  Nat nat_;
  Reference reference_;
  Timestamp now_;
};

NatBehaviour RandomBehaviour(Rng& rng) {
  NatBehaviour b;
  b.mapping = static_cast<Mapping>(rng.Uniform(0, 2));
  b.filtering = static_cast<Filtering>(rng.Uniform(0, 2));
  b.port_assignment = static_cast<PortAssignment>(rng.Uniform(0, 2));  // no overloading
  b.port_fallback = static_cast<PortFallback>(rng.Uniform(0, 2));
  b.port_parity = rng.Bernoulli(0.3);
  b.port_overlapping = b.mapping == Mapping::kAddressAndPortDependent &&
                       b.filtering == Filtering::kAddressAndPortDependent && rng.Bernoulli(0.5);
  b.port_low = 2000;
  b.port_high = rng.Bernoulli(0.5) ? 2005 : 2500;
  b.refresh = static_cast<Refresh>(rng.Uniform(0, 2));
  b.udp_unreplied_timeout = TimeDelta::Seconds(static_cast<int64_t>(rng.Uniform(1, 10)));
  b.udp_timeout =
      b.udp_unreplied_timeout + TimeDelta::Seconds(static_cast<int64_t>(rng.Uniform(0, 9)));
  if (rng.Bernoulli(0.3)) b.max_mappings = 8;
  if (rng.Bernoulli(0.3)) b.max_sessions_per_mapping = 4;
  return b;
}

TEST(NatPropertyTest, AgreesWithAnObviousModelOnRandomTraffic) {
  int accepted = 0, filtered = 0, unknown = 0, refused = 0;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    Rng rng(seed, "behaviour");
    const NatBehaviour b = RandomBehaviour(rng);
    SCOPED_TRACE(testing::Message()
                 << "seed " << seed << " mapping " << static_cast<int>(b.mapping) << " filtering "
                 << static_cast<int>(b.filtering) << " refresh " << static_cast<int>(b.refresh)
                 << " overlapping " << b.port_overlapping << " parity " << b.port_parity);
    RandomTraffic run(seed, b);
    run.Go(1500);
    if (HasFailure()) return;
    accepted += run.accepted;
    filtered += run.filtered;
    unknown += run.unknown;
    refused += run.refused;
  }
  // The traffic must reach every branch, or the agreement means nothing.
  EXPECT_GT(accepted, 10000);
  EXPECT_GT(filtered, 10000);
  EXPECT_GT(unknown, 3000);
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace rtclab::sim
