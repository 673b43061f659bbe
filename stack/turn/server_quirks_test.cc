// Every switch of ServerQuirks does what it says, and off it is the rule that holds.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "stack/turn/server_fixture.h"

namespace rtclab::turn {
namespace {

class QuirkTest : public ServerTest {
 protected:
  // What a client sees of one rule: a number when it is kept, another when it is broken.
  struct QuirkProbe {
    std::string_view name;
    int kept;
    int broken;
    std::function<int(QuirkTest&)> run;
  };
  using Probes = std::vector<QuirkProbe>;
  static Probes CredentialProbes();
  static Probes AllocationProbes();
  static Probes LifetimeProbes();
  static Probes PermissionProbes();
  static Probes ChannelProbes();
  static Probes PolicyProbes();
  static Probes TcpProbes();
  static Probes MobilityProbes();
  static Probes AllProbes() {
    Probes all;
    for (const auto part : {CredentialProbes, AllocationProbes, LifetimeProbes, PermissionProbes,
                            ChannelProbes, PolicyProbes, TcpProbes, MobilityProbes}) {
      for (QuirkProbe& probe : part()) all.push_back(std::move(probe));
    }
    return all;
  }

  // A new server with everything on and `quirks_`.
  void Restart(const std::function<void(ServerConfig&)>& change = {}) {
    ServerConfig config = DefaultServerConfig();
    config.tcp_relay = true;
    config.mobility = true;
    config.quirks = quirks_;
    if (change) change(config);
    Use(std::move(config));
    now_ = Timestamp::Seconds(100);
    events_.clear();
    writes_.clear();
    connect_ = [this](const TcpConnectWanted& wanted) {
      server_->TcpConnected(now_, wanted.connection);
    };
  }
  void At(int64_t seconds) {
    now_ = Timestamp::Seconds(100 + seconds);
    server_->HandleTimeout(now_);
    Collect();
  }
  static void AnyAllocate(MessageBuilder& b) { AddRequestedTransport(b, kProtocolUdp); }
  std::string NonceFor(const FiveTuple& tuple) {
    MessageBuilder b(MessageClass::kRequest, Method::kAllocate, stun::NewTransactionId(*rng_));
    answer_ = PushOn(tuple, b.Build()).at(0);
    return std::string(Answer().GetString(AttributeType::kNonce).value());
  }
  // Allocate with exactly these credentials; the answer's signature is not looked at.
  int AllocateAs(std::string_view password, const std::string& nonce) {
    MessageBuilder b(MessageClass::kRequest, Method::kAllocate, stun::NewTransactionId(*rng_));
    AnyAllocate(b);
    b.AddString(AttributeType::kUsername, kUser).AddString(AttributeType::kRealm, kRealm);
    b.AddString(AttributeType::kNonce, nonce);
    b.AddMessageIntegrity(
        stun::IntegrityKey::LongTerm(std::string(kUser), std::string(kRealm), password));
    answer_ = PushOn(here_, b.Build()).at(0);
    return Answer().IsSuccess() ? 0 : Answer().GetErrorCode()->code;
  }
  int Relays(const Bytes& message) {
    return static_cast<int>(Push(kClient, kServer, message).size());
  }
  int Reaches(const TransportAddress& peer, const TransportAddress& relayed) {
    return static_cast<int>(Push(peer, relayed, Text("x")).size());
  }
  // An allocation with a permission for kPeer or a channel to it; the relayed address.
  TransportAddress WithPermission() {
    EXPECT_EQ(Allocate(), 0);
    const TransportAddress relayed = Relayed();
    EXPECT_EQ(Permit(kPeer), 0);
    return relayed;
  }
  TransportAddress WithChannel() {
    EXPECT_EQ(Allocate([](MessageBuilder& b) { b.AddU32(AttributeType::kLifetime, 3600); }), 0);
    const TransportAddress relayed = Relayed();
    EXPECT_EQ(Bind(0x4000, kPeer), 0);
    return relayed;
  }
  int WithPeer(const FiveTuple& tuple, Method method, const TransportAddress& peer) {
    return CodeOn(tuple, method, [&](MessageBuilder& b) {
      b.AddXorAddress(AttributeType::kXorPeerAddress, peer);
    });
  }
  int BindTcp(ConnectionId id) {
    return CodeOn(data_, Method::kConnectionBind, [&](MessageBuilder& b) {
      b.AddU32(AttributeType::kConnectionId, static_cast<uint32_t>(id));
    });
  }
  void Connected() {
    EXPECT_EQ(AllocateOn(control_, kProtocolTcp), 0);
    EXPECT_EQ(WithPeer(control_, Method::kConnect, kPeer), 0);
  }
  void Bound() {
    Connected();
    EXPECT_EQ(BindTcp(connection_), 0);
    events_.clear();
  }
  Bytes MobileTicket() {
    EXPECT_EQ(AllocateOn(here_, kProtocolUdp,
                         [](MessageBuilder& b) { b.AddBytes(AttributeType::kMobilityTicket, {}); }),
              0);
    relayed_ = Relayed();
    return TicketOfAnswer();
  }
  Bytes TicketOfAnswer() const {
    const ByteView ticket = Answer().Find(AttributeType::kMobilityTicket).value();
    return Bytes(ticket.begin(), ticket.end());
  }
  int MoveTo(const FiveTuple& tuple, const Bytes& ticket) {
    return CodeOn(tuple, Method::kRefresh,
                  [&](MessageBuilder& b) { b.AddBytes(AttributeType::kMobilityTicket, ticket); });
  }

