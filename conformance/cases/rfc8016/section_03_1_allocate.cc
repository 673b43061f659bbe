// RFC 8016 section 3.1.2: receiving an Allocate request with MOBILITY-TICKET; sections 3.3 and 5: the ticket.
#include <algorithm>
#include <string>
#include <vector>

#include "conformance/cases/rfc8016/mobility_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

void MobAllocTicket(Test& t) {
  Client client = t.Connect();
  const Allocation allocation = client.Allocate(MobilityAllocate());
  t.Expect(allocation.ticket && !allocation.ticket->empty(),
           "MOBILITY-TICKET that is not empty in the success response",
           allocation.ticket ? "an empty one" : "none");
}

void MobAllocNonEmpty(Test& t) {
  Client client = t.Connect();
  Bytes bytes(8);
  t.rng().Fill(bytes);
  t.ExpectError(client.Call(AllocateRequest().MobilityTicket(bytes)), 400);
}

void MobAllocForbidden(Test& t) {
  Client client = t.Connect();
  const Response response = client.Call(MobilityAllocate());
  if (response.code() == stun::kErrorMobilityForbidden) return;
  t.ExpectSuccess(response, "405, or a server that ignores the attribute");
  if (response.Has(stun::AttributeType::kMobilityTicket)) t.Skip("mobility is allowed here");
}

void MobTicketSize(Test& t) {
  // RFC 5389 section 7.1: IPv4 without knowledge of the path; IPv6 has 1280 bytes with 40 + 8 of headers.
  const std::size_t limit = t.Connect().server().family() == AddressFamily::kIpv6 ? 1'232 : 548;
  const MobileClient mobile = MobilityOpen(t);
  const std::size_t size = mobile.allocation.response.bytes().size();
  t.Expect(size <= limit,
           "an Allocate response with ticket of at most " + std::to_string(limit) + " bytes",
           std::to_string(size) + " bytes, " + std::to_string(mobile.ticket.size()) +
               " of them the ticket");
}

void MobTicketOpaque(Test& t) {
  constexpr int kTickets = 8;
  constexpr std::size_t kLeastSize = 8;
  // Two random tickets of eight bytes, even as base64 text, are alike in more than three places once in some hundred thousand.
  constexpr std::size_t kLeastDifferences = 5;
  std::vector<MobileClient> mobiles;
  for (int i = 0; i < kTickets; ++i) {
    mobiles.push_back(MobilityOpen(t));
    const Bytes& ticket = mobiles.back().ticket;
    t.Expect(ticket.size() >= kLeastSize, "a ticket of 64 bits or more",
             ToHex(ticket) + " of " + std::to_string(ticket.size()) + " bytes");
    for (int j = 0; j < i; ++j) {
      const Bytes& other = mobiles[static_cast<std::size_t>(j)].ticket;
      if (other.size() != ticket.size()) continue;
      std::size_t differences = 0;
      for (std::size_t k = 0; k < ticket.size(); ++k) differences += ticket[k] != other[k];
      t.Expect(differences >= kLeastDifferences, "tickets that tell nothing of each other",
               ToHex(other) + " and " + ToHex(ticket));
    }
  }
}

}  // namespace

void AddRfc8016Section03_1(CaseList& cases) {
  constexpr std::string_view kRfc = "8016";
  cases.push_back({.id = "mob.alloc.request",
                   .title = "An empty MOBILITY-TICKET in Allocate brings a ticket",
                   .clauses = {{kRfc, "3.1.2", Level::kProse,
                                "the server replies with a success response that includes a STUN "
                                "MOBILITY-TICKET attribute."}},
                   .needs = MobilityNeeds(),
                   .run = MobAllocTicket});
  cases.push_back({.id = "mob.alloc.nonempty",
                   .title = "A MOBILITY-TICKET that is not empty in Allocate gives 400",
                   .clauses = {{kRfc, "3.1.2", Level::kProse,
                                "non-zero length, then the server will generate an error response "
                                "with an error code of 400 (Bad Request)."}},
                   .needs = MobilityNeeds(),
                   .run = MobAllocNonEmpty});
  Needs turn;
  turn.features = {Feature::kTurn};
  cases.push_back({.id = "mob.alloc.forbidden",
                   .title = "A server without mobility says 405 or ignores the attribute",
                   .clauses = {{kRfc, "3.1.2", Level::kProse,
                                "the server will reject the request with the new error code 405 "
                                "(Mobility Forbidden)."},
                               {kRfc, "3.1.2", Level::kProse,
                                "if the server does not understand the MOBILITY-TICKET attribute, "
                                "it ignores the attribute."}},
                   .needs = turn,
                   .run = MobAllocForbidden});
  cases.push_back({.id = "mob.ticket.size",
                   .title = "The ticket fits into a datagram that no path fragments",
                   .clauses = {{kRfc, "3.1.2", Level::kProse,
                                "use a ticket length in accordance with the published guidance on "
                                "STUN UDP fragmentation (Section 7.1 of [RFC5389])."}},
                   .needs = MobilityNeeds(),
                   .run = MobTicketSize});
  cases.push_back({.id = "mob.ticket.opaque",
                   .title = "Tickets are long, and tell nothing of each other",
                   .clauses = {{kRfc, "5", Level::kMust,
                                "The ticket MUST be constructed such that it has strong entropy to "
                                "ensure that nothing can be gleaned by looking at the ticket "
                                "alone."}},
                   .needs = MobilityNeeds(),
                   .run = MobTicketOpaque});
}

}  // namespace rtclab::conformance
