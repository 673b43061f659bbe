#include "conformance/socket/udp_socket.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "conformance/socket/real_clock.h"
#include "conformance/socket/socket_test_util.h"
#include "conformance/socket/udp_batch.h"
#include "conformance/socket/wait.h"

namespace rtclab::conformance {
namespace {

class UdpSocketTest : public testing::TestWithParam<AddressFamily> {
 protected:
  UdpSocketTest()
      : a_(*UdpSocket::Bind(LoopbackOf(GetParam()))),
        b_(*UdpSocket::Bind(LoopbackOf(GetParam()))) {}

  // The next datagram at b_, waiting for it.
  std::optional<UdpSocket::Marked> AtB() {
    WaitFor(b_.descriptor(), POLLIN, RealNow() + TimeDelta::Seconds(2), false);
    return b_.ReceiveMarked(buffer_);
  }
  int OptionOfA(int v4_option, int v6_option) {
    const bool v4 = GetParam() == AddressFamily::kIpv4;
    int value = -1;
    socklen_t size = sizeof value;
    getsockopt(a_.descriptor(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? v4_option : v6_option, &value,
               &size);
    return value;
  }

  UdpSocket a_, b_;
  Bytes buffer_ = Bytes(65'536);
};

TEST_P(UdpSocketTest, MarksArriveAsSent) {
  b_.TellMarks();
  const std::vector<IpMarks> table = {
      {.dscp = 46, .ecn = 0},
      {.dscp = 0, .ecn = 2},
      {.dscp = 63, .ecn = 3, .hop_limit = 33},
      {.dscp = 0, .ecn = 0, .hop_limit = 255},
      {.dscp = 8, .ecn = 1, .hop_limit = 1},
  };
  for (const IpMarks& marks : table) {
    ASSERT_TRUE(a_.SendMarked(b_.local(), AsBytes("marked"), marks));
    const auto got = AtB();
    ASSERT_TRUE(got);
    EXPECT_EQ(AsString(got->datagram.payload), "marked");
    EXPECT_EQ(got->datagram.source, a_.local());
    EXPECT_EQ(got->marks.dscp, marks.dscp);
    EXPECT_EQ(got->marks.ecn, marks.ecn);
    EXPECT_EQ(got->marks.hop_limit, marks.hop_limit == 0 ? 64 : marks.hop_limit);
    EXPECT_FALSE(got->marks.dont_fragment);
  }
}

TEST_P(UdpSocketTest, AnUnmarkedDatagramAfterAMarkedOneHasTheDefaults) {
  b_.TellMarks();
  ASSERT_TRUE(a_.SendMarked(b_.local(), AsBytes("1"), {.dscp = 10, .hop_limit = 9}));
  ASSERT_TRUE(AtB());
  a_.Send(b_.local(), AsBytes("2"), false);
  const auto got = AtB();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->marks, (IpMarks{.hop_limit = 64}));
}

TEST_P(UdpSocketTest, MarksAreNotToldUnlessAskedFor) {
  ASSERT_TRUE(a_.SendMarked(b_.local(), AsBytes("1"), {.dscp = 10}));
  const auto got = AtB();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->marks, IpMarks{});
}

TEST_P(UdpSocketTest, DontFragmentIsSetPerDatagram) {
  const bool v4 = GetParam() == AddressFamily::kIpv4;
  for (const bool wanted : {true, false, true}) {
    ASSERT_TRUE(a_.SendMarked(b_.local(), AsBytes("x"), {.dont_fragment = wanted}));
    ASSERT_TRUE(AtB());
    EXPECT_EQ(OptionOfA(IP_MTU_DISCOVER, IPV6_DONTFRAG),
              v4 ? (wanted ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT) : (wanted ? 1 : 0));
  }
}

TEST_P(UdpSocketTest, SaysWhyADatagramCannotBeSent) {
  const Bytes too_long(65'536);
  const auto sent = a_.SendMarked(b_.local(), too_long, {});
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().reason, "send to " + b_.local().ToString() + ": Message too long");
}

TEST_P(UdpSocketTest, EmptyAndLargestDatagramsPass) {
  const Bytes largest(GetParam() == AddressFamily::kIpv4 ? 65'507 : 65'527, 7);
  a_.SetBuffers(1 << 20);
  b_.SetBuffers(1 << 20);
  for (const ByteView payload : {ByteView{}, ByteView(largest)}) {
    ASSERT_TRUE(a_.SendMarked(b_.local(), payload, {}));
    const auto got = AtB();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->datagram.payload.size(), payload.size());
  }
}

TEST_P(UdpSocketTest, BatchesKeepTheOrderOfEachSocket) {
  auto c = *UdpSocket::Bind(LoopbackOf(GetParam()));
  SendBatch out;
  // Alternating sockets in the middle, so that the batch is cut; more than one batch in all.
  for (int i = 0; i < 100; ++i) {
    UdpSocket& from = i >= 20 && i < 30 && i % 2 == 0 ? c : a_;
    out.Add(from, b_.local(), Bytes{static_cast<uint8_t>(i)},
            {.dscp = static_cast<uint8_t>(i % 3)});
  }
  out.Flush();
  EXPECT_EQ(out.refused(), 0u);
  b_.TellMarks();
  ReceiveBatch in;
  std::vector<int> from_a;
  std::size_t from_c = 0;
  std::size_t total = 0;
  while (const std::size_t count = in.Receive(b_)) {
    ASSERT_LE(count, ReceiveBatch::kCapacity);
    total += count;
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(in.datagram(i).payload.size(), 1u);
      EXPECT_EQ(in.datagram(i).destination, b_.local());
      if (in.datagram(i).source == a_.local()) from_a.push_back(in.datagram(i).payload[0]);
      if (in.datagram(i).source == c.local()) ++from_c;
    }
  }
  EXPECT_EQ(total, 100u);
  EXPECT_EQ(from_c, 5u);
  EXPECT_TRUE(std::is_sorted(from_a.begin(), from_a.end()));
  EXPECT_EQ(from_a.size(), 95u);
}

