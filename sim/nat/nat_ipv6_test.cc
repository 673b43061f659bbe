// IPv6: filtered statefully where it is not translated (RFC 6092), translated like IPv4 where it is.
#include <gtest/gtest.h>

#include "sim/nat/nat_test_util.h"

namespace rtclab::sim {
namespace {

const TransportAddress kHost6 = At("[2001:db8:1::2]:40000");
const TransportAddress kPeer6 = At("[2001:db8:9::9]:3478");
const TransportAddress kOther6 = At("[2001:db8:9::7]:4242");

TEST(NatIpv6Test, AddressesStayAndAnswersComeBack) {
  NatBehaviour b;
  b.mapping = Mapping::kAddressAndPortDependent;  // says nothing where nothing is mapped
  Nat nat = MakeNat(b);
  EXPECT_EQ(Send(nat, Sec(0), kHost6, kPeer6), kHost6);
  EXPECT_EQ(Send(nat, Sec(0), kHost6, kOther6), kHost6);
  EXPECT_EQ(Receive(nat, Sec(1), kPeer6, kHost6, kHost6), "");
  EXPECT_EQ(nat.Mappings(Sec(1)).size(), 1u);
}

TEST(NatIpv6Test, UnsolicitedPacketsAreDropped) {
  Nat nat = MakeNat({});
  const Verdict v = nat.Inbound(Sec(0), Udp(kPeer6, kHost6));
  EXPECT_STREQ(v.rule, nat_rule::kIpv6NoState);
  EXPECT_EQ(
      v.detail,
      "[2001:db8:9::9]:3478 sent to [2001:db8:1::2]:40000, which has sent nothing out by UDP");
  Send(nat, Sec(0), kHost6, kPeer6);
  EXPECT_EQ(Receive(nat, Sec(1), kOther6, kHost6, kHost6), "nat.filter.address-and-port-dependent");
  EXPECT_EQ(Receive(nat, Sec(300), kPeer6, kHost6, kHost6), "nat.mapping-expired");
}

// RFC 6092 REC-17: endpoint-independent filtering, as the IPv4 side is set.
TEST(NatIpv6Test, FiltersAsConfigured) {
  NatBehaviour b;
  b.filtering = Filtering::kEndpointIndependent;
  Nat nat = MakeNat(b);
  Send(nat, Sec(0), kHost6, kPeer6);
  EXPECT_EQ(Receive(nat, Sec(1), kOther6, kHost6, kHost6), "");
}

TEST(NatIpv6Test, IcmpErrorsPassUnchangedWhenTheyMatch) {
  NatBehaviour b;
  b.translate_icmp_errors = false;  // nothing to translate
  Nat nat = MakeNat(b);
  PacketInfo error = IcmpError("2001:db8:9::1", "2001:db8:1::2", Udp(kHost6, kPeer6).tuple, 2, 0);
  error.tuple.protocol = IpProtocol::kIcmpv6;
  EXPECT_STREQ(nat.Inbound(Sec(0), error).rule, nat_rule::kIcmpNoMatch);
  Send(nat, Sec(0), kHost6, kPeer6);
  Verdict v = nat.Inbound(Sec(1), error);
  EXPECT_EQ(v.tuple, error.tuple);
  EXPECT_EQ(v.embedded, error.icmp_error->tuple);
  // From a router inside: its own address goes out.
  error = IcmpError("2001:db8:1::1", "2001:db8:9::9", Udp(kPeer6, kHost6).tuple, 1, 4);
  v = nat.Outbound(Sec(1), error);
  EXPECT_EQ(v.tuple, error.tuple);
  EXPECT_EQ(v.embedded, error.icmp_error->tuple);
}

TEST(NatIpv6Test, TranslatedLikeIpv4WhenAsked) {
  NatBehaviour b;
  b.translate_ipv6 = true;
  Nat nat(b, {Ip(kPublic), Ip("2001:db8:ff::1")}, Rng(1));
  const TransportAddress inside = At("[fd00::2]:40000");
  const TransportAddress mapped = Send(nat, Sec(0), inside, kPeer6);
  EXPECT_EQ(mapped, At("[2001:db8:ff::1]:40000"));
  EXPECT_EQ(Receive(nat, Sec(1), kPeer6, mapped, inside), "");
  EXPECT_EQ(Receive(nat, Sec(1), kOther6, mapped, inside), "nat.filter.address-and-port-dependent");
  // Families don't mix.
  EXPECT_EQ(Send(nat, Sec(0), kAlice, kPeer), At("198.51.100.2:40000"));
  EXPECT_EQ(nat.Inbound(Sec(1), Udp(kPeer6, kHost6)).rule,
            std::string(nat_rule::kNotExternalAddress));
}

TEST(NatIpv6Test, OneToOneLeavesUntranslatedIpv6Alone) {
  NatBehaviour b;
  b.one_to_one = true;
  Nat nat = MakeNat(b);
  EXPECT_EQ(Send(nat, Sec(0), kHost6, kPeer6), kHost6);
  EXPECT_EQ(Receive(nat, Sec(1), kPeer6, kHost6, kHost6), "");
}

}  // namespace
}  // namespace rtclab::sim
