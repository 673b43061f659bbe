#include "sim/ip/packet_bytes.h"

#include <gtest/gtest.h>

#include "sim/ip/reassembly.h"

namespace rtclab::sim {
namespace {

struct Ends {
  const char* source;
  const char* destination;
  const char* new_source;
};
const Ends kV4{"192.168.1.2:5000", "198.51.100.2:3478", "203.0.113.1:61000"};
const Ends kV6{"[fd00:0:1::2]:5000", "[2001:db8::2]:3478", "[2001:db8:ffff::1]:61000"};

TransportAddress At(const char* text) { return *TransportAddress::Parse(text); }

Bytes Udp(const Ends& ends, ByteView payload, IpOptions options = {}) {
  const TransportAddress source = At(ends.source);
  Bytes out(UdpPacketSize(source.family(), payload.size()));
  WriteUdpPacket(out.data(), source, At(ends.destination), payload, options);
  return out;
}

IpView View(ByteView packet) {
  const auto view = IpView::Parse(packet, packet.size());
  EXPECT_TRUE(view);
  return *view;
}

class BothFamilies : public testing::TestWithParam<Ends> {};
INSTANTIATE_TEST_SUITE_P(Families, BothFamilies, testing::Values(kV4, kV6),
                         [](const auto& family) { return family.index == 0 ? "Ipv4" : "Ipv6"; });

TEST_P(BothFamilies, UdpPacketReadsBackWithRightChecksums) {
  for (std::size_t size = 0; size < 70; ++size) {
    const Bytes payload(size, static_cast<uint8_t>(size * 3));
    const Bytes packet = Udp(GetParam(), payload);
    const IpView view = View(packet);
    EXPECT_TRUE(view.header_checksum_ok);
    EXPECT_TRUE(L4ChecksumOk(packet, view));
    EXPECT_EQ(view.tuple.source, At(GetParam().source));
    EXPECT_EQ(view.tuple.destination, At(GetParam().destination));
    EXPECT_EQ(UdpPayload(packet).size(), size);
  }
}

TEST_P(BothFamilies, EveryFlippedBitOfADatagramIsFound) {
  const Bytes packet = Udp(GetParam(), AsBytes("some payload"));
  for (std::size_t bit = 0; bit < packet.size() * 8; ++bit) {
    Bytes damaged = packet;
    damaged[bit / 8] ^= static_cast<uint8_t>(0x80 >> bit % 8);
    const auto view = IpView::Parse(damaged, damaged.size());
    // Not covered by any checksum: IPv6's class, flow label and hop limit.
    const bool uncovered = GetParam().source[0] == '[' && ((bit >= 4 && bit < 32) || bit / 8 == 7);
    const bool seen =
        !view || !view->header_checksum_ok || !view->is_udp() || !L4ChecksumOk(damaged, *view);
    EXPECT_EQ(seen, !uncovered) << bit;
  }
}

TEST_P(BothFamilies, RewritingKeepsChecksumsRightAndDamageVisible) {
  Bytes packet = Udp(GetParam(), AsBytes("some payload"));
  FlowTuple to = View(packet).tuple;
  to.source = At(GetParam().new_source);
  Bytes damaged = packet;
  damaged.back() ^= 1;
  for (Bytes* bytes : {&packet, &damaged}) {
    const IpView before = View(*bytes);
    RewriteTuple(std::span(*bytes).first(RewriteSpan(before)), before, to);
    DecrementTtl(bytes->data(), before);
    EXPECT_TRUE(View(*bytes).header_checksum_ok);
    EXPECT_EQ(View(*bytes).tuple, to);
    EXPECT_EQ(View(*bytes).ttl, kDefaultTtl - 1);
  }
  EXPECT_TRUE(L4ChecksumOk(packet, View(packet)));
  EXPECT_FALSE(L4ChecksumOk(damaged, View(damaged)));
}

TEST(PacketBytesTest, AbsentIpv4UdpChecksumStaysAbsent) {
  Bytes packet = Udp(kV4, AsBytes("x"));
  StoreU16(packet.data() + 26, 0);
  const IpView view = View(packet);
  EXPECT_TRUE(L4ChecksumOk(packet, view));
  FlowTuple to = view.tuple;
  to.source = At(kV4.new_source);
  RewriteTuple(packet, view, to);
  EXPECT_EQ(LoadU16(packet.data() + 26), 0);
}

TEST_P(BothFamilies, IcmpErrorTellsTheSenderAndSurvivesANat) {
  const bool v4 = GetParam().source[0] != '[';
  const Bytes big(3000, 7);
  // As the server answers a NAT's packet: the quoted source is the external address.
  const Ends outside{GetParam().new_source, GetParam().destination, ""};
  const Bytes offending = Udp(outside, big);
  Bytes error = MakeIcmpError(At(GetParam().destination).ip, offending, View(offending), v4 ? 3 : 2,
                              v4 ? 4 : 0, 1400);
  EXPECT_EQ(error.size(), v4 ? 576u : 1280u);
  IpView view = View(error);
  EXPECT_TRUE(L4ChecksumOk(error, view));
  auto read = ReadIcmpError(error, view);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->source, At(GetParam().new_source));
  EXPECT_EQ(read->destination, At(GetParam().destination));
  EXPECT_EQ(read->mtu, 1400u);

