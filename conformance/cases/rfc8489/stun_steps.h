// Steps that the cases of RFC 8489 share: plain and raw Binding requests, a tour of ordinary messages, signing in the two ways.
#ifndef RTCLAB_CONFORMANCE_CASES_RFC8489_STUN_STEPS_H_
#define RTCLAB_CONFORMANCE_CASES_RFC8489_STUN_STEPS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/cases/rfc8489/message_checks.h"
#include "conformance/engine/test.h"

namespace rtclab::conformance {

// Types that no RFC has assigned.
inline constexpr uint16_t kUnknownRequired = 0x7ffe;
inline constexpr uint16_t kUnknownOptional = 0xbffe;

Request BindingRequest();
// A Binding request and its answer. A server that asks for credentials (it should not: RFC 8489 section 12) gets them; the case is skipped
// where there are none.
Response AskBinding(Test& t, Client& client, const Request& request = BindingRequest());

// 20 bytes of header as given, then `body`. `length` absent: the body's size. `id` absent: random.
Bytes RawStun(Test& t, uint16_t type, ByteView body = {}, std::optional<uint16_t> length = {},
              uint32_t cookie = stun::kMagicCookie,
              const std::optional<stun::TransactionId>& id = {});
inline constexpr uint16_t kBindingRequestType = 0x0001;

// The first bytes that come back on `request`, however malformed: a datagram, or as much of a stream as its length field says. Sent up
// to three times over UDP and DTLS. Empty: nothing came.
Bytes RawAnswer(Test& t, Client& client, ByteView request);

// Whether a case may use TURN here: the server has it and we have a user.
bool HasTurn(Test& t);

// Draws many kinds of messages from the server, on 5-tuples of its own: Binding success, 420, and where there is TURN the challenge, Allocate, Refresh and
// the errors 437 and 442. Nothing is judged on the way.
void Tour(Test& t);
// The same without TURN.
void BindingTour(Test& t);
// Calls `check` on every STUN message received in this case; the first fault ends it. Blocked when there was none. Gives how many messages
// had `having` (all, when absent).
int CheckEach(Test& t, MessageCheck check, std::string_view expected,
              std::optional<stun::AttributeType> having = {});

// As a client of RFC 5389 signs: MESSAGE-INTEGRITY, an MD5 key, no PASSWORD-ALGORITHM(S).
Signing Md5Signing();
// Wrong in one bit, whichever integrity attribute is used.
Signing CorruptSigning();
// A name that the server does not know, with a password of its own.
Credentials UnknownUser(Test& t);
// The nonce with its last character changed, still of the nonce's alphabet.
std::string AlteredNonce(std::string_view nonce);
// The long-term key of the target's user under the client's challenge.
stun::IntegrityKey LongTermKey(Test& t, const Client& client, stun::PasswordAlgorithm algorithm);
// The first algorithm offered that we know; MD5 when none is offered.
stun::PasswordAlgorithm OfferedAlgorithm(const Client& client);

// The response carries what a client needs to go on: REALM and NONCE, and PASSWORD-ALGORITHMS when the server offers algorithms.
void ExpectChallenge(Test& t, const Client& client, const Response& response,
                     std::string_view what);

// Whether XOR-MAPPED-ADDRESS (or MAPPED-ADDRESS) says where the client is. Behind a NAT only family and form can be judged.
void ExpectMapped(Test& t, const Client& client, const std::optional<TransportAddress>& mapped,
                  std::string_view attribute);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_CASES_RFC8489_STUN_STEPS_H_
