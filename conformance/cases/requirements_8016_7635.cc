// What RFC 8016 (mobility) and RFC 7635 (third-party authorization) ask of a TURN server.
#include <array>

#include "conformance/cases/requirements.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

constexpr auto kRequirements8016And7635 = std::to_array<Requirement>({
    {"mob.alloc.request", "8016", "3.1.2", "An empty MOBILITY-TICKET in Allocate brings a ticket"},
    {"mob.alloc.nonempty", "8016", "3.1.2",
     "A MOBILITY-TICKET that is not empty in Allocate gives 400"},
    {"mob.alloc.forbidden", "8016", "3.1.2",
     "A server without mobility says 405 or ignores the attribute"},
    {"mob.ticket.size", "8016", "3.1.2", "The ticket fits into a datagram that no path fragments"},
    {"mob.ticket.opaque", "8016", "5", "Tickets are long, and tell nothing of each other"},
    {"mob.refresh.old-path", "8016", "3.2.2",
     "Data goes to the old 5-tuple until the client sends on the new one"},
    {"mob.refresh.old-path-sends", "8016", "3.2.2",
     "Data from the old 5-tuple is relayed until the client sends on the new one"},
    {"mob.refresh.new-path", "8016", "3.2.2",
     "After a Send indication on the new 5-tuple data goes over it, with the same relayed address"},
    {"mob.refresh.old-discarded", "8016", "3.2.2",
     "After that the old 5-tuple has no allocation any more"},
    {"mob.refresh.state-kept", "8016", "3", "Channels move with the allocation"},
    {"mob.refresh.resume", "8016", "3.2.2", "The ticket takes the allocation to a new 5-tuple"},
    {"mob.refresh.rotate", "8016", "3.2.2", "Every move brings another ticket"},
    {"mob.refresh.chain", "8016", "3.2.2",
     "The new ticket takes the allocation on to a third 5-tuple"},
    {"mob.refresh.old-ticket", "8016", "3.2.2",
     "A ticket that was replaced takes the allocation nowhere"},
    {"mob.refresh.invalid", "8016", "3.2.2", "A ticket that the server did not make gives 400"},
    {"mob.refresh.unknown", "8016", "3.2.2", "The ticket of an allocation that is gone gives 437"},
    {"mob.refresh.same-path", "8016", "3.2.2",
     "A ticket from the allocation's own 5-tuple gives 400"},
    {"mob.refresh.other-user", "8016", "3.2.2", "Another user's ticket gives 441"},
    {"mob.refresh.unsigned", "8016", "5", "The ticket alone, without credentials, moves nothing"},
    {"mob.refresh.retransmit", "8016", "3.2.2",
     "The same Refresh again, with the old ticket, succeeds again"},
    {"mob.refresh.forbidden", "8016", "3.2.2",
     "A Refresh with ticket where mobility has been switched off gives 405",
     "Needs a server whose configuration changes while it runs."},
    {"mob.ticket.encrypted", "8016", "5",
     "The ticket is authenticated and encrypted with strong algorithms",
     "What is inside cannot be seen; mob.refresh.invalid and mob.ticket.opaque show what can."},
    {"mob.refresh.old-closed", "8016", "3.2.2",
     "The end of the old connection (TCP RST, TLS alert) moves the data at once",
     "Servers may also wait for data on the new 5-tuple, which comes first in practice; new-path "
     "covers it."},
    {"mob.refresh.early-data", "8016", "3.2.2",
     "Data on a new 5-tuple before the Refresh may be dropped or kept",
     "The server may do either."},
    {"oauth.challenge", "7635", "4", "The 401 names the server in THIRD-PARTY-AUTHORIZATION"},
    {"oauth.unexpected", "7635", "7", "ACCESS-TOKEN gives 420 where tokens are not taken"},
    {"oauth.token-ok", "7635", "6.2", "A good token with a session key of 160 bits is taken"},
    {"oauth.response-integrity", "7635", "7",
     "The response is signed with the token's session key"},
    {"oauth.token-expired", "7635", "7", "An expired token gives 401"},
    {"oauth.token-future", "7635", "7", "A token from far in the future gives 401"},
    {"oauth.token-bad-tag", "7635", "7", "A token with a bit changed gives 401"},
    {"oauth.token-other-key", "7635", "7", "A token under another key gives 401"},
    {"oauth.token-other-server", "7635", "6.2", "A token for another server gives 401"},
    {"oauth.token-unknown-kid", "7635", "7", "An unknown kid gives 401"},
    {"oauth.mi-wrong-key", "7635", "7",
     "MESSAGE-INTEGRITY under another key than the token's gives 401"},
    {"oauth.mi-required", "7635", "7", "A token without MESSAGE-INTEGRITY gives 401"},
    {"oauth.token-format", "7635", "7", "Malformed tokens are refused, and the server lives on"},
    {"oauth.lifetime-cap", "7635", "9", "An allocation is granted for no longer than its token"},
    {"oauth.lifetime-cap-refresh", "7635", "9",
     "A Refresh is granted for no longer than its token"},
    {"oauth.reuse", "7635", "9", "A token is good for several allocations"},
    {"oauth.new-token", "7635", "9", "A new token refreshes the allocation of an older one"},
    {"oauth.no-token-needed", "7635", "9",
     "Requests other than Allocate and Refresh need no token"},
    {"oauth.software", "7635", "4", "The 401 carries SOFTWARE",
     "SOFTWARE is a configurable option (RFC 8489 section 16.1.2): a server may well keep it to "
     "itself."},
    {"oauth.token-cbc", "7635", "6.2", "Tokens sealed with AES-CBC and HMAC-SHA",
     "They rest on a draft that expired; the target file knows the AEAD algorithms of RFC 5116."},
    {"oauth.key-establishment", "7635", "4.1",
     "The long-term key comes over an authenticated channel, and is symmetric",
     "Between the two servers, out of our sight."},
    {"oauth.lifetime-formula", "7635", "9",
     "The longest lifetime follows from lifetime, Delta and age of the token",
     "RECOMMENDED, and a server may always grant less; lifetime-cap has what it must not exceed."},
});

}  // namespace

std::span<const Requirement> Requirements8016And7635() { return kRequirements8016And7635; }

}  // namespace rtclab::conformance
