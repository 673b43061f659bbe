// What RFC 5780, RFC 7443 and RFC 7983 ask of a server and can be seen from outside; and the test vectors, which can't.
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

constexpr std::string_view kOwnCodec =
    "says nothing about a server: our own codec is held to the vector by "
    "stack/stun/vectors_test.cc";

constexpr Requirement kRequirementsNat[] = {
    {"nat.both-addresses", "5780", "6.1", "Responses carry MAPPED-ADDRESS and XOR-MAPPED-ADDRESS"},
    {"nat.response-origin", "5780", "6.1", "RESPONSE-ORIGIN is where the response comes from"},
    {"nat.other-address", "5780", "6.1", "OTHER-ADDRESS is another IP address with another port"},
    {"nat.other-address-absent", "5780", "7.4",
     "OTHER-ADDRESS never names the address that answers"},
    {"nat.change-none", "5780", "6.1",
     "Without a flag the response comes from where the request went"},
    {"nat.change-port", "5780", "6.1", "\"Change port\": the response comes from the other port"},
    {"nat.change-ip", "5780", "6.1", "\"Change IP\": the response comes from the other IP address"},
    {"nat.change-both", "5780", "6.1",
     "Both flags: the response comes from the other IP address and port"},
    {"nat.change-unsupported", "5780", "6.1", "Without a second address CHANGE-REQUEST gets a 420"},
    {"nat.change-unsupported-no-flag", "5780", "6",
     "Without a second address CHANGE-REQUEST gets a 420 also when it asks for no change"},
    {"nat.other-constant", "5780", "6.1", "OTHER-ADDRESS is the same whatever the flags"},
    {"nat.other-mutual", "5780", "6.1", "At the second address the first one is the other one"},
    {"nat.response-port", "5780", "7.5", "The response goes to the port that RESPONSE-PORT names"},
    {"nat.response-port-same-ip", "5780", "7.5",
     "With RESPONSE-PORT the response goes to the request's IP address"},
    {"nat.response-address", "policy", "", "No response goes to an address that the request names"},
    {"nat.padding", "5780", "6.1", "PADDING is answered with PADDING"},
    {"nat.padding-size", "5780", "6.1", "PADDING has the size of the outgoing interface's MTU"},
    {"nat.padding-response-port", "5780", "6.1", "PADDING with RESPONSE-PORT gets a 400"},
    {"nat.alternate-server", "5780", "6.1",
     "ALTERNATE-SERVER does not stand with attributes of RFC 5780"},
    {"nat.tls-ports", "5780", "6", "TCP and TLS have different ports"},
    {"nat.srv-records", "5780", "6",
     "A server with one address is not advertised as stun-behavior in DNS",
     "needs the domain's DNS records, which a server's address does not tell"},
    {"alpn.turn", "7443", "1", "TLS with ALPN stun.turn"},
    {"alpn.turn-dtls", "7443", "1", "DTLS with ALPN stun.turn"},
    {"alpn.nat-discovery", "7443", "1", "TLS with ALPN stun.nat-discovery"},
    {"alpn.nat-discovery-dtls", "7443", "1", "DTLS with ALPN stun.nat-discovery"},
    {"alpn.unknown", "7301", "3.2", "What becomes of a client that offers another protocol"},
    {"demux.first-byte", "8656", "12", "Datagrams whose first byte is reserved are dropped"},
    {"demux.stun-2-3", "7983", "3", "First bytes of 2 and 3 are STUN as well"},
    {"demux.dtls-same-port", "8489", "8.1", "Whether DTLS is served on the port of UDP"},
    {"vec.request-short", "5769", "2.1", "Test vector: request with short-term credentials",
     kOwnCodec},
    {"vec.response-v4", "5769", "2.2", "Test vector: IPv4 response", kOwnCodec},
    {"vec.response-v6", "5769", "2.3", "Test vector: IPv6 response", kOwnCodec},
    {"vec.request-long", "5769", "2.4", "Test vector: request with long-term credentials",
     kOwnCodec},
    {"vec.8489-b1", "8489", "B.1", "Test vector: USERHASH and MESSAGE-INTEGRITY-SHA256", kOwnCodec},
};

}  // namespace

std::span<const Requirement> RequirementsNat() { return kRequirementsNat; }

}  // namespace rtclab::conformance
