// Users with passwords and a shared secret for time-limited ones, side by side: what `rtclab serve turn` knows.
#ifndef RTCLAB_CONFORMANCE_SERVER_CREDENTIALS_H_
#define RTCLAB_CONFORMANCE_SERVER_CREDENTIALS_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stack/stun/credentials.h"

namespace rtclab::conformance {

// Asks several stores in order. USERHASH is offered when all of them know their users: a client that is offered it has to use it
// (RFC 8489 section 9.2.5).
class CredentialChain : public stun::CredentialStore {
 public:
  explicit CredentialChain(std::vector<std::shared_ptr<const stun::CredentialStore>> stores)
      : stores_(std::move(stores)) {}

  std::vector<std::string> Passwords(std::string_view username, Timestamp now) const override {
    std::vector<std::string> all;
    for (const auto& store : stores_) {
      for (std::string& password : store->Passwords(username, now)) {
        all.push_back(std::move(password));
      }
    }
    return all;
  }
  bool KnowsUserhashes() const override {
    for (const auto& store : stores_) {
      if (!store->KnowsUserhashes()) return false;
    }
    return true;
  }
  std::optional<std::string> UsernameOf(ByteView userhash, std::string_view realm) const override {
    for (const auto& store : stores_) {
      if (!store->KnowsUserhashes()) continue;
      if (auto username = store->UsernameOf(userhash, realm)) return username;
    }
    return std::nullopt;
  }

 private:
  std::vector<std::shared_ptr<const stun::CredentialStore>> stores_;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SERVER_CREDENTIALS_H_