  FlowTuple to = view.tuple;
  to.destination.ip = At(GetParam().source).ip;
  FlowTuple embedded;
  embedded.source = At(GetParam().source);
  embedded.destination = At(GetParam().destination);
  RewriteIcmpError(error, view, to, embedded);
  view = View(error);
  EXPECT_TRUE(view.header_checksum_ok);
  EXPECT_TRUE(L4ChecksumOk(error, view));
  read = ReadIcmpError(error, view);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->source, At(GetParam().source));
  // The quoted packet is as if it had never been translated, its IP header checksum included.
  const auto quoted = IpView::Parse(ByteView(error).subspan(view.l4_offset + 8u), 0);
  ASSERT_TRUE(quoted);
  EXPECT_TRUE(quoted->header_checksum_ok);
  const Bytes original = Udp({GetParam().source, GetParam().destination, ""}, big);
  const ByteView quote = ByteView(error).subspan(view.l4_offset + 8u);
  EXPECT_EQ(ToHex(quote), ToHex(ByteView(original).first(quote.size())));
}

TEST(PacketBytesTest, EchoReplyMirrorsTheRequest) {
  const Bytes request = *FromHex(
      "4500001f 00000000 40010000 c0000201 c6336402"
      "0800 0000 1234 0001 616263");
  const auto reply = MakeEchoReply(request, View(request));
  ASSERT_TRUE(reply);
  const IpView view = View(*reply);
  EXPECT_TRUE(L4ChecksumOk(*reply, view));
  EXPECT_EQ(view.icmp_type, 0);
  EXPECT_EQ(view.tuple.source.ip.ToString(), "198.51.100.2");
  EXPECT_EQ(view.tuple.source.port, 0x1234);  // the identifier
  EXPECT_EQ(ToHex(ByteView(*reply).subspan(24)), "12340001616263");
  EXPECT_FALSE(MakeEchoReply(*reply, view));
}

TEST_P(BothFamilies, FragmentsInAnyOrderMakeTheDatagramAgain) {
  Bytes payload(4000, 0);
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<uint8_t>(i * 31);
  const Bytes packet = Udp(GetParam(), payload);
  const std::vector<Bytes> fragments = Fragment(packet, View(packet), 1500, 77);
  ASSERT_EQ(fragments.size(), 3u);
  for (const Bytes& fragment : fragments) EXPECT_LE(fragment.size(), 1500u);
  for (const std::vector<int>& order :
       {std::vector{0, 1, 2}, {2, 1, 0}, {1, 1, 0, 2}, {2, 0, 2, 1}}) {
    Reassembler reassembler;
    std::optional<Bytes> whole;
    for (const int i : order) {
      EXPECT_FALSE(whole);
      whole = reassembler.Add(Timestamp::Zero(), fragments[i], View(fragments[i]));
    }
    ASSERT_TRUE(whole);
    EXPECT_EQ(ToHex(*whole), ToHex(packet));
  }
}

// IPv4 only: IPv6 routers do not fragment.
TEST(PacketBytesTest, FragmentsOfFragmentsFitTogetherToo) {
  const Bytes packet = Udp(kV4, Bytes(4000, 9));
  Reassembler reassembler;
  std::optional<Bytes> whole;
  for (const Bytes& fragment : Fragment(packet, View(packet), 1500, 0)) {
    for (const Bytes& part : Fragment(fragment, View(fragment), 600, 0)) {
      EXPECT_FALSE(whole);
      whole = reassembler.Add(Timestamp::Zero(), part, View(part));
    }
  }
  ASSERT_TRUE(whole);
  EXPECT_EQ(*whole, packet);
}

}  // namespace
}  // namespace rtclab::sim