TEST_P(UdpSocketTest, BatchesCarryMarksAndCountWhatIsRefused) {
  b_.TellMarks();
  SendBatch out;
  out.Add(a_, b_.local(), Bytes{1}, {.dscp = 46, .ecn = 1, .hop_limit = 12});
  out.Add(a_, b_.local(), Bytes(65'536));
  out.Add(a_, b_.local(), Bytes{2}, {.dont_fragment = true});
  out.Add(a_, b_.local(), Bytes{3});
  out.Flush();
  EXPECT_EQ(out.refused(), 1u);
  ReceiveBatch in;
  ASSERT_EQ(in.Receive(b_), 3u);
  EXPECT_EQ(in.marks(0), (IpMarks{.dscp = 46, .ecn = 1, .hop_limit = 12}));
  EXPECT_EQ(in.marks(1), (IpMarks{.hop_limit = 64}));
  for (uint8_t i = 0; i < 3; ++i) EXPECT_EQ(in.datagram(i).payload[0], i + 1);
  EXPECT_EQ(in.Receive(b_), 0u);
}

TEST_P(UdpSocketTest, BatchesGoOnAfterAnIcmpError) {
  TransportAddress nobody;
  {
    const auto gone = *UdpSocket::Bind(LoopbackOf(GetParam()));
    nobody = gone.local();
  }
  a_.Send(nobody, AsBytes("hello?"), false);
  SendBatch out;
  for (uint8_t i = 0; i < 3; ++i) out.Add(a_, b_.local(), Bytes{i});
  out.Flush();
  EXPECT_EQ(out.refused(), 0u);
  ReceiveBatch in;
  EXPECT_EQ(in.Receive(b_), 3u);
  EXPECT_EQ(in.Receive(a_), 0u);
  EXPECT_TRUE(a_.ReceiveIcmp());
}

INSTANTIATE_TEST_SUITE_P(Families, UdpSocketTest,
                         testing::Values(AddressFamily::kIpv4, AddressFamily::kIpv6),
                         [](const auto& i) { return FamilyName(i.param); });

}  // namespace
}  // namespace rtclab::conformance
