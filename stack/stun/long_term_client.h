// The client's side of the long-term credential mechanism (RFC 8489 sections 9.2.3 and 9.2.5).
#ifndef RTCLAB_STACK_STUN_LONG_TERM_CLIENT_H_
#define RTCLAB_STACK_STUN_LONG_TERM_CLIENT_H_

#include <string>
#include <vector>

#include "stack/stun/message.h"
#include "stack/stun/message_builder.h"

namespace rtclab::stun {

// Keeps realm, nonce, algorithm and key for one server and one user. A request is built, signed and sent; its response comes back
// here first.
class LongTermClient {
 public:
  // What a request was signed with; goes back to HandleResponse() with the response.
  struct Signature {
    uint64_t credentials = 0;  // 0: the request was not signed
  };

  enum class Verdict {
    // Authentic, or the request was unsigned: process it. An error response without a proper ERROR-CODE ends its
    // transaction (section 6.3.4).
    kAccept,
    kRetry,    // send the request again as a new transaction, signed anew
    kFail,     // must not be tried again: wrong credentials or a bid-down
    kDiscard,  // as if never received
    kIntegrityViolation,  // unreliable transport: as if never received, but should the transaction time out, say that its
                          // integrity was violated; reliable transport: it ends so now
  };

  LongTermClient(const std::string& username, std::string password);

  // Adds what section 9.2.3 asks for and the integrity attribute; nothing before the first challenge. Only a FINGERPRINT may be
  // added afterwards.
  Signature Sign(MessageBuilder& request) const;

  // `response` is a success or error response to a request signed with `signature`.
  Verdict HandleResponse(const MessageView& response, const Signature& signature);

  // Whether a challenge has been taken; Sign() signs from then on.
  bool challenged() const { return credentials_ != 0; }
  const std::string& realm() const { return realm_; }
  const std::string& nonce() const { return nonce_; }
  // The key of the current credentials; meaningful once challenged().
  const IntegrityKey& key() const { return key_; }
  // In words, why the last response was not accepted.
  const std::string& why() const { return why_; }

 private:
  Verdict HandleChallenge(const MessageView& response, const Signature& signature);
  Verdict HandleStaleNonce(const MessageView& response);
  // Takes the realm, nonce and algorithms of a 401 or 438; false when they can't be used.
  bool TakeChallenge(const MessageView& response);
  Verdict Refuse(Verdict verdict, std::string why);

  std::string username_;
  std::string password_;
  std::string realm_;
  std::string nonce_;
  Bytes offer_;  // PASSWORD-ALGORITHMS as received; empty: none
  PasswordAlgorithm algorithm_ = PasswordAlgorithm::kMd5;
  bool userhash_ = false;
  IntegrityKey key_;
  uint64_t credentials_ = 0;  // counts changes of what a request is signed with, nonces aside
  int stale_in_a_row_ = 0;
  std::string why_;
};

}  // namespace rtclab::stun

#endif  // RTCLAB_STACK_STUN_LONG_TERM_CLIENT_H_
