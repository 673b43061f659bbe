// Faults of RFC 6062, RFC 8016, RFC 7635 and RFC 5780.
#include "conformance/mutation/fault.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;
using stun::Method;
using turn::ServerQuirks;

void AddExtensionQuirks(std::vector<Fault>& faults) {
  const auto add = [&](std::string_view id, std::string_view what, std::string_view rfc,
                       std::string_view section, std::vector<std::string_view> killers,
                       bool ServerQuirks::*quirk) {
    faults.push_back({.id = id,
                      .what = what,
                      .rfc = rfc,
                      .section = section,
                      .killers = std::move(killers),
                      .quirk = quirk});
  };
  constexpr std::string_view kTcp = "6062";
  add("tcp-over-udp-accepted", "makes TCP allocations for clients over UDP", kTcp, "5.1",
      {"tcp.alloc.over-udp"}, &ServerQuirks::tcp_over_udp_accepted);
  add("tcp-attributes-accepted", "takes EVEN-PORT and DONT-FRAGMENT for a TCP allocation", kTcp,
      "5.1", {"tcp.alloc.even", "tcp.alloc.df"}, &ServerQuirks::tcp_attributes_accepted);
  add("connect-timeout-short", "gives a Connect up after 5 s", kTcp, "5.2", {"tcp.connect.timeout"},
      &ServerQuirks::connect_timeout_short);
  add("second-connect-accepted", "connects to one peer twice", kTcp, "5.2", {"tcp.connect.exists"},
      &ServerQuirks::second_connect_accepted);
  add("accept-without-permission", "tells of connections of peers without a permission", kTcp,
      "5.3", {"tcp.accept.no-permission"}, &ServerQuirks::accept_without_permission);
  add("connection-bind-user-unchecked", "binds a connection for another user", kTcp, "4.3",
      {"tcp.bind.credentials"}, &ServerQuirks::connection_bind_user_unchecked);
  add("early-peer-data-lost", "loses what a peer sends before ConnectionBind", kTcp, "5.3",
      {"tcp.accept.buffer"}, &ServerQuirks::early_peer_data_lost);
  add("unbound-connection-kept", "keeps connections that nobody binds", kTcp, "5.2",
      {"tcp.bind.30s"}, &ServerQuirks::unbound_connection_kept);
  add("peer-close-ignored", "keeps a data connection whose peer has closed", kTcp, "5.5",
      {"tcp.close.peer"}, &ServerQuirks::peer_close_ignored);
  add("client-close-ignored", "keeps a peer's connection whose client has closed", kTcp, "5.5",
      {"tcp.close.client"}, &ServerQuirks::client_close_ignored);
  constexpr std::string_view kMobility = "8016";
  add("ticket-in-allocate-accepted", "takes a MOBILITY-TICKET that is not empty in Allocate",
      kMobility, "3.1.2", {"mob.alloc.nonempty"}, &ServerQuirks::ticket_in_allocate_accepted);
  add("ticket-reusable", "moves an allocation by a ticket that was replaced", kMobility, "3.2.2",
      {"mob.refresh.old-ticket"}, &ServerQuirks::ticket_reusable);
  add("ticket-constant", "gives the same ticket again", kMobility, "3.2.2", {"mob.refresh.rotate"},
      &ServerQuirks::ticket_constant);
  add("ticket-user-unchecked", "moves another user's allocation", kMobility, "3.2.2",
      {"mob.refresh.other-user"}, &ServerQuirks::ticket_user_unchecked);
  add("path-switched-at-once", "sends data over the new path before the client has used it",
      kMobility, "3.2.2", {"mob.refresh.old-path"}, &ServerQuirks::path_switched_at_once);
  add("move-drops-state", "forgets permissions and channels of an allocation that moves", kMobility,
      "3", {"mob.refresh.state-kept"}, &ServerQuirks::move_drops_state);
  constexpr std::string_view kOauth = "7635";
  add("token-expiry-unchecked", "takes access tokens that have expired", kOauth, "7",
      {"oauth.token-expired"}, &ServerQuirks::token_expiry_unchecked);
  add("token-lifetime-uncapped", "allocates for longer than the access token is good", kOauth, "9",
      {"oauth.lifetime-cap"}, &ServerQuirks::token_lifetime_uncapped);
}

