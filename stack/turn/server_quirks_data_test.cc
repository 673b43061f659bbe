// The switches of ServerQuirks that are about permissions, channels, TCP connections and mobility.
#include <gtest/gtest.h>

#include <algorithm>

#include "stack/turn/server_quirks_fixture.h"

namespace rtclab::turn {

QuirkTest::Probes QuirkTest::PermissionProbes() {
  return {
      {"permission_never_expires", 0, 1,
       [](QuirkTest& t) {
         t.WithPermission();
         t.At(300);
         return t.Relays(SendIndication(kPeer));
       }},
      {"permission_not_refreshed", 1, 0,
       [](QuirkTest& t) {
         t.WithPermission();
         t.At(200);
         t.Permit(kPeer);
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
      {"channel_not_refreshed", 1, 0,
       [](QuirkTest& t) {
         t.WithChannel();
         t.At(500);
         EXPECT_EQ(t.Bind(0x4000, kPeer), 0);
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
      {"connect_timeout_short", 0, 1,
       [](QuirkTest& t) {
         t.connect_ = {};
         EXPECT_EQ(t.AllocateOn(t.control_, kProtocolTcp), 0);
         t.WithPeer(t.control_, Method::kConnect, kPeer);
         t.At(5);
         return closes(t);
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
      {"ticket_in_allocate_accepted", 400, 0,
       [](QuirkTest& t) {
         return t.Allocate(
             [](MessageBuilder& b) { b.AddBytes(AttributeType::kMobilityTicket, Bytes(8, 1)); });
       }},
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

}  // namespace rtclab::turn
