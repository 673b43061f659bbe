// From a Request to its bytes: what a client knows of the server's challenge, and the signing.
#ifndef RTCLAB_CONFORMANCE_ENGINE_ENCODE_H_
#define RTCLAB_CONFORMANCE_ENGINE_ENCODE_H_

#include <optional>
#include <string>

#include "conformance/engine/message.h"
#include "conformance/engine/target.h"
#include "stack/base/bytes.h"
#include "stack/stun/integrity.h"
#include "stack/stun/message.h"

namespace rtclab::conformance {

// What a 401 or 438 told (RFC 8489 section 9.2.4).
struct ServerChallenge {
  std::string realm{};
  std::string nonce{};
  Bytes offered{};  // the value of PASSWORD-ALGORITHMS; empty: none, or not looked at (RFC 5389)
  stun::PasswordAlgorithm algorithm = stun::PasswordAlgorithm::kMd5;  // the first offered one known
  bool userhash = false;  // the nonce cookie asks for USERHASH
};

// The challenge in an error response; nullopt when REALM or NONCE is missing. A 438 without REALM keeps `last`'s. With
// `classic` (RFC 5389) password algorithms and USERHASH are ignored.
std::optional<ServerChallenge> ReadChallenge(const stun::MessageView& response,
                                             const std::optional<ServerChallenge>& last,
                                             bool classic);

// What the default signing uses for `credentials` under `challenge`.
stun::IntegrityKey KeyFor(const Credentials& credentials, const ServerChallenge& challenge);

// The bytes of `request` with transaction id `id`. A request without a Signing of its own is signed when there are credentials and a
// challenge. Indications and Binding requests (RFC 8656 section 5 asks for no credentials there) are never signed unless they say so.
Bytes EncodeRequest(const Request& request, const stun::TransactionId& id,
                    const std::optional<Credentials>& credentials,
                    const std::optional<ServerChallenge>& challenge);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_ENCODE_H_
