// Which peers a relay must not be opened to: RFC 8656 section 21.2.2 lets a server refuse ranges of addresses, section 21.4 and published
// findings say which. CreatePermission and ChannelBind only: the server sends nothing to any of these addresses.
#include <initializer_list>
#include <string>

#include "conformance/cases/safety/safety_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

using SafetyForms = std::initializer_list<std::string_view>;

constexpr uint16_t kSafetyPort = 9;  // discard

void ProbeForms(Test& t, SafetyForms forms) {
  std::vector<std::string> opened;
  std::vector<std::string> left_alone;
  int tried = 0;
  for (const std::string_view form : forms) {
    const IpAddress ip = *IpAddress::Parse(form);
    // One allocation an address: a permission that was given would let the next request pass.
    t.SpendProbe(4);
    Client client = t.Connect();
    if (SafetyRangeInUse(t, client, ip)) {
      left_alone.emplace_back(form);
      continue;
    }
    ++tried;
    client.Allocate(AllocateRequest().RequestedFamily(SafetyFamily(ip)));
    const TransportAddress peer{ip, kSafetyPort};
    if (client.Call(Request(stun::Method::kChannelBind).ChannelNumber(0x4000).PeerAddress(peer))
            .success()) {
      opened.push_back(std::string(form) + " by ChannelBind");
    }
    if (client.Call(Request(stun::Method::kCreatePermission).PeerAddress(peer)).success()) {
      opened.push_back(std::string(form) + " by CreatePermission");
    }
  }
  t.Expect(opened.empty(), "no permission for any of these peers, 403 for instance",
           "given: " + SafetyJoin(opened));
  if (tried == 0)
    t.Skip("the server or our peers live among these addresses: " + SafetyJoin(left_alone));
}

void SecLoopback4(Test& t) { ProbeForms(t, {"127.0.0.1", "127.1.2.3"}); }
void SecZero4(Test& t) { ProbeForms(t, {"0.0.0.0", "0.1.2.3"}); }
void SecLoopback6(Test& t) { ProbeForms(t, {"::1", "::"}); }
void SecMapped(Test& t) {
  ProbeForms(t, {"::ffff:127.0.0.1", "::ffff:0.0.0.0", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
                 "::ffff:224.0.0.1"});
}
void SecEmbedded(Test& t) {
  // NAT64, 6to4, Teredo (the client's address is inverted) and IPv4-compatible.
  ProbeForms(t, {"64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::", "2002:7f00:1::1",
                 "2002:a9fe:a9fe::1", "2001:0:102:304:0:0:5601:5601", "::169.254.169.254"});
}
void SecPrivate4(Test& t) {
  ProbeForms(t, {"10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.0.1", "100.64.0.1"});
}
void SecLinkLocal4(Test& t) { ProbeForms(t, {"169.254.169.254", "169.254.1.1"}); }
void SecLinkLocal6(Test& t) { ProbeForms(t, {"fe80::1", "fd00:ec2::254"}); }
void SecMulticast4(Test& t) {
  ProbeForms(t, {"224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1"});
}
void SecMulticast6(Test& t) { ProbeForms(t, {"ff02::1", "ff05::2"}); }

}  // namespace

void AddSafetyRelay(CaseList& cases) {
  const auto add = [&](std::string_view id, std::string_view title, bool v6,
                       std::string_view source, std::string_view rule, void (*run)(Test&),
                       std::vector<std::string_view> covers = {}) {
    cases.push_back(
        {.id = id,
         .title = title,
         .clauses = {SafetyRule(source, rule)},
         .needs = SafetyNeeds({Feature::kTurn, v6 ? Feature::kIpv6Relay : Feature::kIpv4Relay}),
         .safety = true,
         .covers = std::move(covers),
         .run = run});
  };
  constexpr std::string_view kLists = "RFC 8656 section 21.2.2";
  add("sec.relay.loopback4", "No permission for IPv4 loopback peers", false, kLists,
      "A relay reaches no service of its own host by 127.0.0.0/8.", SecLoopback4);
  add("sec.relay.zero4", "No permission for peers of 0.0.0.0/8", false, "CVE-2020-26262",
      "0.0.0.0 is this host: it is refused like loopback.", SecZero4);
  add("sec.relay.loopback6", "No permission for ::1 and ::", true, "CVE-2020-26262",
      "::1 and :: are this host: they are refused like IPv4 loopback.", SecLoopback6);
  add("sec.relay.mapped", "No permission for IPv4-mapped forms of refused peers", true,
      "CVE-2026-27624", "A refused IPv4 address is refused as ::ffff:a.b.c.d too.", SecMapped);
  add("sec.relay.embedded", "No permission for NAT64, 6to4 and Teredo forms of refused peers", true,
      "RFC 8656 section 21.4",
      "A refused IPv4 address is refused inside NAT64, 6to4, Teredo and IPv4-compatible addresses "
      "too.",
      SecEmbedded);
  add("sec.relay.rfc1918", "No permission for private peers", false, kLists,
      "A relay on the Internet opens no private network (RFC 1918, RFC 6598).", SecPrivate4);
  add("sec.relay.linklocal", "No permission for link-local peers and metadata services", false,
      kLists, "A relay reaches no link-local address, the metadata service above all.",
      SecLinkLocal4);
  add("sec.relay.linklocal6", "No permission for IPv6 link-local peers and metadata services", true,
      kLists, "A relay reaches no link-local address, the metadata service above all.",
      SecLinkLocal6);
  add("sec.relay.multicast", "No permission for multicast, broadcast and reserved peers", false,
      kLists, "A relay multiplies nothing: multicast and broadcast peers are refused.",
      SecMulticast4);
  add("sec.relay.multicast6", "No permission for IPv6 multicast peers", true, kLists,
      "A relay multiplies nothing: multicast peers are refused.", SecMulticast6);
}

}  // namespace rtclab::conformance