void AddTcpFaults(std::vector<Fault>& faults) {
  faults.push_back({.id = "connection-id-missing",
                    .what = "answers Connect without CONNECTION-ID",
                    .rfc = "6062",
                    .section = "5.2",
                    .killers = {"tcp.connect.id"},
                    .response = [](Passing& p) {
                      if (p.message.IsSuccess(Method::kConnect))
                        p.message.Remove(AttributeType::kConnectionId);
                      return true;
                    }});
  faults.push_back({.id = "connection-attempt-peer-missing",
                    .what = "tells of a connection without the peer's address",
                    .rfc = "6062",
                    .section = "5.3",
                    .killers = {"tcp.accept.attempt"},
                    .response = [](Passing& p) {
                      if (p.message.method == Method::kConnectionAttempt)
                        p.message.Remove(AttributeType::kXorPeerAddress);
                      return true;
                    }});
  faults.push_back({.id = "tcp-token-out",
                    .what = "sends a RESERVATION-TOKEN with a TCP allocation",
                    .rfc = "6062",
                    .section = "5.1",
                    .killers = {"tcp.alloc.no-token-out"},
                    .response = [](Passing& p) {
                      if (!p.message.IsSuccess(Method::kAllocate) || p.request == nullptr)
                        return true;
                      const auto* transport = p.request->Find(AttributeType::kRequestedTransport);
                      if (transport != nullptr && transport->value[0] == 6)
                        p.message.Set(AttributeType::kReservationToken, Bytes(8, 7));
                      return true;
                    }});
}

void AddMoreFaults(std::vector<Fault>& faults) {
  faults.push_back({.id = "ticket-missing",
                    .what = "grants a mobile allocation without a ticket",
                    .rfc = "8016",
                    .section = "3.1.2",
                    .killers = {"mob.alloc.request"},
                    .response = [](Passing& p) {
                      if (p.message.IsSuccess(Method::kAllocate))
                        p.message.Remove(AttributeType::kMobilityTicket);
                      return true;
                    }});
  faults.push_back({.id = "third-party-authorization-missing",
                    .what = "does not name itself in THIRD-PARTY-AUTHORIZATION",
                    .rfc = "7635",
                    .section = "4",
                    .killers = {"oauth.challenge"},
                    .response = [](Passing& p) {
                      p.message.Remove(AttributeType::kThirdPartyAuthorization);
                      return true;
                    }});
}

void AddDiscoveryFaults(std::vector<Fault>& faults) {
  const auto add = [&](std::string_view id, std::string_view what, std::string_view section,
                       std::vector<std::string_view> killers, bool (*change)(Passing&)) {
    faults.push_back({.id = id,
                      .what = what,
                      .rfc = "5780",
                      .section = section,
                      .killers = std::move(killers),
                      .response = change});
  };
  add("response-origin-wrong", "says the other address in RESPONSE-ORIGIN", "6.1",
      {"nat.response-origin"}, [](Passing& p) {
        const auto* other = p.message.Find(AttributeType::kOtherAddress);
        if (other != nullptr) p.message.Set(AttributeType::kResponseOrigin, Bytes(other->value));
        return true;
      });
  add("other-address-same", "says its own address in OTHER-ADDRESS", "7.4",
      {"nat.other-address-absent"}, [](Passing& p) {
        const auto* origin = p.message.Find(AttributeType::kResponseOrigin);
        if (origin != nullptr) p.message.Set(AttributeType::kOtherAddress, Bytes(origin->value));
        return true;
      });
  add("other-address-missing", "sends no OTHER-ADDRESS", "6.1", {"nat.other-address"},
      [](Passing& p) {
        p.message.Remove(AttributeType::kOtherAddress);
        return true;
      });
  add("plain-mapped-address-missing", "sends no MAPPED-ADDRESS", "6.1", {"nat.both-addresses"},
      [](Passing& p) {
        p.message.Remove(AttributeType::kMappedAddress);
        return true;
      });
  add("change-request-ignored", "answers CHANGE-REQUEST from where it was asked", "6.1",
      {"nat.change-port", "nat.change-ip", "nat.change-both"}, [](Passing& p) {
        if (p.source != nullptr && p.request != nullptr &&
            p.request->Has(AttributeType::kChangeRequest)) {
          *p.source = p.tuple.server;
        }
        return true;
      });
  faults.back().response = nullptr;
  faults.back().request = [](Passing& p) {
    if (auto* change = p.message.Find(AttributeType::kChangeRequest)) change->value.assign(4, 0);
    return true;
  };
  add("padding-unanswered", "answers PADDING without PADDING", "6.1", {"nat.padding"},
      [](Passing& p) {
        p.message.Remove(AttributeType::kPadding);
        return true;
      });
}

}  // namespace

void AddExtensionFaults(std::vector<Fault>& faults) {
  AddExtensionQuirks(faults);
  AddTcpFaults(faults);
  AddMoreFaults(faults);
  AddDiscoveryFaults(faults);
}

}  // namespace rtclab::conformance
