#include "stack/dtls/setup.h"

#include <string>

namespace rtclab::dtls {

std::optional<Setup> ParseSetup(std::string_view text) {
  for (const Setup setup : {Setup::kActpass, Setup::kActive, Setup::kPassive, Setup::kHoldconn}) {
    if (text == ToString(setup)) return setup;
  }
  return std::nullopt;
}

std::string_view ToString(Setup setup) {
  switch (setup) {
    case Setup::kActpass:
      return "actpass";
    case Setup::kActive:
      return "active";
    case Setup::kPassive:
      return "passive";
    case Setup::kHoldconn:
      return "holdconn";
  }
  return "";
}

std::string_view ToString(Role role) { return role == Role::kClient ? "client" : "server"; }

Result<Setup> AnswerSetup(Setup offered) {
  if (offered == Setup::kHoldconn) return Fail("setup: holdconn is not used with DTLS");
  return offered == Setup::kActive ? Setup::kPassive : Setup::kActive;
}

Result<Role> RoleOfAnswerer(Setup offer, Setup answer) {
  const bool fits =
      (answer == Setup::kActive && (offer == Setup::kActpass || offer == Setup::kPassive)) ||
      (answer == Setup::kPassive && (offer == Setup::kActpass || offer == Setup::kActive));
  if (!fits) {
    return Fail("setup: " + std::string(ToString(answer)) + " does not answer " +
                std::string(ToString(offer)));
  }
  return answer == Setup::kActive ? Role::kClient : Role::kServer;
}

Result<Role> RoleOfOfferer(Setup offer, Setup answer) {
  auto role = RoleOfAnswerer(offer, answer);
  if (role) role = *role == Role::kClient ? Role::kServer : Role::kClient;
  return role;
}

}  // namespace rtclab::dtls
