#include "conformance/socket/tcp_socket.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <string>

#include "conformance/socket/real_clock.h"
#include "conformance/socket/socket_test_util.h"
#include "conformance/socket/wait.h"

namespace rtclab::conformance {
namespace {

using TcpStatus = TcpSocket::Status;

Timestamp TcpPatience() { return RealNow() + TimeDelta::Seconds(2); }

class TcpSocketTest : public testing::TestWithParam<AddressFamily> {
 protected:
  TcpSocketTest() : listener_(*TcpListener::Listen(LoopbackOf(GetParam()))) {}

  // A connection to the listener; `near_` and `far_` are its ends.
  void Join(const TransportAddress& local = {}, const TcpOptions& options = {}) {
    auto near = TcpSocket::Connect(listener_.local(), local, options);
    ASSERT_TRUE(near) << near.error().reason;
    ASSERT_NE(WaitFor(near->descriptor(), POLLOUT, TcpPatience(), false), 0);
    ASSERT_TRUE(near->FinishConnect().value());
    ASSERT_NE(WaitFor(listener_.descriptor(), POLLIN, TcpPatience(), false), 0);
    auto far = listener_.Accept();
    ASSERT_TRUE(far);
    near_.emplace(*std::move(near));
    far_.emplace(*std::move(far));
  }
  TcpSocket::Io ReadFrom(TcpSocket& socket) {
    WaitFor(socket.descriptor(), POLLIN, TcpPatience(), false);
    return socket.Read(buffer_);
  }

  TcpListener listener_;
  std::optional<TcpSocket> near_, far_;
  Bytes buffer_ = Bytes(65'536);
};

TEST_P(TcpSocketTest, ConnectsAndCarriesBytesBothWays) {
  Join();
  EXPECT_EQ(near_->remote(), listener_.local());
  EXPECT_EQ(far_->local(), listener_.local());
  EXPECT_EQ(far_->remote(), near_->local());
  EXPECT_EQ(near_->Read(buffer_).status, TcpStatus::kBlocked);
  EXPECT_EQ(near_->Write(AsBytes("there")).size, 5u);
  EXPECT_EQ(far_->Write(AsBytes("and back")).size, 8u);
  const auto there = ReadFrom(*far_);
  EXPECT_EQ(AsString({buffer_.data(), there.size}), "there");
  const auto back = ReadFrom(*near_);
  EXPECT_EQ(AsString({buffer_.data(), back.size}), "and back");
  EXPECT_FALSE(listener_.Accept());
  for (const TcpSocket* end : {&*near_, &*far_}) {
    int value = 0;
    socklen_t size = sizeof value;
    getsockopt(end->descriptor(), IPPROTO_TCP, TCP_NODELAY, &value, &size);
    EXPECT_EQ(value, 1);
  }
}

TEST_P(TcpSocketTest, BindsWhereItIsTold) {
  TransportAddress free;
  {
    const auto probe = *TcpListener::Listen(LoopbackOf(GetParam()));
    free = probe.local();
  }
  Join(free);
  EXPECT_EQ(near_->local(), free);
  EXPECT_EQ(far_->remote(), free);
}

TEST_P(TcpSocketTest, ListensAndConnectsFromOneAddress) {
  const auto both = TcpListener::Listen(LoopbackOf(GetParam()), {.reuse_port = true});
  ASSERT_TRUE(both);
  Join(both->local(), {.reuse_port = true});
  EXPECT_EQ(far_->remote(), both->local());
}

TEST_P(TcpSocketTest, HalfCloseLeavesTheOtherDirectionOpen) {
  Join();
  near_->Write(AsBytes("last words"));
  near_->ShutdownWrite();
  EXPECT_EQ(ReadFrom(*far_).size, 10u);
  EXPECT_EQ(ReadFrom(*far_).status, TcpStatus::kEnd);
  EXPECT_EQ(far_->Write(AsBytes("answer")).size, 6u);
  EXPECT_EQ(ReadFrom(*near_).size, 6u);
}

TEST_P(TcpSocketTest, ResetIsSeenAsOne) {
  Join();
  near_->Reset();
  const auto io = ReadFrom(*far_);
  EXPECT_EQ(io.status, TcpStatus::kReset);
  EXPECT_EQ(far_->error(), "Connection reset by peer");
  EXPECT_EQ(far_->Write(AsBytes("x")).status, TcpStatus::kReset);
  EXPECT_EQ(far_->error(), "Broken pipe");
}

TEST_P(TcpSocketTest, AFullPathBlocksWritesUntilItIsRead) {
  Join({}, {.buffer_size = 4'096});
  const Bytes block(65'536, 1);
  std::size_t written = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto io = near_->Write(block);
    if (io.status == TcpStatus::kBlocked) break;
    written += io.size;
  }
  EXPECT_EQ(near_->Write(block).status, TcpStatus::kBlocked);
  std::size_t read = 0;
  while (read < written) {
    const auto io = ReadFrom(*far_);
    ASSERT_EQ(io.status, TcpStatus::kOk);
    read += io.size;
  }
  EXPECT_EQ(read, written);
}

TEST_P(TcpSocketTest, SaysWhyItCannotConnect) {
  TransportAddress nobody;
  {
    const auto gone = *TcpListener::Listen(LoopbackOf(GetParam()));
    nobody = gone.local();
  }
  std::string reason;
  auto socket = TcpSocket::Connect(nobody);
  if (socket) {
    WaitFor(socket->descriptor(), POLLOUT, TcpPatience(), false);
    const auto finished = socket->FinishConnect();
    ASSERT_FALSE(finished);
    reason = finished.error().reason;
  } else {
    reason = socket.error().reason;
  }
  EXPECT_EQ(reason, "connect " + nobody.ToString() + ": Connection refused");
}

TEST_P(TcpSocketTest, SaysWhyItCannotBind) {
  const auto foreign = GetParam() == AddressFamily::kIpv4
                           ? TransportAddress{IpAddress::V4(192, 0, 2, 1), 9}
                           : TransportAddress{*IpAddress::Parse("2001:db8::1"), 9};
  const auto listening = TcpListener::Listen(foreign);
  ASSERT_FALSE(listening);
  EXPECT_EQ(listening.error().reason,
            "bind " + foreign.ToString() + ": Cannot assign requested address");
  const auto connecting = TcpSocket::Connect(listener_.local(), foreign);
  ASSERT_FALSE(connecting);
  EXPECT_EQ(connecting.error().reason, listening.error().reason);
  const auto taken = TcpListener::Listen(listener_.local());
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().reason.find("Address already in use"), std::string::npos);
}

TEST_P(TcpSocketTest, MarksAreSetOnTheSocket) {
  Join({}, {.marks = {.dscp = 46, .hop_limit = 9}});
  const bool v4 = GetParam() == AddressFamily::kIpv4;
  int value = 0;
  socklen_t size = sizeof value;
  getsockopt(near_->descriptor(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, &value,
             &size);
  EXPECT_EQ(value, 46 << 2);
  size = sizeof value;
  getsockopt(near_->descriptor(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TTL : IPV6_UNICAST_HOPS,
             &value, &size);
  EXPECT_EQ(value, 9);
}

INSTANTIATE_TEST_SUITE_P(Families, TcpSocketTest,
                         testing::Values(AddressFamily::kIpv4, AddressFamily::kIpv6),
                         [](const auto& i) { return FamilyName(i.param); });

}  // namespace
}  // namespace rtclab::conformance
