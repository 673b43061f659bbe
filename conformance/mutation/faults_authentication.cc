// Faults of credentials: integrity of responses, what is checked of requests, nonces. RFC 8489 section 9.2, RFC 8656 section 5.
#include "conformance/mutation/fault.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;
using stun::Method;
using turn::ServerQuirks;

constexpr std::string_view kRfc = "8489";

void AddIntegrityFaults(std::vector<Fault>& faults) {
  faults.push_back({.id = "integrity-missing-success",
                    .what = "does not sign success responses",
                    .rfc = kRfc,
                    .section = "9.2.4",
                    .killers = {"stun.lt.resp-integrity"},
                    .response = [](Passing& p) {
                      if (p.message.message_class == stun::MessageClass::kSuccessResponse)
                        p.message.sha1 = p.message.sha256 = false;
                      return true;
                    }});
  faults.push_back({.id = "integrity-missing-errors",
                    .what = "does not sign error responses to authenticated requests",
                    .rfc = kRfc,
                    .section = "9.2.4",
                    .killers = {"stun.lt.resp-integrity-errors"},
                    .response = [](Passing& p) {
                      if (p.message.message_class == stun::MessageClass::kErrorResponse)
                        p.message.sha1 = p.message.sha256 = false;
                      return true;
                    }});
  faults.push_back({.id = "integrity-wrong",
                    .what = "signs responses wrongly",
                    .rfc = kRfc,
                    .section = "9.2.4",
                    .killers = {"stun.lt.resp-integrity"},
                    .response = [](Passing& p) {
                      p.message.corrupt_integrity = true;
                      return true;
                    }});
  faults.push_back({.id = "integrity-sha1-after-sha256",
                    .what = "signs with MESSAGE-INTEGRITY where the request has SHA-256",
                    .rfc = kRfc,
                    .section = "9.2.4",
                    .killers = {"stun.lt.resp-sha256"},
                    .response = [](Passing& p) {
                      if (p.message.sha256) {
                        p.message.sha256 = false;
                        p.message.sha1 = true;
                      }
                      return true;
                    }});
  faults.push_back({.id = "response-names-the-user",
                    .what = "repeats USERNAME in success responses",
                    .rfc = kRfc,
                    .section = "9.2.4",
                    .killers = {"stun.lt.resp-no-identity"},
                    .response = [](Passing& p) {
                      if (p.message.IsSuccess(Method::kAllocate))
                        p.message.Set(AttributeType::kUsername, {'a', 'l', 'i', 'c', 'e'});
                      return true;
                    }});
  faults.push_back({.id = "bad-request-with-challenge",
                    .what = "puts REALM and NONCE into the 400 of an incomplete request",
                    .rfc = kRfc,
                    .section = "9.2.4",
                    .killers = {"stun.lt.400-no-challenge"},
                    .response = [](Passing& p) {
                      if (p.message.ErrorCode() != 400) return true;
                      p.message.Set(AttributeType::kRealm, {'r'});
                      p.message.Set(AttributeType::kNonce, {'n'});
                      return true;
                    }});
  faults.push_back({.id = "incomplete-request-challenged",
                    .what = "answers an integrity without USERNAME with 401 instead of 400",
                    .rfc = kRfc,
                    .section = "9.2.4",
                    .killers = {"stun.lt.missing-username"},
                    .response = [](Passing& p) {
                      if (p.message.ErrorCode() == 400 && p.request != nullptr &&
                          !p.request->Has(AttributeType::kUsername)) {
                        p.message.SetErrorCode(401);
                      }
                      return true;
                    }});
}

void AddCheckFaults(std::vector<Fault>& faults) {
  const auto add = [&](std::string_view id, std::string_view what, std::string_view rfc,
                       std::string_view section, std::vector<std::string_view> killers,
                       bool ServerQuirks::*quirk) {
    faults.push_back({.id = id,
                      .what = what,
                      .rfc = rfc,
                      .section = section,
                      .killers = std::move(killers),
                      .quirk = quirk});
  };
  add("integrity-unchecked", "takes any HMAC of a user that it knows", kRfc, "9.2.4",
      {"stun.lt.bad-mi", "stun.lt.wrong-password"}, &ServerQuirks::integrity_unchecked);
  add("nonce-never-stale", "takes a nonce for ever", kRfc, "9.2.4", {"stun.lt.stale-expired"},
      &ServerQuirks::nonce_never_stale);
  add("nonce-of-any-source", "takes a nonce that it made for another client",
      "RFC 8489 section 9.2.4", "", {"sec.nonce.cross-source"}, &ServerQuirks::nonce_of_any_source);
  add("other-user-accepted", "serves another user's requests on an allocation", "8656", "5",
      {"turn.gen.441-refresh", "turn.gen.441-createpermission", "turn.gen.441-channelbind"},
      &ServerQuirks::other_user_accepted);
  add("allocate-unauthenticated", "allocates for everybody", "8656", "7.2", {"turn.alloc.auth"},
      &ServerQuirks::allocate_unauthenticated);
  add("bid-down-unchecked", "takes an altered copy of PASSWORD-ALGORITHMS", kRfc, "9.2.4",
      {"stun.lt.pwalgs-altered"}, &ServerQuirks::bid_down_unchecked);
  add("truncated-sha256-accepted", "takes a MESSAGE-INTEGRITY-SHA256 of 16 bytes", kRfc, "14.6",
      {"stun.mi.sha256-full"}, &ServerQuirks::truncated_sha256_accepted);
}

