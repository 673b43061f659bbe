// What nobody's RFC asks in so many words and every operator wants: the safety policies, each with its source in its case.
#include <array>

#include "conformance/cases/requirements.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

constexpr auto kRequirementsSafety = std::to_array<Requirement>({
    {"sec.auth.anonymous", "policy", "", "No allocation without credentials"},
    {"sec.auth.default-credentials", "policy", "", "No allocation with the credentials of manuals"},
    {"sec.auth.no-password", "policy", "", "No allocation with an empty password"},
    {"sec.auth.expired-rest", "policy", "", "A time-limited name that has expired gives 401"},
    {"sec.auth.forged-rest", "policy", "", "A time-limited name whose time was changed gives 401"},
    {"sec.amp.binding", "policy", "",
     "A Binding request brings one packet that is not much larger"},
    {"sec.amp.challenge", "policy", "",
     "Requests without credentials bring one packet that is not much larger"},
    {"sec.amp.response-port", "policy", "", "Whether anybody may send the answer to another port"},
    {"sec.amp.loop", "policy", "", "Responses and indications are answered with nothing"},
    {"sec.quota.half-open", "policy", "",
     "Many sources without credentials do not keep others out"},
    {"sec.tcp.half-open", "policy", "",
     "Many connections that send nothing whole do not keep others out"},
    {"sec.dtls.cookie", "policy", "", "A DTLS client without cookie gets HelloVerifyRequest"},
    {"sec.dtls.half-open", "policy", "",
     "Many DTLS handshakes that are not finished do not keep others out"},
    {"sec.leak.padding", "policy", "", "The padding of responses holds no memory of others"},
    {"sec.leak.data", "policy", "", "The padding of Data indications holds no memory of others"},
    {"sec.leak.error-echo", "policy", "", "UNKNOWN-ATTRIBUTES holds only what the request had"},
    {"sec.malformed.stun", "policy", "", "The server survives malformed STUN messages"},
    {"sec.malformed.channeldata", "policy", "", "The server survives malformed ChannelData"},
    {"sec.malformed.channeldata-tcp", "policy", "",
     "The server survives malformed ChannelData over TCP"},
    {"sec.malformed.stream", "policy", "", "The server survives streams that break off"},
    {"sec.malformed.http", "policy", "", "The server survives HTTP on its STUN port"},
    {"sec.malformed.http-tls", "policy", "", "The server survives HTTP inside TLS"},
    {"sec.malformed.unaligned", "policy", "", "The server survives attributes at odd places"},
    {"sec.relay.loopback4", "policy", "", "No permission for IPv4 loopback peers"},
    {"sec.relay.zero4", "policy", "", "No permission for peers of 0.0.0.0/8"},
    {"sec.relay.loopback6", "policy", "", "No permission for ::1 and ::"},
    {"sec.relay.mapped", "policy", "", "No permission for IPv4-mapped forms of refused peers"},
    {"sec.relay.embedded", "policy", "",
     "No permission for NAT64, 6to4 and Teredo forms of refused peers"},
    {"sec.relay.rfc1918", "policy", "", "No permission for private peers"},
    {"sec.relay.linklocal", "policy", "",
     "No permission for link-local peers and metadata services"},
    {"sec.relay.linklocal6", "policy", "",
     "No permission for IPv6 link-local peers and metadata services"},
    {"sec.relay.multicast", "policy", "",
     "No permission for multicast, broadcast and reserved peers"},
    {"sec.relay.multicast6", "policy", "", "No permission for IPv6 multicast peers"},
    {"sec.relay.send", "policy", "", "Nothing is relayed to the destinations that the user named"},
    {"sec.relay.tcp-connect", "policy", "",
     "Connect to the destinations that the user named gives 403"},
    {"sec.relay.send-bypass", "policy", "",
     "What policy refuses is also refused to Send and ChannelData"},
    {"sec.relay.self", "policy", "", "Whether the server relays to its own listening address"},
    {"sec.nonce.entropy", "policy", "", "Nonces cannot be told from those of other 5-tuples"},
    {"sec.nonce.cross-source", "policy", "",
     "A captured request makes no allocation from another 5-tuple"},
    {"sec.request.replay", "policy", "",
     "A captured request makes no state after the allocation is deleted"},
    {"sec.tls.versions", "policy", "", "No TLS before 1.2"},
    {"sec.tls.suites", "policy", "", "No weak cipher suites"},
    {"sec.tls.compression", "policy", "", "No TLS compression"},
    {"sec.dtls.versions", "policy", "", "No DTLS before 1.2"},
    {"sec.tls.config", "policy", "", "TLS versions, suites and compression"},
    {"sec.quota.exhaust", "policy", "", "The quota of allocations holds, and is each user's own",
     "turn.gen.quota and turn.alloc.486-by-user show it."},
    {"sec.auth.hijack", "policy", "", "Another user cannot take over an allocation",
     "turn.gen.441-refresh, turn.gen.441-createpermission, turn.gen.441-channelbind, "
     "tcp.bind.credentials and mob.refresh.other-user show it."},
    {"sec.amp.tunnel", "policy", "", "Packets do not loop between the server and a tunnel",
     "Would need a tunnel endpoint to send through; turn.sec.tunnel and sec.relay.embedded keep it "
     "shut."},
});

}  // namespace

std::span<const Requirement> RequirementsSafety() { return kRequirementsSafety; }

}  // namespace rtclab::conformance
