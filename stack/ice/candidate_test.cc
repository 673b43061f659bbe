#include "stack/ice/candidate.h"

#include <gtest/gtest.h>

namespace rtclab::ice {
namespace {

// RFC 8839 section 5.1's own example.
constexpr std::string_view kRfcLine =
    "candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998";

TEST(CandidateTest, ReadsTheRfcExample) {
  const auto c = ParseCandidate(kRfcLine);
  ASSERT_TRUE(c) << c.error().reason;
  EXPECT_EQ(c->foundation, "2");
  EXPECT_EQ(c->component, 1);
  EXPECT_EQ(c->protocol, TransportProtocol::kUdp);
  EXPECT_EQ(c->priority, 1694498815u);
  EXPECT_EQ(c->address, *TransportAddress::Parse("192.0.2.3:45664"));
  EXPECT_EQ(c->type, CandidateType::kServerReflexive);
  EXPECT_EQ(c->related, TransportAddress::Parse("203.0.113.141:8998"));
  EXPECT_EQ(Describe(*c), "srflx 192.0.2.3:45664");
}

TEST(CandidateTest, ReadsEveryForm) {
  struct {
    std::string_view line;
    std::string_view written;  // "": the same
  } const kCases[] = {
      {"candidate:1 1 udp 2130706431 2001:db8::1 5000 typ host", ""},
      {"a=candidate:1 1 UDP 2130706431 10.0.1.1 8998 typ host",
       "candidate:1 1 udp 2130706431 10.0.1.1 8998 typ host"},
      {"1 256 uDp 1 10.0.1.1 1 typ host", "candidate:1 256 udp 1 10.0.1.1 1 typ host"},
      {"candidate:a+/9 2 udp 2147483647 10.0.1.1 65535 typ relay raddr 192.0.2.3 rport 45664", ""},
      {"candidate:1 1 udp 5 10.0.1.1 9 typ prflx raddr :: rport 9", ""},
      {"candidate:1 1 udp 5 10.0.1.1 9 typ srflx raddr 0.0.0.0 rport 0", ""},
      {"candidate:1 1 udp 2130706431 2001:db8::1 5000 typ host ufrag 8hhY", ""},
      {"candidate:1 1 udp 5 10.0.1.1 9 typ host generation 0 ufrag abcd network-cost 999",
       "candidate:1 1 udp 5 10.0.1.1 9 typ host ufrag abcd generation 0 network-cost 999"},
      {"candidate:1 1 udp 5 1f4b5c6d-0a1b-4c2d-8e3f-000000000001.local 9 typ host", ""},
      {"candidate:1 1 udp 5 host.example 9 typ srflx raddr inner.example rport 7", ""},
      {"candidate:1 1 tcp 5 10.0.1.1 9 typ host tcptype active", ""},
      {"candidate:1 1 tcp 5 10.0.1.1 0 typ host tcptype so", ""},
      {"candidate:1 1 TCP 5 10.0.1.1 443 typ host tcptype passive",
       "candidate:1 1 tcp 5 10.0.1.1 443 typ host tcptype passive"},
      {"candidate:1 1 udp 5 10.0.1.1 9 typ host empty ", ""},
      {"candidate:1 1 udp 5 10.0.1.1 9 typ srflx",
       "candidate:1 1 udp 5 10.0.1.1 9 typ srflx raddr 0.0.0.0 rport 9"},
      {"candidate:1 1 udp 5 2001:db8::1 9 typ relay",
       "candidate:1 1 udp 5 2001:db8::1 9 typ relay raddr :: rport 9"},
  };
  for (const auto& test : kCases) {
    const auto c = ParseCandidate(test.line);
    ASSERT_TRUE(c) << test.line << ": " << c.error().reason;
    const std::string written = ToString(*c);
    EXPECT_EQ(written, test.written.empty() ? test.line : test.written);
    const auto again = ParseCandidate(written);
    ASSERT_TRUE(again) << written;
    EXPECT_EQ(ToString(*again), written);
  }
}

TEST(CandidateTest, KeepsNamesAndTcpWithoutAnAddress) {
  const auto mdns = ParseCandidate("candidate:1 1 udp 5 abc.local 9 typ host");
  ASSERT_TRUE(mdns);
  EXPECT_EQ(mdns->hostname, "abc.local");
  EXPECT_TRUE(mdns->address.IsNone());
  EXPECT_EQ(mdns->address.port, 9);
  const auto tcp = ParseCandidate("candidate:1 1 tcp 5 10.0.0.1 9 typ host tcptype active");
  ASSERT_TRUE(tcp);
  EXPECT_EQ(tcp->tcp_type, TcpType::kActive);
}

TEST(CandidateTest, RejectsWhatTheGrammarForbids) {
  struct {
    std::string_view line;
    std::size_t offset;  // where the offending field begins
  } const kCases[] = {
      {"", 0},
      {"a=foo", 2},
      {"a=candidat:1 1 udp 5 10.0.0.1 9 typ host", 2},
      {"candidate: 1 udp 5 10.0.0.1 9 typ host", 10},
      {"candidate:a-b 1 udp 5 10.0.0.1 9 typ host", 10},
      {"candidate:123456789012345678901234567890123 1 udp 5 10.0.0.1 9 typ host", 10},
      {"candidate:1  1 udp 5 10.0.0.1 9 typ host", 12},
      {"candidate:1 0 udp 5 10.0.0.1 9 typ host", 12},
      {"candidate:1 257 udp 5 10.0.0.1 9 typ host", 12},
      {"candidate:1 0001 udp 5 10.0.0.1 9 typ host", 12},
      {"candidate:1 -1 udp 5 10.0.0.1 9 typ host", 12},
      {"candidate:1 1 sctp 5 10.0.0.1 9 typ host", 14},
      {"candidate:1 1 udp 0 10.0.0.1 9 typ host", 18},
      {"candidate:1 1 udp 2147483648 10.0.0.1 9 typ host", 18},
      {"candidate:1 1 udp 00000000005 10.0.0.1 9 typ host", 18},
      {"candidate:1 1 udp 5x 10.0.0.1 9 typ host", 18},
      {"candidate:1 1 udp 5 10.0.0.256 9 typ host", 20},
      {"candidate:1 1 udp 5 fe80::1%eth0 9 typ host", 20},
      {"candidate:1 1 udp 5 2001:db8:::1 9 typ host", 20},
      {"candidate:1 1 udp 5 a_b.example 9 typ host", 20},
      {"candidate:1 1 udp 5 10.0.0.1 0 typ host", 29},
      {"candidate:1 1 udp 5 10.0.0.1 65536 typ host", 29},
      {"candidate:1 1 udp 5 10.0.0.1 9 type host", 31},
      {"candidate:1 1 udp 5 10.0.0.1 9 typ token", 35},
      {"candidate:1 1 udp 5 10.0.0.1 9 typ host extension", 40},
      {"candidate:1 1 udp 5 10.0.0.1 9 typ srflx raddr 10.0.0.1", 55},
      {"candidate:1 1 udp 5 10.0.0.1 9 typ srflx rport 9", 47},
      {"candidate:1 1 udp 5 10.0.0.1 9 typ srflx raddr 10.0.0.1 rport 65536", 62},
      {"candidate:1 1 udp 5 10.0.0.1 9 typ srflx raddr 1.1.1.1 raddr 1.1.1.1 rport 1", 61},
      {"candidate:1 1 tcp 5 10.0.0.1 9 typ host tcptype loose", 48},
      {"candidate:1 1 udp 5 10.0.0.1 9 typ host ufrag a!b", 46},
      {"candidate:1 1 udp 5 10.0.0.1 9 typ host x\x01y z", 40},
      {"candidate:1 1 udp 5 10.0.0.1 9 typ host xy \x80", 43},
  };
  for (const auto& test : kCases) {
    const auto c = ParseCandidate(test.line);
    ASSERT_FALSE(c) << test.line;
    EXPECT_FALSE(c.error().reason.empty());
    EXPECT_EQ(c.error().offset, test.offset) << test.line << ": " << c.error().reason;
  }
}

TEST(CandidateTest, RejectsTruncationAtEveryByte) {
  // Up to the end of "srflx" every prefix is wrong; after it only the prefixes that end with a whole related address are
  // right, where a shorter port is a port as well.
  const std::size_t type_end = kRfcLine.find("srflx") + 5;
  const std::size_t port_begin = kRfcLine.rfind(' ') + 1;
  for (std::size_t size = 0; size < kRfcLine.size(); ++size) {
    const bool valid = size == type_end || size > port_begin;
    EXPECT_EQ(ParseCandidate(kRfcLine.substr(0, size)).has_value(), valid)
        << kRfcLine.substr(0, size);
  }
}

}  // namespace
}  // namespace rtclab::ice
