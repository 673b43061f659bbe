// The server's side of the long-term credential mechanism (RFC 8489 section 9.2.4), shared by the STUN and TURN servers.
#ifndef RTCLAB_STACK_STUN_LONG_TERM_AUTHENTICATOR_H_
#define RTCLAB_STACK_STUN_LONG_TERM_AUTHENTICATOR_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stack/stun/credentials.h"
#include "stack/stun/message.h"
#include "stack/stun/message_builder.h"
#include "stack/stun/nonce.h"

namespace rtclab::stun {

struct LongTermConfig {
  std::string realm;
  // How long a nonce is good: RFC 8656 section 5 recommends at most an hour.
  TimeDelta nonce_lifetime = TimeDelta::Seconds(3600);
  // Offered in PASSWORD-ALGORITHMS, best first. Empty: behave as RFC 5389, MD5 and MESSAGE-INTEGRITY only.
  std::vector<PasswordAlgorithm> algorithms = {PasswordAlgorithm::kSha256, PasswordAlgorithm::kMd5};
  // Offer USERHASH where the credential store can resolve it.
  bool username_anonymity = true;
  std::string software;  // SOFTWARE of the error responses; none when empty
};

// Who sent a request, and how to protect the response.
struct Authenticated {
  std::string username;  // as prepared and stored, also when the request had USERHASH
  IntegrityKey key;
  // RFC 8489 section 9.2.4: MESSAGE-INTEGRITY-SHA256, unless the request named no password algorithm.
  bool sha256 = false;
};

// A request that did not get through, and the response to send.
struct Rejection {
  int code = 0;     // 400, 401 or 438
  std::string why;  // in words, for logs and results
  Bytes response;
};

class LongTermAuthenticator {
 public:
  // `credentials` answers for the lifetime of this object.
  LongTermAuthenticator(LongTermConfig config, std::shared_ptr<const CredentialStore> credentials,
                        Rng& rng);

  // The checks of RFC 8489 section 9.2.4 in their order. `source` is where the request came from: a nonce is good for one transport
  // address only. `request` must be a request: indications can't be authenticated this way (section 9.2).
  tl::expected<Authenticated, Rejection> Authenticate(Timestamp now, const MessageView& request,
                                                      const TransportAddress& source) const;

  // Ends `response` with the integrity attribute that section 9.2.4 asks for. A FINGERPRINT may follow.
  static void Protect(MessageBuilder& response, const Authenticated& client);

  // RFC 8489 section 6.3.1: the 420 response with its UNKNOWN-ATTRIBUTES, protected when the client is authenticated (`client` may
  // be null).
  static Bytes UnknownAttributesResponse(const MessageView& request,
                                         std::span<const AttributeType> unknown,
                                         const Authenticated* client);

  const LongTermConfig& config() const { return config_; }

 private:
  // 401 or 438: with REALM, a fresh NONCE and PASSWORD-ALGORITHMS.
  Rejection Challenge(Timestamp now, const MessageView& request, const TransportAddress& source,
                      int code, std::string why) const;
  // 400: without any of them.
  Rejection BadRequest(const MessageView& request, std::string why) const;
  // The algorithm of the client's key: MD5 when it named none; nullopt when what it says contradicts our offer.
  std::optional<PasswordAlgorithm> AlgorithmOf(const MessageView& request) const;
  std::optional<std::string> UsernameOf(const MessageView& request) const;

  LongTermConfig config_;
  std::shared_ptr<const CredentialStore> credentials_;
  NonceFactory nonces_;
  Bytes offer_;  // the value of PASSWORD-ALGORITHMS
};

}  // namespace rtclab::stun

#endif  // RTCLAB_STACK_STUN_LONG_TERM_AUTHENTICATOR_H_