  ServerQuirks quirks_;
  const FiveTuple here_ = Over(ClientTransport::kUdp);
  const FiveTuple there_ = Over(ClientTransport::kUdp, 4100);
  const FiveTuple control_ = Over(ClientTransport::kTcp, 5000);
  const FiveTuple data_ = Over(ClientTransport::kTcp, 5001);
  const TransportAddress other_port_ = {kPeer.ip, 7001};
  const Bytes channel_data_ = {0x40, 0, 0, 1, 'x'};
  TransportAddress relayed_;
};

QuirkTest::Probes QuirkTest::CredentialProbes() {
  return {
      {"integrity_unchecked", 401, 0,
       [](QuirkTest& t) { return t.AllocateAs("wrong", t.NonceFor(t.here_)); }},
      {"nonce_never_stale", 438, 0,
       [](QuirkTest& t) {
         const std::string nonce = t.NonceFor(t.here_);
         t.At(3600);
         return t.AllocateAs(kPassword, nonce);
       }},
      {"nonce_of_any_source", 438, 0,
       [](QuirkTest& t) { return t.AllocateAs(kPassword, t.NonceFor(t.there_)); }},
      {"other_user_accepted", 441, 0,
       [](QuirkTest& t) {
         t.Allocate();
         t.credentials_.emplace("bob", "builder");
         return t.Refresh(0);
       }},
      {"allocate_unauthenticated", 401, 0,
       [](QuirkTest& t) {
         MessageBuilder b(MessageClass::kRequest, Method::kAllocate, stun::TransactionId{1});
         AnyAllocate(b);
         t.answer_ = t.PushOn(t.here_, b.Build()).at(0);
         return t.Answer().IsSuccess() ? 0 : t.Answer().GetErrorCode()->code;
       }},
      {"unknown_attributes_accepted", 420, 0,
       [](QuirkTest& t) {
         return t.Allocate(
             [](MessageBuilder& b) { b.AddU32(static_cast<AttributeType>(0x7ffe), 1); });
       }},
  };
}

QuirkTest::Probes QuirkTest::AllocationProbes() {
  static const auto reserve = [](MessageBuilder& b) { AddEvenPort(b, true); };
  // Whether a reserved port is given to whom the token says, after some time; else the error.
  static const auto use_token = [](QuirkTest& t, int64_t after_s) {
    t.Allocate(reserve);
    const uint16_t port = t.Relayed().port;
    const uint64_t token = t.Answer().GetU64(AttributeType::kReservationToken).value();
    t.At(after_s);
    const int code = t.AllocateOn(t.there_, kProtocolUdp, [&](MessageBuilder& b) {
      b.AddU64(AttributeType::kReservationToken, token);
    });
    return code != 0 ? code : t.Relayed().port - port;
  };
  return {
      {"second_allocate_accepted", 437, 0,
       [](QuirkTest& t) {
         t.Allocate();
         return t.Allocate();
       }},
      {"retransmitted_allocate_is_new", 0, 1,
       [](QuirkTest& t) {
         t.Allocate();
         const TransportAddress first = t.Relayed();
         t.answer_ = t.PushOn(t.here_, t.last_request_).at(0);
         return t.Relayed() == first ? 0 : 1;
       }},
      {"reservation_token_ignored", 1, 0,
       [](QuirkTest& t) { return use_token(t, 0) == 1 ? 1 : 0; }},
      {"reservation_token_unchecked", 508, 0,
       [](QuirkTest& t) {
         return t.Allocate(
             [](MessageBuilder& b) { b.AddU64(AttributeType::kReservationToken, 77); });
       }},
      {"reservation_forgotten", 1, 508, [](QuirkTest& t) { return use_token(t, 29); }},
      {"even_port_odd", 0, 1,
       [](QuirkTest& t) {
         t.Allocate([](MessageBuilder& b) { AddEvenPort(b, false); });
         return t.Relayed().port % 2;
       }},
      {"wrong_family_allocated", 440, 0,
       [](QuirkTest& t) {
         t.Restart([](ServerConfig& c) { c.relay_addresses = {Ip("198.51.100.2")}; });
         return t.Allocate([](MessageBuilder& b) {
           AddFamily(b, AttributeType::kRequestedAddressFamily, AddressFamily::kIpv6);
         });
       }},
      {"wrong_family_accepted", 443, 0,
       [](QuirkTest& t) {
         t.Allocate();
         return std::max(t.Permit(kPeer6), t.Bind(0x4000, kPeer6));
       }},
      {"ports_in_order", 0, 1,
       [](QuirkTest& t) {
         t.Allocate();
         const int first = t.Relayed().port;
         t.AllocateOn(t.there_);
         return t.Relayed().port == first + 1 ? 1 : 0;
       }},
      {"ports_outside_range", 0, 1,
       [](QuirkTest& t) {
         t.Allocate();
         return t.Relayed().port < 49'152 ? 1 : 0;
       }},
      {"quota_ignored", 486, 0,
       [](QuirkTest& t) {
         t.Restart([](ServerConfig& c) { c.max_allocations_per_user = 1; });
         t.Allocate();
         return t.AllocateOn(t.there_);
       }},
      {"tunnel_clients_accepted", 403, 0,
       [](QuirkTest& t) {
         return t.AllocateOn({Address("[2001::1]:9"), Address("[2001:db8::1]:3478")});
       }},
  };
}

QuirkTest::Probes QuirkTest::LifetimeProbes() {
  static const auto count = [](QuirkTest& t) {
    return static_cast<int>(t.server_->allocation_count());
  };
  return {
      {"lifetime_unclamped", 600, 7,
       [](QuirkTest& t) {
         t.Allocate([](MessageBuilder& b) { b.AddU32(AttributeType::kLifetime, 7); });
         return static_cast<int>(t.Lifetime());
       }},
      {"lifetime_zero_ignored", 0, 1,
       [](QuirkTest& t) {
         t.Allocate();
         EXPECT_EQ(t.Refresh(0), 0);
         return count(t);
       }},
      {"dual_refresh_deletes_both", 1, 0,
       [](QuirkTest& t) {
         t.Allocate([](MessageBuilder& b) {
           AddFamily(b, AttributeType::kAdditionalAddressFamily, AddressFamily::kIpv6);
         });
         t.Code(Method::kRefresh, [](MessageBuilder& b) {
           b.AddU32(AttributeType::kLifetime, 0);
           AddFamily(b, AttributeType::kRequestedAddressFamily, AddressFamily::kIpv4);
         });
         return count(t);
       }},
      {"refresh_has_no_effect", 1, 0,
       [](QuirkTest& t) {
         t.Allocate();
         t.At(500);
         EXPECT_EQ(t.Refresh(600), 0);
         t.At(700);
         return count(t);
       }},
      {"allocation_never_expires", 0, 1,
       [](QuirkTest& t) {
         t.Allocate();
         t.At(600);
         return count(t);
       }},
      {"data_refreshes_allocation", 0, 1,
       [](QuirkTest& t) {
         t.WithPermission();
         t.At(200);
         EXPECT_EQ(t.Relays(SendIndication(kPeer)), 1);
         t.At(600);
         return count(t);
       }},
  };
}

QuirkTest::Probes QuirkTest::PermissionProbes() {
  return {
      {"permission_never_expires", 0, 1,
       [](QuirkTest& t) {
         t.WithPermission();
         t.At(300);
         return t.Relays(SendIndication(kPeer));
       }},
      {"permission_by_port", 1, 0,
       [](QuirkTest& t) { return t.Reaches(t.other_port_, t.WithPermission()); }},
      {"first_peer_only", 1, 0,
       [](QuirkTest& t) {
         t.Allocate();
         const TransportAddress relayed = t.Relayed();
         const TransportAddress second = Address("203.0.113.6:1");
         t.Code(Method::kCreatePermission, [&](MessageBuilder& b) {
           b.AddXorAddress(AttributeType::kXorPeerAddress, kPeer);
           b.AddXorAddress(AttributeType::kXorPeerAddress, second);
         });
         return t.Reaches(second, relayed);
       }},
      {"send_permission_unchecked", 0, 1,
       [](QuirkTest& t) {
         t.Allocate();
         return t.Relays(SendIndication(kPeer));
       }},
      {"peer_permission_unchecked", 0, 1,
       [](QuirkTest& t) {
         t.Allocate();
         return t.Reaches(kPeer, t.Relayed());
       }},
      {"initial_permission", 0, 1,
       [](QuirkTest& t) {
         t.Allocate();
         return t.Reaches({kClient.ip, 9}, t.Relayed());
       }},
      {"data_refreshes_permission", 0, 1,
       [](QuirkTest& t) {
         t.WithPermission();
         t.At(200);
         EXPECT_EQ(t.Relays(SendIndication(kPeer)), 1);
         t.At(300);
         return t.Relays(SendIndication(kPeer));
       }},
      {"empty_data_dropped", 1, 0,
       [](QuirkTest& t) {
         t.WithChannel();
         return t.Relays({0x40, 0, 0, 0});
       }},
      {"send_without_data_relayed", 0, 1,
       [](QuirkTest& t) {
         t.WithPermission();
         MessageBuilder b(MessageClass::kIndication, Method::kSend, stun::TransactionId{9});
         b.AddXorAddress(AttributeType::kXorPeerAddress, kPeer);
         return t.Relays(b.Build());
       }},
      {"permissions_shared", 0, 1,
       [](QuirkTest& t) {
         t.WithPermission();
         t.AllocateOn(t.there_);
         return t.Reaches(kPeer, t.Relayed());
       }},
  };
}

QuirkTest::Probes QuirkTest::ChannelProbes() {
  return {
      {"channel_number_rebindable", 400, 0,
       [](QuirkTest& t) {
         t.WithChannel();
         return t.Bind(0x4000, t.other_port_);
       }},
      {"channel_peer_rebindable", 400, 0,
       [](QuirkTest& t) {
         t.WithChannel();
         return t.Bind(0x4001, kPeer);
       }},
      {"channel_range_unchecked", 400, 0,
       [](QuirkTest& t) {
         t.Allocate();
         return std::max(t.Bind(0x3fff, kPeer), t.Bind(0x8000, t.other_port_));
       }},
      {"channel_without_permission", 1, 0,
       [](QuirkTest& t) { return t.Reaches(kPeer, t.WithChannel()); }},
      {"channel_never_expires", 0, 1,
       [](QuirkTest& t) {
         t.WithChannel();
         t.At(600);
         return t.Relays(t.channel_data_);
       }},
      {"channel_data_refreshes", 0, 1,
       [](QuirkTest& t) {
         t.WithChannel();
         t.At(500);
         EXPECT_EQ(t.Relays(t.channel_data_), 1);
         t.At(600);
         return t.Relays(t.channel_data_);
       }},
      {"short_channel_data_relayed", 0, 1,
       [](QuirkTest& t) {
         t.WithChannel();
         return t.Relays({0x40, 0, 0, 50, 'x'});
       }},
      {"channel_padding_relayed", 1, 4,
       [](QuirkTest& t) {
         t.WithChannel();
         const auto out = t.Push(kClient, kServer, {0x40, 0, 0, 1, 'x', 0, 0, 0});
         return static_cast<int>(out.at(0).payload.size());
       }},
      {"indication_despite_channel", 0x40, 0,
       [](QuirkTest& t) {
         const TransportAddress relayed = t.WithChannel();
         return int{t.Push(kPeer, relayed, Text("x")).at(0).payload[0]};
       }},
  };
}

QuirkTest::Probes QuirkTest::PolicyProbes() {
  static const TransportAddress kInside = Address("10.0.0.1:80");
  return {
      {"permission_policy_unchecked", 403, 0,
       [](QuirkTest& t) {
         t.Allocate();
         return t.Permit(kInside);
       }},
      {"channel_policy_unchecked", 403, 0,
       [](QuirkTest& t) {
         t.Allocate();
         return t.Bind(0x4000, kInside);
       }},
      {"connect_policy_unchecked", 403, 0,
       [](QuirkTest& t) {
         t.AllocateOn(t.control_, kProtocolTcp);
         return t.WithPeer(t.control_, Method::kConnect, kInside);
       }},
      {"send_policy_unchecked", 0, 1,
       [](QuirkTest& t) {
         t.Restart([](ServerConfig& c) { c.relay_addresses = {kServer.ip}; });
         t.Allocate();
         t.Permit(kServer);
         return t.Relays(SendIndication(kServer));
       }},
      {"mapped_policy_unchecked", 403, 0,
       [](QuirkTest& t) {
         t.Allocate([](MessageBuilder& b) {
           AddFamily(b, AttributeType::kRequestedAddressFamily, AddressFamily::kIpv6);
         });
         return t.Permit(Address("[::ffff:127.0.0.1]:1"));
       }},
  };
}

QuirkTest::Probes QuirkTest::TcpProbes() {
  static const auto closes = [](QuirkTest& t) {
    t.Collect();
    return static_cast<int>(t.EventsOf<TcpClose>().size());
  };
  return {
      {"tcp_over_udp_accepted", 400, 0,
       [](QuirkTest& t) { return t.AllocateOn(t.here_, kProtocolTcp); }},
      {"tcp_attributes_accepted", 400, 0,
       [](QuirkTest& t) {
         return t.AllocateOn(t.control_, kProtocolTcp,
                             [](MessageBuilder& b) { b.AddFlag(AttributeType::kDontFragment); });
       }},
      {"second_connect_accepted", 446, 0,
       [](QuirkTest& t) {
         t.Connected();
         return t.WithPeer(t.control_, Method::kConnect, kPeer);
       }},
      {"accept_without_permission", 0, 1,
       [](QuirkTest& t) {
         t.AllocateOn(t.control_, kProtocolTcp);
         t.server_->TcpAccepted(t.now_, t.listening_, kPeer);
         return static_cast<int>(t.TakeWrites(t.control_).size());
       }},
      {"connection_bind_user_unchecked", 441, 0,
       [](QuirkTest& t) {
         t.Connected();
         t.credentials_.emplace("bob", "builder");
         return t.BindTcp(t.connection_);
       }},
      {"early_peer_data_lost", 1, 0,
       [](QuirkTest& t) {
         t.Connected();
         t.server_->HandleTcpData(t.now_, t.connection_, Text("x"));
         t.BindTcp(t.connection_);
         return static_cast<int>(t.TakeWrites(t.data_).size());
       }},
      {"unbound_connection_kept", 1, 0,
       [](QuirkTest& t) {
         t.Connected();
         t.At(30);
         return closes(t);
       }},
      {"peer_close_ignored", 1, 0,
       [](QuirkTest& t) {
         t.Bound();
         t.server_->HandleTcpClosed(t.now_, t.connection_);
         return static_cast<int>(t.TakeWrites(t.data_).size());
       }},
      {"client_close_ignored", 1, 0,
       [](QuirkTest& t) {
         t.Bound();
         t.server_->HandleDisconnect(t.now_, t.data_);
         t.server_->HandleTcpData(t.now_, t.connection_, Text("x"));
         EXPECT_TRUE(t.TakeWrites(t.data_).empty());
         return closes(t);
       }},
      {"control_close_ignored", 0, 1,
       [](QuirkTest& t) {
         t.Bound();
         t.server_->HandleDisconnect(t.now_, t.control_);
         return static_cast<int>(t.server_->allocation_count());
       }},
  };
}

QuirkTest::Probes QuirkTest::MobilityProbes() {
  return {
      {"ticket_reusable", 400, 0,
       [](QuirkTest& t) {
         const Bytes ticket = t.MobileTicket();
         t.MoveTo(t.there_, ticket);
         return t.MoveTo(Over(ClientTransport::kUdp, 4200), ticket);
       }},
      {"ticket_constant", 0, 1,
       [](QuirkTest& t) {
         const Bytes ticket = t.MobileTicket();
         EXPECT_EQ(t.MoveTo(t.there_, ticket), 0);
         return t.TicketOfAnswer() == ticket ? 1 : 0;
       }},
      {"ticket_user_unchecked", 441, 0,
       [](QuirkTest& t) {
         const Bytes ticket = t.MobileTicket();
         t.credentials_.emplace("bob", "builder");
         return t.MoveTo(t.there_, ticket);
       }},
      {"path_switched_at_once", 4000, 4100,
       [](QuirkTest& t) {
         const Bytes ticket = t.MobileTicket();
         t.Permit(kPeer);
         EXPECT_EQ(t.MoveTo(t.there_, ticket), 0);
         return int{t.Push(kPeer, t.relayed_, Text("x")).at(0).destination.port};
       }},
      {"move_drops_state", 1, 0,
       [](QuirkTest& t) {
         const Bytes ticket = t.MobileTicket();
         t.Bind(0x4000, kPeer);
         EXPECT_EQ(t.MoveTo(t.there_, ticket), 0);
         return t.Reaches(kPeer, t.relayed_);
       }},
  };
}

TEST_F(QuirkTest, EachBreaksItsRule) {
  for (const QuirkProbe& probe : AllProbes()) {
    for (const ServerQuirkInfo& info : AllServerQuirks()) {
      if (info.name != probe.name) continue;
      quirks_ = {};
      Restart();
      EXPECT_EQ(probe.run(*this), probe.kept) << probe.name << " off";
      quirks_.*info.member = true;
      Restart();
      EXPECT_EQ(probe.run(*this), probe.broken) << probe.name << " on";
    }
  }
}

// Those of access tokens are tried where tokens are made.
TEST_F(QuirkTest, NoneIsForgotten) {
  std::set<std::string_view> tried = {"token_expiry_unchecked", "token_lifetime_uncapped"};
  for (const QuirkProbe& probe : AllProbes()) tried.insert(probe.name);
  std::set<std::string_view> all;
  for (const ServerQuirkInfo& info : AllServerQuirks()) {
    EXPECT_TRUE(all.insert(info.name).second) << info.name;
  }
  EXPECT_EQ(tried, all);
}

}  // namespace
}  // namespace rtclab::turn
