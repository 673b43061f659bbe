// What clients and peers of ill will, or none at all, do to the host; and that it lives on.
#include <sys/resource.h>

#include <ctime>

#include "conformance/server/host_test_util.h"
#include "conformance/socket/secure_stream.h"
#include "conformance/socket/tcp_socket.h"

namespace rtclab::conformance {
namespace {

constexpr TimeDelta kShortWait = TimeDelta::Millis(100);

// CPU time of this process over some real time, as a part of it.
double CpuWhileWaiting(int milliseconds) {
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  return static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC * 1'000 / milliseconds;
}

// A TCP allocation with one peer connection, bound to a data connection.
struct Pipe {
  Pipe(const RunningHost& host, Transport transport, ByteView behind = {})
      : control(host.Open(transport)), reader(*control) {
    AskHost(*control, reader, HostAllocate(6));
    auto listener = PeerListener::Listen(*TransportAddress::Parse("127.0.0.1:0"));
    auto connect = HostRequest(stun::Method::kConnect, 3);
    connect.AddXorAddress(stun::AttributeType::kXorPeerAddress, listener->local());
    const Bytes connected = AskHost(*control, reader, connect.Build());
    id = *stun::MessageView::Parse(connected)->GetU32(stun::AttributeType::kConnectionId);
    peer = listener->Accept(kHostLimit);
    data = host.Open(transport);
    auto bind = HostRequest(stun::Method::kConnectionBind, 4);
    bind.AddU32(stun::AttributeType::kConnectionId, id);
    EXPECT_TRUE(data->Send(bind.Build()));
    // A record, and so a piece, of its own.
    if (!behind.empty()) {
      EXPECT_TRUE(data->Send(behind));
    }
    MessageReader data_reader(*data);
    EXPECT_FALSE(data_reader.Next().empty());
    early.assign(AsString(data_reader.rest()));
  }
  std::unique_ptr<Channel> control;
  MessageReader reader;
  uint32_t id = 0;
  std::unique_ptr<Channel> peer, data;
  std::string early;
};

std::string ReadUpTo(Channel& channel, std::size_t size) {
  std::string all;
  while (all.size() < size) {
    const auto piece = channel.Receive(kHostLimit);
    if (!piece) break;
    all += AsString(piece->bytes);
  }
  return all;
}

class HostilePipeTest : public ::testing::TestWithParam<Transport> {};

TEST_P(HostilePipeTest, DataRightBehindConnectionBindReachesThePeerOnce) {
  const RunningHost host(true);
  const std::string behind(200'000, 'x');
  Pipe pipe(host, GetParam(), AsBytes(behind));
  ASSERT_TRUE(pipe.data->Send(AsBytes("!")));
  const std::string got = ReadUpTo(*pipe.peer, behind.size() + 1);
  EXPECT_EQ(got.size(), behind.size() + 1);
  EXPECT_EQ(got, behind + "!");
}

// RFC 6062 section 3: who does not read stops the one who writes; nothing is lost, and the server keeps little.
TEST_P(HostilePipeTest, FlowControlGoesEndToEnd) {
  const RunningHost host(true);
  Pipe pipe(host, GetParam());
  const Bytes piece(262'144, 0x5a);
  for (const bool to_peer : {true, false}) {
    Channel& from = to_peer ? *pipe.data : *pipe.peer;
    Channel& to = to_peer ? *pipe.peer : *pipe.data;
    std::atomic<std::size_t> accepted{0};
    constexpr std::size_t kWhole = 24u << 20;
    std::thread writer([&] {
      while (accepted < kWhole && from.Send(piece)) accepted += piece.size();
    });
    // Until it stands still.
    std::size_t before = 1;
    while (before != accepted) {
      before = accepted;
      std::this_thread::sleep_for(std::chrono::milliseconds(150));
    }
    EXPECT_LT(before, kWhole) << "nobody reads, and the server takes everything";
    EXPECT_LT(CpuWhileWaiting(100), 0.5);
    EXPECT_EQ(ReadUpTo(to, kWhole).size(), kWhole);
    writer.join();
  }
}

INSTANTIATE_TEST_SUITE_P(Streams, HostilePipeTest,
                         ::testing::Values(Transport::kTcp, Transport::kTls),
                         [](const auto& tested) { return std::string(ToString(tested.param)); });

TEST(HostileTest, APeerThatResetsBeforeItIsBoundCostsNoCpu) {
  const RunningHost host;
  const auto control = host.Open(Transport::kTcp);
  MessageReader reader(*control);
  AskHost(*control, reader, HostAllocate(6));
  auto listener = PeerListener::Listen(*TransportAddress::Parse("127.0.0.1:0"));
  auto connect = HostRequest(stun::Method::kConnect, 3);
  connect.AddXorAddress(stun::AttributeType::kXorPeerAddress, listener->local());
  AskHost(*control, reader, connect.Build());
  const auto peer = listener->Accept(kHostLimit);
  ASSERT_NE(peer, nullptr);
  ASSERT_TRUE(peer->Send(Bytes(200'000)));  // more than waits for a client: the host stops reading
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  peer->Reset();
  EXPECT_LT(CpuWhileWaiting(300), 0.5);
  EXPECT_TRUE(IsAlive(host));
}

TEST(HostileTest, NothingIsKeptForSomebodyWhoNeverReads) {
  const RunningHost host(false, [](HostConfig& config) { config.linger = TimeDelta::Millis(100); });
  Pipe pipe(host, Transport::kTcp);
  const Bytes piece(262'144, 0x5a);
  std::thread writer([&] {
    for (int i = 0; i < 64 && pipe.data->Send(piece); ++i) {
    }
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  pipe.control->Reset();  // the allocation goes, and with it its connections
  writer.join();
  // The peer reads only now: it gets what was on its way and then the end, not the rest.
  std::this_thread::sleep_for(std::chrono::milliseconds(1'300));
  while (pipe.peer->Receive(kHostLimit)) {
  }
  EXPECT_TRUE(pipe.peer->closed());
  EXPECT_TRUE(IsAlive(host));
}

TEST(HostileTest, AClientThatAsksAndNeverListensIsCutOff) {
  const RunningHost host;
  // A small window, so that the system keeps little of the answers.
  auto deaf = TcpSocket::Connect(host.Address(Transport::kTcp), {}, {.buffer_size = 8'192});
  ASSERT_TRUE(deaf);
  Bytes requests;  // whole messages, so that any number of them follows on each other
  for (int i = 0; i < 1'000; ++i) {
    const Bytes request = HostRequest(stun::Method::kBinding, 1).Build();
    requests.insert(requests.end(), request.begin(), request.end());
  }
  bool cut = false;
  std::size_t offset = 0;
  for (const Timestamp start = RealNow(); !cut && RealNow() - start < kHostLimit * 5;) {
    const TcpSocket::Io io = deaf->Write(ByteView(requests).subspan(offset));
    cut = io.status == TcpSocket::Status::kReset;
    offset = (offset + io.size) % requests.size();
  }
  EXPECT_TRUE(cut);
  EXPECT_TRUE(IsAlive(host));
}

TEST(HostileTest, OneConnectionMoreThanAllowedIsClosedAtOnce) {
  const RunningHost host(true, [](HostConfig& config) { config.max_connections = 3; });
  std::vector<std::unique_ptr<Channel>> held;
  for (int i = 0; i < 3; ++i) {
    held.push_back(host.Open(Transport::kTcp));
    MessageReader reader(*held.back());
    AskHost(*held.back(), reader, HostRequest(stun::Method::kBinding, 1).Build());
  }
  for (int i = 0; i < 100; ++i) {
    const auto more = host.Open(Transport::kTcp);
    if (i % 20 != 0) continue;
    EXPECT_FALSE(more->Receive(kHostLimit));
    EXPECT_TRUE(more->closed());
  }
  ChannelOptions dtls{.server = host.Address(Transport::kDtls)};
  dtls.secure.insecure = true;
  dtls.connect_timeout = kShortWait;
  EXPECT_FALSE(Channel::Open(Transport::kDtls, dtls));
  EXPECT_TRUE(IsAlive(host));
  held.pop_back();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto next = host.Open(Transport::kTcp);
  MessageReader reader(*next);
  AskHost(*next, reader, HostRequest(stun::Method::kBinding, 1).Build());
}

TEST(HostileTest, AHandshakeThatDripsEndsAllTheSame) {
  const RunningHost host(
      true, [](HostConfig& config) { config.handshake_timeout = TimeDelta::Millis(300); });
  ChannelOptions options{.server = host.Address(Transport::kTls)};
  const auto dripping = Channel::Open(Transport::kTcp, options);
  ASSERT_TRUE(dripping);
  // A TLS record of 16,384 bytes that never ends.
  const Bytes begin = {22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc, 3, 3};
  ASSERT_TRUE((*dripping)->Send(begin));
  const Timestamp start = RealNow();
  while (!(*dripping)->closed() && RealNow() - start < kHostLimit) {
    (void)(*dripping)->Receive(kShortWait);
    (void)(*dripping)->Send(Bytes{0});
  }
  EXPECT_TRUE((*dripping)->closed());
}

TEST(HostileTest, ASilentStreamIsClosedAndOneWithAnAllocationIsNot) {
  const RunningHost host(false,
                         [](HostConfig& config) { config.stream_idle = TimeDelta::Millis(100); });
  const auto idle = host.Open(Transport::kTcp);
  const auto allocated = host.Open(Transport::kTcp);
  MessageReader reader(*allocated);
  AskHost(*allocated, reader, HostAllocate(turn::kProtocolUdp));
  while (!idle->closed() && idle->Receive(kHostLimit)) {
  }
  EXPECT_TRUE(idle->closed());
  AskHost(*allocated, reader, HostRequest(stun::Method::kBinding, 1).Build());
}

TEST(HostileTest, OutOfDescriptorsItWaitsForBetterTimes) {
  const RunningHost host;
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const auto before = host.Open(Transport::kTcp);
  MessageReader reader(*before);
  AskHost(*before, reader, HostRequest(stun::Method::kBinding, 1).Build());
  int lowest = 0;
  {
    const auto probe = TcpSocket::Connect(host.Address(Transport::kTcp));
    ASSERT_TRUE(probe);
    lowest = probe->descriptor();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  // One descriptor is left: for our end of a connection, not for the host's.
  rlimit none = limit;
  none.rlim_cur = static_cast<rlim_t>(lowest) + 1;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto waiting = TcpSocket::Connect(host.Address(Transport::kTcp));
  EXPECT_TRUE(waiting);
  EXPECT_LT(CpuWhileWaiting(300), 0.5);
  // A relay cannot be bound: 508, and no more.
  ASSERT_TRUE(before->Send(HostAllocate(turn::kProtocolUdp)));
  const Bytes answer = reader.Next();
  EXPECT_EQ(stun::MessageView::Parse(answer)->GetErrorCode()->code, 508);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_TRUE(IsAlive(host));
  const auto after = host.Open(Transport::kTcp);
  MessageReader after_reader(*after);
  AskHost(*after, after_reader, HostRequest(stun::Method::kBinding, 1).Build());
}

TEST(HostileTest, GarbageOfEveryKindLeavesItAlive) {
  const RunningHost host(true);
  Rng rng(11);
  for (const Transport transport :
       {Transport::kUdp, Transport::kTcp, Transport::kTls, Transport::kDtls}) {
    // Below the handshake, and inside it.
    ChannelOptions options{.server = host.Address(transport)};
    const bool stream = transport == Transport::kTcp || transport == Transport::kTls;
    for (int i = 0; i < 60; ++i) {
      const auto channel = Channel::Open(stream ? Transport::kTcp : Transport::kUdp, options);
      ASSERT_TRUE(channel);
      Bytes garbage(rng.Uniform(0, 1'400));
      rng.Fill(garbage);
      // Half of it begins as a record, a STUN message or ChannelData does.
      constexpr std::array<uint8_t, 4> kFirst = {22, 0, 0x40, 23};
      if (!garbage.empty() && i % 2 == 0) garbage[0] = kFirst[static_cast<std::size_t>(i / 2 % 4)];
      (void)(*channel)->Send(garbage);
      if (i % 3 == 0) (*channel)->Reset();
    }
    const auto inside = host.Open(transport);
    Bytes garbage(900);
    rng.Fill(garbage);
    (void)inside->Send(garbage);
  }
  EXPECT_TRUE(IsAlive(host));
}

TEST(HostileTest, TheHostMayGoInEveryStateOfItsClients) {
  std::vector<std::unique_ptr<Channel>> held;
  {
    const RunningHost host(true);
    Pipe unread(host, Transport::kTls);
    (void)unread.peer->Send(Bytes(100'000));
    for (const Transport transport :
         {Transport::kUdp, Transport::kTcp, Transport::kTls, Transport::kDtls}) {
      held.push_back(host.Open(transport));
      MessageReader reader(*held.back());
      AskHost(*held.back(), reader, HostAllocate(turn::kProtocolUdp));
      (void)held.back()->Send(Bytes{0, 1, 0});  // a message that does not end
    }
    // Half a handshake, over TLS and DTLS.
    ChannelOptions options{.server = host.Address(Transport::kTls)};
    held.push_back(std::move(*Channel::Open(Transport::kTcp, options)));
    (void)held.back()->Send(Bytes{22, 3, 1, 2, 0});
    // A peer that connects while nobody binds it.
    const auto control = host.Open(Transport::kTcp);
    MessageReader reader(*control);
    const TransportAddress relayed = RelayedIn(AskHost(*control, reader, HostAllocate(6)));
    auto permission = HostRequest(stun::Method::kCreatePermission, 5);
    permission.AddXorAddress(stun::AttributeType::kXorPeerAddress,
                             *TransportAddress::Parse("127.0.0.1:1"));
    AskHost(*control, reader, permission.Build());
    ChannelOptions peer{.server = relayed};
    held.push_back(std::move(*Channel::Open(Transport::kTcp, peer)));
    EXPECT_FALSE(reader.Next().empty());  // ConnectionAttempt
    held.push_back(std::move(unread.control));
  }
  for (const auto& channel : held) (void)channel->Receive(TimeDelta::Millis(1));
}

}  // namespace
}  // namespace rtclab::conformance
