// Where a server finds the passwords of the long-term credential mechanism.
#ifndef RTCLAB_STACK_STUN_CREDENTIALS_H_
#define RTCLAB_STACK_STUN_CREDENTIALS_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/base/units.h"
#include "stack/crypto/digest.h"

namespace rtclab::stun {

class CredentialStore {
 public:
  virtual ~CredentialStore() = default;
  // The passwords that are good for `username` now: none for an unknown or expired user, more than one while a secret is being
  // replaced.
  virtual std::vector<std::string> Passwords(std::string_view username, Timestamp now) const = 0;
  // Whether UsernameOf() can work; a server sets the "Username anonymity" bit only then.
  virtual bool KnowsUserhashes() const = 0;
  // The user whose USERHASH (RFC 8489 section 14.4) in `realm` this is.
  virtual std::optional<std::string> UsernameOf(ByteView userhash,
                                                std::string_view realm) const = 0;
};

// Users and their passwords, given in advance.
class StaticCredentials : public CredentialStore {
 public:
  // Fails when the OpaqueString profile (precis.h) rejects one of the two; a name given again replaces its password.
  Result<void> Add(std::string_view username, std::string_view password);

  std::vector<std::string> Passwords(std::string_view username, Timestamp now) const override;
  bool KnowsUserhashes() const override { return true; }
  std::optional<std::string> UsernameOf(ByteView userhash, std::string_view realm) const override;

 private:
  std::map<std::string, std::string, std::less<>> passwords_;  // both prepared
};

// Time-limited credentials, draft-uberti-rtcweb-turn-rest-00: username "expiry[:user]" with the expiry as UNIX time in seconds, password
// base64(HMAC-SHA1(secret, username)).
class RestCredentials : public CredentialStore {
 public:
  // `secrets`: each is good, so that one can be replaced (section 5.2 of the draft). `unix_time_at_zero_s`: what UNIX time it is at
  // Timestamp::Zero(), in seconds; the machine's clock is never read.
  RestCredentials(std::vector<std::string> secrets, int64_t unix_time_at_zero_s);

  // Good until the expiry is reached (section 4.2 of the draft).
  std::vector<std::string> Passwords(std::string_view username, Timestamp now) const override;
  // The users are not known here, only the secret.
  bool KnowsUserhashes() const override { return false; }
  std::optional<std::string> UsernameOf(ByteView userhash, std::string_view realm) const override;

 private:
  std::vector<std::string> secrets_;
  int64_t unix_time_at_zero_s_;
};

struct RestCredential {
  std::string username;
  std::string password;
};

// What the web service of the draft's section 2.2 hands out; without `user` the username is the expiry alone.
RestCredential MakeRestCredential(std::string_view secret, int64_t expiry_unix_s,
                                  std::string_view user = {});

}  // namespace rtclab::stun

#endif  // RTCLAB_STACK_STUN_CREDENTIALS_H_
