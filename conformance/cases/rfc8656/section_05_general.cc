// RFC 8656 section 5: rules for all TURN messages: authentication, 5-tuples without an allocation, transports, idempotency.
#include <algorithm>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "conformance/cases/rfc8656/steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

void GeneralLongTerm(Test& t) {
  Client client = t.Connect();
  const Response challenge = client.Once(AllocateRequest().Unsigned());
  if (challenge.success())
    t.Info("the server allocates without credentials, as a local network's may");
  t.ExpectError(challenge, 401, "an Allocate request without credentials");
  t.Expect(challenge.Has(stun::AttributeType::kRealm) && challenge.Has(stun::AttributeType::kNonce),
           "REALM and NONCE in the 401", challenge.Describe() + " without one of them");
  t.ExpectSuccess(client.Call(AllocateRequest()), "an Allocate request signed after the challenge");
}

void GeneralAllocate(Test& t) {
  Client client = t.Connect();
  RelayedIn(t, client.Call(AllocateRequest()), "Allocate");
}

void GeneralNonceRandom(Test& t) {
  constexpr int kNonces = 8;
  // Two random nonces of eight hexadecimal digits are alike in all but two once in some hundred thousand.
  constexpr int kLeastDifferences = 3;
  std::vector<std::string> nonces;
  for (int i = 0; i < kNonces; ++i) {
    Client client = t.Connect();
    client.Challenge();
    nonces.push_back(client.nonce());
  }
  for (std::size_t i = 0; i < nonces.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (nonces[i].size() != nonces[j].size()) continue;
      const int differences =
          std::inner_product(nonces[i].begin(), nonces[i].end(), nonces[j].begin(), 0,
                             std::plus<>(), std::not_equal_to<>());
      t.Expect(differences >= kLeastDifferences,
               "nonces on two 5-tuples that have little in common",
               '"' + nonces[j] + "\" and \"" + nonces[i] + '"');
    }
  }
}

