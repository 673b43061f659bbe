#include "stack/ice/priority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rtclab::ice {
namespace {

using testing::ElementsAre;

IpAddress Ip(std::string_view text) { return *IpAddress::Parse(text); }

TEST(PriorityTest, CandidateFormulaGivesThePublishedValues) {
  // RFC 8839's and RFC 8838's examples: one address, so a local preference of 65535.
  EXPECT_EQ(CandidatePriority(CandidateType::kHost, 65535, 1), 2130706431u);
  EXPECT_EQ(CandidatePriority(CandidateType::kHost, 65535, 2), 2130706430u);
  EXPECT_EQ(CandidatePriority(CandidateType::kServerReflexive, 65535, 1), 1694498815u);
  EXPECT_EQ(CandidatePriority(CandidateType::kPeerReflexive, 65535, 1), 1862270975u);
  EXPECT_EQ(CandidatePriority(CandidateType::kRelayed, 65535, 1), 16777215u);
  EXPECT_EQ(CandidatePriority(CandidateType::kRelayed, 0, 256), 0u);
  EXPECT_EQ(PeerReflexivePriority(2130706431u), 1862270975u);
  EXPECT_EQ(PeerReflexivePriority(16777215u), 1862270975u);
}

TEST(PriorityTest, PairFormulaDependsOnTheRole) {
  EXPECT_EQ(PairPriority(10, 20), (uint64_t{10} << 32) + 40);
  EXPECT_EQ(PairPriority(20, 10), (uint64_t{10} << 32) + 41);
  EXPECT_EQ(PairPriority(7, 7), (uint64_t{7} << 32) + 14);
  EXPECT_EQ(PairPriority(0x7fffffff, 0x7fffffff),
            (uint64_t{0x7fffffff} << 32) + 2 * uint64_t{0x7fffffff});
}

TEST(PriorityTest, DualStackRanksInterleave) {
  // RFC 8421 section 4's example: two IPv4 and six IPv6 addresses: an IPv4 one after four IPv6 ones.
  const std::vector<IpAddress> addresses = {Ip("10.0.0.1"),    Ip("10.0.0.2"),    Ip("2001:db8::1"),
                                            Ip("2001:db8::2"), Ip("2001:db8::3"), Ip("2001:db8::4"),
                                            Ip("2001:db8::5"), Ip("2001:db8::6")};
  EXPECT_THAT(RankAddresses(addresses, FamilyPreference::kInterleaveIpv6First),
              ElementsAre(4, 7, 0, 1, 2, 3, 5, 6));
  EXPECT_THAT(RankAddresses(addresses, FamilyPreference::kAsGiven),
              ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  // IPv4 first: Hi = 8 / 6 = 1.
  EXPECT_THAT(RankAddresses(addresses, FamilyPreference::kInterleaveIpv4First),
              ElementsAre(0, 2, 1, 3, 4, 5, 6, 7));
}

TEST(PriorityTest, RanksOfEqualAddressesAreShared) {
  const std::vector<IpAddress> addresses = {Ip("10.0.0.1"), Ip("2001:db8::1"), Ip("10.0.0.1"),
                                            Ip("2001:db8::1")};
  EXPECT_THAT(RankAddresses(addresses, FamilyPreference::kInterleaveIpv6First),
              ElementsAre(1, 0, 1, 0));
  EXPECT_THAT(RankAddresses({}, FamilyPreference::kInterleaveIpv6First), ElementsAre());
}

TEST(PriorityTest, HostCandidatesExcludeWhatRfc8445Excludes) {
  for (const char* text :
       {"10.0.0.1", "192.0.2.1", "169.254.1.1", "2001:db8::1", "fe80::1", "fd00::1"}) {
    EXPECT_TRUE(MayBeHostCandidate(Ip(text), false)) << text;
  }
  for (const char* text : {"127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1",
                           "::", "::192.0.2.1", "::ffff:192.0.2.1", "fec0::1", "ff02::1"}) {
    EXPECT_FALSE(MayBeHostCandidate(Ip(text), false)) << text;
  }
  EXPECT_TRUE(MayBeHostCandidate(Ip("127.0.0.1"), true));
  EXPECT_TRUE(MayBeHostCandidate(Ip("::1"), true));
  EXPECT_FALSE(MayBeHostCandidate(IpAddress{}, true));
}

TEST(PriorityTest, PrecedenceIsRfc6724s) {
  EXPECT_EQ(DefaultPrecedence(Ip("192.0.2.1")), 35u);
  EXPECT_EQ(DefaultPrecedence(Ip("2001:db8::1")), 40u);
  EXPECT_EQ(DefaultPrecedence(Ip("2001:0:1::1")), 5u);
  EXPECT_EQ(DefaultPrecedence(Ip("2002::1")), 30u);
  EXPECT_EQ(DefaultPrecedence(Ip("fd00::1")), 3u);
  EXPECT_EQ(DefaultPrecedence(Ip("::1")), 50u);
}

TEST(PriorityTest, FoundationsDifferByTypeBaseAndServerOnly) {
  FoundationTable table;
  const auto host = table.Number(CandidateType::kHost, Ip("10.0.0.1"), {});
  const auto other_base = table.Number(CandidateType::kHost, Ip("10.0.0.2"), {});
  const auto srflx = table.Number(CandidateType::kServerReflexive, Ip("10.0.0.1"), Ip("192.0.2.1"));
  const auto other_server =
      table.Number(CandidateType::kServerReflexive, Ip("10.0.0.1"), Ip("192.0.2.2"));
  const auto relay = table.Number(CandidateType::kRelayed, Ip("10.0.0.1"), Ip("192.0.2.1"));
  EXPECT_THAT((std::vector<uint32_t>{host, other_base, srflx, other_server, relay}),
              ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(table.Number(CandidateType::kHost, Ip("10.0.0.1"), {}), host);
  EXPECT_EQ(table.Number(CandidateType::kServerReflexive, Ip("10.0.0.1"), Ip("192.0.2.1")), srflx);
}

}  // namespace
}  // namespace rtclab::ice
