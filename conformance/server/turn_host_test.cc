#include "conformance/server/turn_host.h"

#include <gtest/gtest.h>

#include "conformance/server/host_test_util.h"

namespace rtclab::conformance {
namespace {

class TurnHostTransportTest : public ::testing::TestWithParam<Transport> {};

TEST_P(TurnHostTransportTest, BindingAndAllocationAndRelayedData) {
  const RunningHost host(true);
  const auto channel = host.Open(GetParam());
  ASSERT_NE(channel, nullptr);
  MessageReader reader(*channel);

  ASSERT_TRUE(channel->Send(HostRequest(stun::Method::kBinding, 9).Build()));
  const Bytes bound = reader.Next();
  const auto binding = stun::MessageView::Parse(bound);
  ASSERT_TRUE(binding) << binding.error().reason;
  EXPECT_EQ(binding->GetXorAddress(stun::AttributeType::kXorMappedAddress), channel->local());

  ASSERT_TRUE(channel->Send(HostAllocate(turn::kProtocolUdp)));
  const Bytes answer = reader.Next();
  const auto allocated = stun::MessageView::Parse(answer);
  ASSERT_TRUE(allocated && allocated->IsSuccess());
  const auto relayed = allocated->GetXorAddress(stun::AttributeType::kXorRelayedAddress);
  ASSERT_TRUE(relayed);

  auto peer = PeerSocket::Bind(*TransportAddress::Parse("127.0.0.1:0"));
  ASSERT_TRUE(peer);
  auto bind = HostRequest(stun::Method::kChannelBind, 2);
  turn::AddChannelNumber(bind, 0x4001);
  bind.AddXorAddress(stun::AttributeType::kXorPeerAddress, peer->local());
  ASSERT_TRUE(channel->Send(bind.Build()));
  const Bytes bind_answer = reader.Next();
  ASSERT_TRUE(stun::MessageView::Parse(bind_answer)->IsSuccess());

  // Five bytes: over a stream they are followed by padding.
  const Bytes message =
      turn::BuildChannelData(turn::ChannelNumber{0x4001}, AsBytes("hello"), channel->is_stream());
  ASSERT_TRUE(channel->Send(message));
  const auto at_peer = peer->Receive(kHostLimit);
  ASSERT_TRUE(at_peer);
  EXPECT_EQ(at_peer->from, *relayed);
  EXPECT_EQ(AsString(at_peer->bytes), "hello");
  ASSERT_TRUE(peer->SendTo(*relayed, AsBytes("world!!")));
  const Bytes at_client = reader.Next();
  const auto data = turn::ParseChannelData(at_client);
  ASSERT_TRUE(data);
  EXPECT_EQ(AsString(data->payload), "world!!");
}

INSTANTIATE_TEST_SUITE_P(All, TurnHostTransportTest,
                         ::testing::Values(Transport::kUdp, Transport::kTcp, Transport::kTls,
                                           Transport::kDtls),
                         [](const auto& tested) { return std::string(ToString(tested.param)); });

TEST(TurnHostTest, TcpAllocationPipesBothWays) {
  const RunningHost host;
  const auto control = host.Open(Transport::kTcp);
  MessageReader reader(*control);
  ASSERT_TRUE(control->Send(HostAllocate(6)));
  ASSERT_TRUE(stun::MessageView::Parse(reader.Next())->IsSuccess());

  auto listener = PeerListener::Listen(*TransportAddress::Parse("127.0.0.1:0"));
  ASSERT_TRUE(listener);
  auto connect = HostRequest(stun::Method::kConnect, 3);
  connect.AddXorAddress(stun::AttributeType::kXorPeerAddress, listener->local());
  ASSERT_TRUE(control->Send(connect.Build()));
  const Bytes connected = reader.Next();
  const auto id = stun::MessageView::Parse(connected)->GetU32(stun::AttributeType::kConnectionId);
  ASSERT_TRUE(id);
  const auto peer = listener->Accept(kHostLimit);
  ASSERT_NE(peer, nullptr);
  ASSERT_TRUE(peer->Send(AsBytes("early")));  // before the client has bound it

  const auto data = host.Open(Transport::kTcp);
  MessageReader data_reader(*data);
  auto bind = HostRequest(stun::Method::kConnectionBind, 4);
  bind.AddU32(stun::AttributeType::kConnectionId, *id);
  Bytes bytes = bind.Build();
  const ByteView behind = AsBytes("in one segment");
  bytes.insert(bytes.end(), behind.begin(), behind.end());
  ASSERT_TRUE(data->Send(bytes));
  ASSERT_TRUE(stun::MessageView::Parse(data_reader.Next())->IsSuccess());

  std::string to_client(AsString(data_reader.rest()));
  while (to_client.size() < 5) {
    const auto more = data->Receive(kHostLimit);
    ASSERT_TRUE(more);
    to_client += AsString(more->bytes);
  }
  EXPECT_EQ(to_client, "early");
  std::string to_peer;
  while (to_peer.size() < behind.size()) {
    const auto more = peer->Receive(kHostLimit);
    ASSERT_TRUE(more);
    to_peer += AsString(more->bytes);
  }
  EXPECT_EQ(to_peer, "in one segment");

  peer->Reset();
  while (data->Receive(kHostLimit)) {
  }
  EXPECT_TRUE(data->closed());
}

TEST(TurnHostTest, AStreamOfGarbageIsClosed) {
  const RunningHost host;
  const auto channel = host.Open(Transport::kTcp);
  ASSERT_TRUE(channel->Send(AsBytes("POST / HTTP/1.1\r\nContent-Length: 99999\r\n\r\n")));
  EXPECT_FALSE(channel->Receive(kHostLimit));
  EXPECT_TRUE(channel->closed());
}

TEST(TurnHostTest, WhatWasAskedBeforeAHalfCloseIsAnswered) {
  const RunningHost host;
  const auto channel = host.Open(Transport::kTcp);
  MessageReader reader(*channel);
  ASSERT_TRUE(channel->Send(HostRequest(stun::Method::kBinding, 5).Build()));
  channel->CloseWrite();
  const Bytes answer = reader.Next();
  const auto view = stun::MessageView::Parse(answer);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->IsSuccess());
}

TEST(TurnHostTest, RelayedDataKeepsItsDscpAndEcn) {
  const RunningHost host;
  const auto channel = host.Open(Transport::kUdp);
  MessageReader reader(*channel);
  const TransportAddress relayed =
      RelayedIn(AskHost(*channel, reader, HostAllocate(turn::kProtocolUdp)));
  auto peer = PeerSocket::Bind(*TransportAddress::Parse("127.0.0.1:0"));
  ASSERT_TRUE(peer);
  AskHost(*channel, reader, HostChannelBind(peer->local()));

  const IpMarks marked{.dscp = 46, .ecn = 2};
  const auto same = [&](const IpMarks& marks) {
    return marks.dscp == marked.dscp && marks.ecn == marked.ecn;
  };
  const Bytes data = turn::BuildChannelData(turn::ChannelNumber{0x4001}, AsBytes("up"), false);
  ASSERT_TRUE(channel->SendTo(channel->remote(), data, marked));
  ASSERT_TRUE(channel->Send(data));
  const auto first = peer->Receive(kHostLimit);
  const auto second = peer->Receive(kHostLimit);
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(same(first->marks));
  EXPECT_EQ(second->marks.traffic_class(), 0);

  ASSERT_TRUE(peer->SendTo(relayed, AsBytes("down"), marked));
  const auto down = channel->Receive(kHostLimit);
  ASSERT_TRUE(down);
  EXPECT_TRUE(same(down->marks));
  // What the server says itself is not application data.
  ASSERT_TRUE(
      channel->SendTo(channel->remote(), HostRequest(stun::Method::kBinding, 8).Build(), marked));
  const auto answer = channel->Receive(kHostLimit);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->marks.traffic_class(), 0);
}