void AddNonceFaults(std::vector<Fault>& faults) {
  faults.push_back({.id = "nonce-constant",
                    .what = "challenges every client with the same nonce",
                    .rfc = kRfc,
                    .section = "9.2.4",
                    .killers = {"stun.lt.nonce-per-source"},
                    .response = [](Passing& p) {
                      auto* nonce = p.message.Find(AttributeType::kNonce);
                      if (nonce == nullptr) return true;
                      Bytes& first = p.memory.kept["nonce"];
                      if (first.empty()) first = nonce->value;
                      nonce->value = first;
                      return true;
                    }});
  faults.push_back({.id = "nonce-cookie-missing",
                    .what = "sends a nonce without the nonce cookie, with PASSWORD-ALGORITHMS",
                    .rfc = kRfc,
                    .section = "9.2",
                    .killers = {"stun.lt.nonce-cookie"},
                    .response = [](Passing& p) {
                      auto* nonce = p.message.Find(AttributeType::kNonce);
                      if (nonce != nullptr && nonce->value.size() > 13)
                        nonce->value.erase(nonce->value.begin(), nonce->value.begin() + 9);
                      return true;
                    }});
  faults.push_back({.id = "password-algorithms-missing",
                    .what = "announces PASSWORD-ALGORITHMS in the nonce and does not send it",
                    .rfc = kRfc,
                    .section = "9.2.4",
                    .killers = {"stun.lt.bit-implies-pwalgs"},
                    .response = [](Passing& p) {
                      p.message.Remove(AttributeType::kPasswordAlgorithms);
                      return true;
                    }});
  faults.push_back({.id = "nonce-too-long",
                    .what = "sends a nonce of 200 characters",
                    .rfc = kRfc,
                    .section = "14.10",
                    .killers = {"stun.lt.realm-nonce-size"},
                    .response = [](Passing& p) {
                      if (auto* nonce = p.message.Find(AttributeType::kNonce))
                        nonce->value.resize(200, 'x');
                      return true;
                    }});
  faults.push_back({.id = "realm-in-quotes",
                    .what = "puts the realm in quotes",
                    .rfc = kRfc,
                    .section = "14.9",
                    .killers = {"stun.lt.realm-nonce-grammar"},
                    .response = [](Passing& p) {
                      auto* realm = p.message.Find(AttributeType::kRealm);
                      if (realm == nullptr) return true;
                      realm->value.insert(realm->value.begin(), '"');
                      realm->value.push_back('"');
                      return true;
                    }});
  faults.push_back({.id = "userhash-ignored",
                    .what = "announces USERHASH and answers it with 400",
                    .rfc = kRfc,
                    .section = "14.4",
                    .killers = {"stun.lt.userhash", "stun.lt.userhash-same-user"},
                    .request = [](Passing& p) {
                      p.message.Remove(AttributeType::kUserhash);
                      return true;
                    }});
  faults.push_back({.id = "sha256-key-refused",
                    .what = "offers SHA-256 keys and takes none",
                    .rfc = kRfc,
                    .section = "18.5.1.2",
                    .killers = {"stun.lt.sha256-key"},
                    .response = [](Passing& p) {
                      if (p.request == nullptr) return true;
                      const auto* algorithm = p.request->Find(AttributeType::kPasswordAlgorithm);
                      if (algorithm == nullptr || algorithm->value.size() < 2 ||
                          algorithm->value[1] != 2 || !p.message.IsResponse()) {
                        return true;
                      }
                      p.message.MakeError(401);
                      p.message.Set(AttributeType::kRealm, {'r'});
                      p.message.Set(AttributeType::kNonce, {'n'});
                      return true;
                    }});
}

}  // namespace

void AddAuthenticationFaults(std::vector<Fault>& faults) {
  AddIntegrityFaults(faults);
  AddCheckFaults(faults);
  AddNonceFaults(faults);
}

}  // namespace rtclab::conformance