void GeneralNonceHourly(Test& t) {
  constexpr TimeDelta kLongest = TimeDelta::Seconds(622);
  constexpr TimeDelta kStep = TimeDelta::Seconds(15);
  const auto declared = t.target().nonce_lifetime_s;
  auto [client, allocation] = ConnectAndAllocate(t);
  const Timestamp start = t.Now();
  while (t.Now() - start < kLongest) {
    t.Sleep(kStep);
    const Response response = client.Once(TurnRefresh(kDefaultLifetime));
    if (response.code() == 438) return;
    if (!response.success()) t.Block("Refresh: " + response.Describe());
  }
  if (!declared || TimeDelta::Seconds(*declared) + kStep > kLongest)
    t.Info("the nonce was good for " + std::to_string(kLongest.millis() / 1'000) + " s");
  t.Fail("438 after the " + std::to_string(*declared) + " s that the nonce is said to live",
         "the nonce is still accepted");
}

// Credentials that are good, but not those of the allocation. `foreign` is sent as the second user.
void ExpectWrongCredentials(Test& t, Client& client, const TransportAddress& peer, Request foreign,
                            const Request& own) {
  {  // The second user has to be one that the server knows.
    Client other = t.ConnectAs(*t.target().second_user);
    other.Allocate();
  }
  t.Note("the second user's request on the first user's 5-tuple");
  t.ExpectError(client.Call(foreign.Sign({.credentials = *t.target().second_user})), 441);
  t.Note("the allocation is as it was");
  client.CreatePermission(peer);
  t.ExpectSuccess(client.Call(own));
}

void GeneralForeignRefresh(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  ExpectWrongCredentials(t, client, peer.address(), TurnRefresh(0), TurnRefresh());
}

void GeneralForeignPermission(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  ExpectWrongCredentials(t, client, peer.address(), TurnPermission(peer.address()), TurnRefresh());
}

void GeneralForeignChannel(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  ExpectWrongCredentials(t, client, peer.address(), TurnChannelBind(kFirstChannel, peer.address()),
                         TurnRefresh());
}

void GeneralNoAllocationRefresh(Test& t) {
  Client client = t.Connect();
  t.ExpectError(client.Call(TurnRefresh(kDefaultLifetime)), 437);
}

void GeneralNoAllocationPermission(Test& t) {
  Peer peer = t.OpenPeer();
  Client client = t.Connect();
  t.ExpectError(client.Call(TurnPermission(peer.address())), 437);
}

void GeneralNoAllocationChannel(Test& t) {
  Peer peer = t.OpenPeer();
  Client client = t.Connect();
  t.ExpectError(client.Call(TurnChannelBind(kFirstChannel, peer.address())), 437);
}

void GeneralNoAllocationSend(Test& t) {
  Peer peer = t.OpenPeer();
  Client client = t.Connect();
  client.Send(TurnSend(peer.address(), t.Payload(16)));
  t.ExpectSilence(client, "a Send indication on a 5-tuple without an allocation");
  t.ExpectNothingAtPeer(peer, "data of a Send indication without an allocation");
}

void GeneralNoAllocationChannelData(Test& t) {
  Client client = t.Connect();
  client.SendRaw(PaddedChannelData(kFirstChannel, t.Payload(16)));
  t.ExpectSilence(client, "a ChannelData message on a 5-tuple without an allocation");
}

// SOFTWARE in every response to Allocate and Refresh, good or bad.
void GeneralSoftware(Test& t) {
  const auto check = [&t](const Response& response, std::string_view what) {
    if (!response) t.Block(std::string(what) + ": no answer");
    t.Expect(response.Has(stun::AttributeType::kSoftware),
             "SOFTWARE in the response to " + std::string(what),
             response.Describe() + " without it");
  };
  Client client = t.Connect();
  check(client.Once(AllocateRequest().Unsigned()), "an unsigned Allocate");
  check(client.Call(TurnRefresh()), "Refresh without an allocation");
  check(client.Call(AllocateRequest()), "Allocate");
  check(client.Call(AllocateRequest()), "Allocate on a 5-tuple in use");
  check(client.Call(TurnRefresh()), "Refresh");
}

void GeneralNoClassic(Test& t) {
  // Allocate, 8 bytes of attributes, 16 bytes of transaction id without the magic cookie, REQUESTED-TRANSPORT UDP.
  Bytes classic = *FromHex("00030008 5ec1a551c0ffee00 0102030405060708 00190004 11000000");
  const Bytes random = t.Payload(8);
  std::ranges::copy(random, classic.begin() + 12);
  Client client = t.Connect();
  if (client.transport() == Transport::kDtls) {
    t.Skip(
        "over DTLS a request without the magic cookie is answered with 500 (RFC 8489 section 11)");
  }
  client.SendRaw(classic);
  t.ExpectSilence(client, "an Allocate request without the magic cookie", true);
}

void GeneralFingerprint(Test& t) {
  Peer peer = t.OpenPeer();
  Client client = t.Connect();
  LearnChallenge(client);
  const Allocation allocation = client.Allocate(AllocateRequest().Sign({.fingerprint = true}));
  t.ExpectSuccess(client.Call(TurnRefresh().Sign({.fingerprint = true})), "Refresh");
  t.ExpectSuccess(client.Call(TurnPermission(peer.address()).Sign({.fingerprint = true})),
                  "CreatePermission");
  const Bytes data = t.Payload(20);
  client.Send(
      TurnSend(peer.address(), data).Sign({.kind = Signing::Kind::kNone, .fingerprint = true}));
  t.ExpectAtPeer(peer, data, "data of a Send indication with FINGERPRINT");
}

void GeneralResponseSource(Test& t) {
  Client client = t.Connect();
  const auto check = [&](const Response& response, std::string_view what) {
    if (!response) t.Block(std::string(what) + ": no answer");
    t.Expect(response.from() == client.server(),
             "the response to " + std::string(what) + " from " + client.server().ToString(),
             "from " + response.from().ToString());
  };
  check(client.Once(AllocateRequest().Unsigned()), "an unsigned Allocate");
  check(client.Call(AllocateRequest()), "Allocate");
  check(client.Call(TurnPermission()), "CreatePermission without a peer");
  check(client.Call(TurnRefresh()), "Refresh");
}

void GeneralIdempotent(Test& t) {
  Peer peer = t.OpenPeer();
  auto connected = ConnectAndAllocate(t);
  Client& client = connected.client;
  const auto twice = [&](Request request, std::string_view what) {
    const auto id = stun::NewTransactionId(t.rng());
    const Bytes bytes = client.Encode(request.TransactionId(id));
    const Response first = client.OnceRaw(bytes, id);
    if (first.code() != 0) t.Block(std::string(what) + ": " + first.Describe());
    t.ExpectSuccess(client.OnceRaw(bytes, id), std::string(what) + " once more");
  };
  twice(TurnPermission(peer.address()), "CreatePermission");
  twice(TurnChannelBind(kFirstChannel, peer.address()), "ChannelBind");
  twice(TurnRefresh(kDefaultLifetime), "Refresh");
}

// Neither Allocate nor Data is defined that way round: an indication gets no response, and makes nothing.
void GeneralWrongClass(Test& t) {
  Client client = t.Connect();
  client.Send(Request(stun::Method::kAllocate, stun::MessageClass::kIndication)
                  .RequestedTransport()
                  .Unsigned());
  t.ExpectSilence(client, "an Allocate indication", true);
  if (!client.open()) return;
  const Allocation allocation = client.Allocate();
  client.Send(Request(stun::Method::kData, stun::MessageClass::kIndication)
                  .PeerAddress(allocation.relayed)
                  .Data(t.Payload(8))
                  .Unsigned());
  t.ExpectSilence(client, "a Data indication from a client", true);
}

void ExpectTranslation(Test& t, const Request& request, AddressFamily family) {
  Peer peer = t.OpenPeer({.family = family});
  auto [client, allocation] = ConnectAndAllocate(t, request);
  t.Expect(allocation.relayed.family() == family, "a relayed address of the family asked for",
           allocation.relayed.ToString());
  client.CreatePermission(peer.address());
  ExpectBothWays(t, client, allocation, peer);
}

void GeneralRelayToV6(Test& t) {
  ExpectTranslation(t, AllocateRequest().RequestedFamily(kFamilyIpv6), AddressFamily::kIpv6);
}

void GeneralRelayToV4(Test& t) { ExpectTranslation(t, AllocateRequest(), AddressFamily::kIpv4); }

constexpr std::string_view kWrongCredentialsClause =
    "then the request MUST be rejected with a 441 (Wrong Credentials) error.";
constexpr std::string_view kNoAllocationClause =
    "then the message MUST either be rejected with a 437 Allocation Mismatch error (if it is a "
    "request)";
constexpr std::string_view kSilentClause =
    "MUST either be rejected with a 437 Allocation Mismatch error (if it is a request) or be "
    "silently ignored (if it is an indication";
constexpr std::string_view kTransportsClause =
    "it SHOULD support the use of TCP, TLS-over-TCP, and DTLS-over-UDP transports.";
constexpr std::string_view kFamiliesClause =
    "IPv6 support in TURN includes IPv4-to-IPv6, IPv6-to-IPv6, and IPv6-to-IPv4 relaying.";

void AddForeignAndMissing(CaseList& cases) {
  const Clause wrong = {"8656", "5", Level::kMust, kWrongCredentialsClause};
  cases.push_back({.id = "turn.gen.441-refresh",
                   .title = "Refresh with another user's credentials is answered with 441",
                   .clauses = {wrong},
                   .needs = TurnNeedsUser(true, PeerNeed::kAny),
                   .run = GeneralForeignRefresh});
  cases.push_back({.id = "turn.gen.441-createpermission",
                   .title = "CreatePermission with another user's credentials is answered with 441",
                   .clauses = {wrong},
                   .needs = TurnNeedsUser(true, PeerNeed::kAny),
                   .run = GeneralForeignPermission});
  cases.push_back({.id = "turn.gen.441-channelbind",
                   .title = "ChannelBind with another user's credentials is answered with 441",
                   .clauses = {wrong},
                   .needs = TurnNeedsUser(true, PeerNeed::kAny),
                   .run = GeneralForeignChannel});
  const Clause missing = {"8656", "5", Level::kMust, kNoAllocationClause};
  cases.push_back({.id = "turn.gen.437-refresh",
                   .title = "Refresh on a 5-tuple without an allocation is answered with 437",
                   .clauses = {missing},
                   .needs = TurnNeeds(),
                   .run = GeneralNoAllocationRefresh});
  cases.push_back(
      {.id = "turn.gen.437-createpermission",
       .title = "CreatePermission on a 5-tuple without an allocation is answered with 437",
       .clauses = {missing},
       .needs = TurnNeeds(PeerNeed::kAny),
       .run = GeneralNoAllocationPermission});
  cases.push_back({.id = "turn.gen.437-channelbind",
                   .title = "ChannelBind on a 5-tuple without an allocation is answered with 437",
                   .clauses = {missing},
                   .needs = TurnNeeds(PeerNeed::kAny),
                   .run = GeneralNoAllocationChannel});
  const Clause silent = {"8656", "5", Level::kMust, kSilentClause};
  cases.push_back({.id = "turn.gen.noalloc-send",
                   .title = "A Send indication on a 5-tuple without an allocation is ignored",
                   .clauses = {silent},
                   .needs = TurnNeeds(PeerNeed::kAny),
                   .run = GeneralNoAllocationSend});
  cases.push_back({.id = "turn.gen.noalloc-channeldata",
                   .title = "ChannelData on a 5-tuple without an allocation is ignored",
                   .clauses = {silent},
                   .needs = TurnNeeds(),
                   .run = GeneralNoAllocationChannelData});
}

void AddTransports(CaseList& cases) {
  cases.push_back({.id = "turn.gen.udp",
                   .title = "Clients are served over UDP",
                   .clauses = {{"8656", "5", Level::kMust,
                                "a TURN server MUST support the use of UDP transport between the "
                                "client and the server"}},
                   .needs = TurnNeedsOver(Transport::kUdp),
                   .run = GeneralAllocate});
  const Clause others = {"8656", "5", Level::kShould, kTransportsClause};
  cases.push_back({.id = "turn.gen.tcp",
                   .title = "Clients are served over TCP",
                   .clauses = {others},
                   .needs = TurnNeedsOver(Transport::kTcp),
                   .covers = {"turn.gen.tcp-tls-dtls"},
                   .run = GeneralAllocate});
  cases.push_back({.id = "turn.gen.tls",
                   .title = "Clients are served over TLS",
                   .clauses = {others},
                   .needs = TurnNeedsOver(Transport::kTls),
                   .covers = {"turn.gen.tcp-tls-dtls"},
                   .run = GeneralAllocate});
  cases.push_back({.id = "turn.gen.dtls",
                   .title = "Clients are served over DTLS",
                   .clauses = {others},
                   .needs = TurnNeedsOver(Transport::kDtls),
                   .edition = Edition::kCurrent,
                   .covers = {"turn.gen.tcp-tls-dtls"},
                   .run = GeneralAllocate});
  const Clause families = {"8656", "5", Level::kProse, kFamiliesClause};
  const auto over = [](AddressFamily family, bool v6_relay) {
    Needs needs = TurnNeeds(PeerNeed::kAny);
    if (v6_relay) needs.features.back() = Feature::kIpv6Relay;
    needs.family = family;
    return needs;
  };
  cases.push_back({.id = "turn.gen.relay-v4-v6",
                   .title = "Data is relayed from a client on IPv4 to a peer on IPv6 and back",
                   .clauses = {families},
                   .needs = over(AddressFamily::kIpv4, true),
                   .edition = Edition::kCurrent,
                   .run = GeneralRelayToV6});
  cases.push_back({.id = "turn.gen.relay-v6-v6",
                   .title = "Data is relayed from a client on IPv6 to a peer on IPv6 and back",
                   .clauses = {families},
                   .needs = over(AddressFamily::kIpv6, true),
                   .edition = Edition::kCurrent,
                   .run = GeneralRelayToV6});
  cases.push_back({.id = "turn.gen.relay-v6-v4",
                   .title = "Data is relayed from a client on IPv6 to a peer on IPv4 and back",
                   .clauses = {families},
                   .needs = over(AddressFamily::kIpv6, false),
                   .edition = Edition::kCurrent,
                   .run = GeneralRelayToV4});
}

void AddMessages(CaseList& cases) {
  cases.push_back({.id = "turn.gen.software",
                   .title = "Responses to Allocate and Refresh carry SOFTWARE",
                   .clauses = {{"8656", "5", Level::kShould,
                                "The server SHOULD include the SOFTWARE attribute in all Allocate "
                                "and Refresh responses (either success or failure)"}},
                   .needs = TurnNeeds(),
                   .run = GeneralSoftware});
  cases.push_back({.id = "turn.gen.no-3489",
                   .title = "An Allocate request without the magic cookie is not answered",
                   .clauses = {{"8656", "5", Level::kProse,
                                "TURN does not use the backwards-compatibility mechanism described "
                                "in [RFC8489]."}},
                   .needs = TurnNeeds(),
                   .run = GeneralNoClassic});
  cases.push_back({.id = "turn.gen.fingerprint",
                   .title = "TURN messages with FINGERPRINT are processed like those without",
                   .clauses = {{"8656", "5", Level::kProse,
                                "MAY include the FINGERPRINT attribute in any STUN-formatted "
                                "messages defined in this document."}},
                   .needs = TurnNeeds(PeerNeed::kAny),
                   .run = GeneralFingerprint});
  cases.push_back({.id = "turn.gen.response-source",
                   .title = "Responses come from the address that the request was sent to",
                   .clauses = {{"8656", "7.2", Level::kProse,
                                "The response (either success or error) is sent back to the client "
                                "on the 5-tuple."}},
                   .needs = TurnNeedsOver(Transport::kUdp),
                   .run = GeneralResponseSource});
  cases.push_back(
      {.id = "turn.gen.idempotent",
       .title = "A retransmitted CreatePermission, ChannelBind or Refresh succeeds again",
       .clauses = {{"8656", "5", Level::kProse,
                    "STUN requires that the server recognize this case and treat the "
                    "request as idempotent"}},
       .needs = TurnNeedsOver(Transport::kUdp, PeerNeed::kAny),
       .run = GeneralIdempotent});
  cases.push_back(
      {.id = "turn.gen.wrong-class",
       .title = "Allocate and Data indications of a client are not answered",
       .clauses = {{"8656", "17", Level::kProse,
                    "Allocate (only request/response semantics defined)"},
                   {"8656", "17", Level::kProse, "Data (only indication semantics defined)"}},
       .needs = TurnNeeds(),
       .run = GeneralWrongClass});
}

}  // namespace

void AddRfc8656Section05(CaseList& cases) {
  cases.push_back({.id = "turn.gen.long-term",
                   .title = "The long-term credential mechanism opens the way to an allocation",
                   .clauses = {{"8656", "5", Level::kMust,
                                "TURN servers and clients MUST implement this mechanism, and the "
                                "authentication options are discussed in Section 7.2."}},
                   .needs = TurnNeedsUser(),
                   .run = GeneralLongTerm});
  cases.push_back({.id = "turn.gen.nonce-random",
                   .title = "Nonces for first Allocate requests are fresh and random",
                   .clauses = {{"8656", "5", Level::kShould,
                                "the server SHOULD generate a new random nonce when the allocation "
                                "is first attempted"}},
                   .needs = TurnNeedsUser(),
                   .run = GeneralNonceRandom});
  cases.push_back({.id = "turn.gen.nonce-hourly",
                   .title = "A nonce expires while the allocation lives",
                   .clauses = {{"8656", "5", Level::kShould,
                                "SHOULD expire the nonce at least once every hour during the "
                                "lifetime of the allocation."}},
                   .needs = TurnNeedsUser(),
                   .slow = true,
                   .run = GeneralNonceHourly});
  AddForeignAndMissing(cases);
  AddTransports(cases);
  AddMessages(cases);
}

}  // namespace rtclab::conformance