TEST(TurnHostTest, AnIcmpErrorOfAPeerReachesTheClient) {
  const RunningHost host;
  const auto channel = host.Open(Transport::kUdp);
  MessageReader reader(*channel);
  AskHost(*channel, reader, HostAllocate(turn::kProtocolUdp));
  TransportAddress nobody;
  {
    auto gone = PeerSocket::Bind(*TransportAddress::Parse("127.0.0.1:0"));
    ASSERT_TRUE(gone);
    nobody = gone->local();
  }
  AskHost(*channel, reader, HostChannelBind(nobody));
  ASSERT_TRUE(channel->Send(
      turn::BuildChannelData(turn::ChannelNumber{0x4001}, AsBytes("anybody?"), false)));
  // RFC 8656 section 11.5: a Data indication with ICMP; port unreachable is type 3, code 3.
  const Bytes told = reader.Next();
  const auto view = stun::MessageView::Parse(told);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->method(), stun::Method::kData);
  EXPECT_EQ(view->GetXorAddress(stun::AttributeType::kXorPeerAddress), nobody);
  EXPECT_EQ(turn::GetIcmp(*view), (turn::IcmpReport{.type = 3, .code = 3}));
}

TEST(TurnHostTest, ItsClockMayRunFaster) {
  const RunningHost host(false, [](HostConfig& config) { config.clock_speed = 1'000; });
  const auto channel = host.Open(Transport::kUdp);
  MessageReader reader(*channel);
  ASSERT_TRUE(channel->Send(HostAllocate(turn::kProtocolUdp)));
  ASSERT_TRUE(stun::MessageView::Parse(reader.Next())->IsSuccess());
  // 600 s of allocation are over in 0.6 s.
  std::this_thread::sleep_for(std::chrono::milliseconds(900));
  ASSERT_TRUE(channel->Send(HostRequest(stun::Method::kRefresh, 6).Build()));
  const Bytes answer = reader.Next();
  const auto refreshed = stun::MessageView::Parse(answer);
  ASSERT_TRUE(refreshed);
  ASSERT_TRUE(refreshed->GetErrorCode());
  EXPECT_EQ(refreshed->GetErrorCode()->code, stun::kErrorAllocationMismatch);
}

// RFC 8489 section 6.3: an attribute that is known but out of place is ignored; an unknown one that requires comprehension is 420.
TEST(TurnHostTest, NatDiscoveryKnowsTheAttributesOfTurn) {
  const auto free_port = [](const char* ip) {
    return PeerSocket::Bind({*IpAddress::Parse(ip), 0})->local();
  };
  const TransportAddress primary = free_port("127.0.0.1");
  const TransportAddress alternate = free_port("127.0.0.2");
  const RunningHost host(false, [&](HostConfig& config) {
    config.tcp = false;
    config.listen = {primary};
    config.nat_discovery = {{primary, alternate}};
  });
  const auto channel = host.Open(Transport::kUdp);
  MessageReader reader(*channel);
  auto known = HostRequest(stun::Method::kBinding, 1);
  turn::AddChannelNumber(known, 0x4001);
  known.AddU32(stun::AttributeType::kLifetime, 600);
  const Bytes answer = AskHost(*channel, reader, known.Build());
  EXPECT_EQ(stun::MessageView::Parse(answer)->GetAddress(stun::AttributeType::kOtherAddress),
            alternate);
  auto unknown = HostRequest(stun::Method::kBinding, 2);
  unknown.AddU32(static_cast<stun::AttributeType>(0x7f01), 1);
  ASSERT_TRUE(channel->Send(unknown.Build()));
  const Bytes refusal = reader.Next();
  const auto view = stun::MessageView::Parse(refusal);
  ASSERT_TRUE(view && view->GetErrorCode());
  EXPECT_EQ(view->GetErrorCode()->code, stun::kErrorUnknownAttribute);
}

TEST(TurnHostTest, AnAddressInUseIsNamed) {
  auto taken = PeerListener::Listen(*TransportAddress::Parse("127.0.0.1:0"));
  ASSERT_TRUE(taken);
  HostConfig config;
  config.listen = {taken->local()};
  config.udp = false;
  config.turn.relay_addresses = {*IpAddress::Parse("127.0.0.1")};
  Rng rng(1);
  const auto started = TurnHost::Start(std::move(config), rng);
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().reason.find(taken->local().ToString()), std::string::npos)
      << started.error().reason;
}

}  // namespace
}  // namespace rtclab::conformance
