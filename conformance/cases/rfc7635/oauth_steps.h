// What the cases of RFC 7635 have in common: tokens of the authorization server whose key the target's profile has, and requests with
// them.
#ifndef RTCLAB_CONFORMANCE_CASES_RFC7635_OAUTH_STEPS_H_
#define RTCLAB_CONFORMANCE_CASES_RFC7635_OAUTH_STEPS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "conformance/engine/case.h"
#include "conformance/engine/message.h"
#include "conformance/engine/test.h"

namespace rtclab::conformance {

Needs OauthNeeds();

struct OauthTokenSpec {
  int64_t issued_s = 0;  // against now; negative: in the past
  uint32_t lifetime_s = 3'600;
  std::optional<std::string> server_name{};  // none: the target's
  bool other_key = false;                    // sealed under a key that the server does not have
  // How many bytes of the session key sign; 0: as many as the server takes, which costs an allocation or two.
  std::size_t key_used = 0;
};

// RFC 7635 section 6.2: the size that has to be supported.
inline constexpr std::size_t kOauthMacKeySize = 20;

struct OauthToken {
  Bytes value;    // of ACCESS-TOKEN
  Bytes mac_key;  // what signs
};
// Ends the case as skipped when the target's profile has no key.
OauthToken MakeOauthToken(Test& t, const OauthTokenSpec& spec = {});

// USERNAME is the kid, MESSAGE-INTEGRITY is made with the token's mac_key.
Signing OauthSigning(Test& t, const OauthToken& token);
Request OauthAllocate(Test& t, const OauthToken& token);

// A fresh 5-tuple that knows realm and nonce.
Client OauthConnect(Test& t);
// One request with the nonce that the server wants now.
Response OauthCall(Client& client, const Request& request);

struct OauthAllocated {
  Client client;
  Response response;
};
// Blocked when a good token is refused.
OauthAllocated OauthOpen(Test& t, const OauthToken& token);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_CASES_RFC7635_OAUTH_STEPS_H_
