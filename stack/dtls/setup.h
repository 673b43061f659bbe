// Who is the DTLS client: the setup attribute (RFC 4145, RFC 5763 section 5, RFC 8842 section 5).
#ifndef RTCLAB_STACK_DTLS_SETUP_H_
#define RTCLAB_STACK_DTLS_SETUP_H_

#include <optional>
#include <string_view>

#include "stack/base/error.h"

namespace rtclab::dtls {

// The client sends the first ClientHello.
enum class Role { kClient, kServer };

enum class Setup { kActpass, kActive, kPassive, kHoldconn };

// "actpass", "active", "passive" or "holdconn"; nullopt for anything else.
std::optional<Setup> ParseSetup(std::string_view text);
std::string_view ToString(Setup setup);
std::string_view ToString(Role role);

// What to answer to an offer: active to actpass, as RFC 8842 section 5.3 recommends, since the first flight then leaves with the
// answer; the counterpart to active and passive. Fails for holdconn, which RFC 8842 section 5.1 does not allow with DTLS.
Result<Setup> AnswerSetup(Setup offered);

// Our role from what was negotiated: active is the client. `answer` is never actpass, and must fit `offer`; fails otherwise.
Result<Role> RoleOfOfferer(Setup offer, Setup answer);
Result<Role> RoleOfAnswerer(Setup offer, Setup answer);

}  // namespace rtclab::dtls

#endif  // RTCLAB_STACK_DTLS_SETUP_H_
