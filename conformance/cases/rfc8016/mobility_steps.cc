#include "conformance/cases/rfc8016/mobility_steps.h"

#include <string>
#include <utility>

namespace rtclab::conformance {

Needs MobilityNeeds(PeerNeed peer, bool two_users) {
  Needs needs;
  needs.features = {Feature::kTurn, Feature::kMobility};
  needs.peer = peer;
  needs.credentials = needs.second_user = two_users;
  return needs;
}

Request MobilityAllocate() { return AllocateRequest().MobilityTicket({}); }

Request MobilityRefresh(ByteView ticket) {
  return Request(stun::Method::kRefresh).MobilityTicket(ticket);
}

MobileClient MobilityOpen(Test& t) {
  Client client = t.Connect();
  Allocation allocation = client.Allocate(MobilityAllocate());
  if (!allocation.ticket || allocation.ticket->empty())
    t.Block("the Allocate success response has no ticket");
  Bytes ticket = *allocation.ticket;
  return {std::move(client), std::move(allocation), std::move(ticket)};
}

Client MobilityNewPath(Test& t, std::optional<Credentials> credentials) {
  t.Note("the client at a new 5-tuple");
  ConnectOptions options;
  options.credentials = std::move(credentials);
  Client client = t.Connect(options);
  if (t.target().user) client.Challenge();
  return client;
}

Moved MobilityMove(Test& t, ByteView ticket) {
  Client client = MobilityNewPath(t);
  const Response response = client.Call(MobilityRefresh(ticket));
  if (!response.success()) t.Block("Refresh with a ticket: " + response.Describe());
  const auto next = response.view().Find(stun::AttributeType::kMobilityTicket);
  Bytes bytes;
  if (next) bytes.assign(next->begin(), next->end());
  return {std::move(client), std::move(bytes)};
}

}  // namespace rtclab::conformance
