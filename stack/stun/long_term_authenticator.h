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
  // Begin nonces with the cookie of RFC 8489 section 9.2. Off, for a server of RFC 5389, nothing that the cookie announces may be
  // offered: `algorithms` is empty and `username_anonymity` off (CHECKed).
  bool nonce_cookie = true;
  // THIRD-PARTY-AUTHORIZATION of the challenges (RFC 7635 section 6.1); none when empty.
  std::string third_party_server;

  // Deviations, to reproduce faulty servers. Off: a nonce is good for whoever brings it; a wrong HMAC of a known user passes; an altered
  // copy of the offer passes. Less than 32: a truncated MESSAGE-INTEGRITY-SHA256 passes, although no usage here allows it.
  bool nonce_per_client = true;
  bool check_integrity = true;
  bool check_offer = true;
  std::size_t min_sha256_size = kMaxIntegritySha256Size;
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

  // The same checks for a request that is signed with `key`, as an access token brought it (RFC 7635 section 7): no password, no
  // USERHASH. The response uses MESSAGE-INTEGRITY-SHA256 if the request has it.
  tl::expected<Authenticated, Rejection> AuthenticateWithKey(Timestamp now,
                                                             const MessageView& request,
                                                             const TransportAddress& source,
                                                             const IntegrityKey& key) const;

  // 401 or 438: with REALM, a fresh NONCE, PASSWORD-ALGORITHMS and THIRD-PARTY-AUTHORIZATION.
  Rejection Challenge(Timestamp now, const MessageView& request, const TransportAddress& source,
                      int code, std::string why) const;

  // Ends `response` with the integrity attribute that section 9.2.4 asks for. A FINGERPRINT may follow.
  static void Protect(MessageBuilder& response, const Authenticated& client);

  // RFC 8489 section 6.3.1: the 420 response with its UNKNOWN-ATTRIBUTES, protected when the client is authenticated (`client` may
  // be null).
  static Bytes UnknownAttributesResponse(const MessageView& request,
                                         std::span<const AttributeType> unknown,
                                         const Authenticated* client);

  const LongTermConfig& config() const { return config_; }

 private:
  // The first checks of section 9.2.4: that the request is signed and complete; an algorithm if it is.
  tl::expected<PasswordAlgorithm, Rejection> CheckForm(Timestamp now, const MessageView& request,
                                                       const TransportAddress& source) const;
  bool Verify(const MessageView& request, const IntegrityKey& key) const;
  // 438, unless the nonce of the (complete) request is valid.
  std::optional<Rejection> CheckNonce(Timestamp now, const MessageView& request,
                                      const TransportAddress& source) const;
  // 400: without what a challenge has.
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
