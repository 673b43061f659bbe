#include "stack/stun/long_term_client.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "stack/stun/nonce.h"
#include "stack/stun/precis.h"

namespace rtclab::stun {
namespace {

// A server that finds every nonce stale would be asked for ever; several parallel requests may each meet one 438.
constexpr int kMaxStaleInARow = 32;

// RFC 8489 section 9.2.5: a server that claims the feature in its nonce must also send the list; if it is gone, someone took it away.
bool IsBidDown(const MessageView& response) {
  const auto nonce = response.GetString(AttributeType::kNonce);
  const auto features = nonce ? ParseNonceCookie(*nonce) : std::nullopt;
  return features && features->password_algorithms &&
         !response.Has(AttributeType::kPasswordAlgorithms);
}

// The first algorithm on the server's list that we know (RFC 8489 section 9.2.5).
std::optional<PasswordAlgorithm> Choose(const std::vector<PasswordAlgorithmEntry>& offered) {
  for (const PasswordAlgorithmEntry& entry : offered) {
    const bool known =
        entry.algorithm == PasswordAlgorithm::kSha256 || entry.algorithm == PasswordAlgorithm::kMd5;
    if (known && entry.parameters.empty()) return entry.algorithm;
  }
  return std::nullopt;
}

}  // namespace

LongTermClient::LongTermClient(const std::string& username, std::string password)
    : username_(PrepareOpaqueString(username).value_or(username)), password_(std::move(password)) {}

LongTermClient::Signature LongTermClient::Sign(MessageBuilder& request) const {
  if (!challenged()) return {};
  if (userhash_) {
    request.AddBytes(AttributeType::kUserhash, Userhash(username_, realm_));
  } else {
    request.AddString(AttributeType::kUsername, username_);
  }
  request.AddString(AttributeType::kRealm, realm_).AddString(AttributeType::kNonce, nonce_);
  if (offer_.empty()) {
    request.AddMessageIntegrity(key_);
  } else {
    request.AddBytes(AttributeType::kPasswordAlgorithms, offer_)
        .AddPasswordAlgorithm(algorithm_)
        .AddMessageIntegritySha256(key_);
  }
  return {credentials_};
}

LongTermClient::Verdict LongTermClient::Refuse(Verdict verdict, std::string why) {
  why_ = std::move(why);
  return verdict;
}

bool LongTermClient::TakeChallenge(const MessageView& response) {
  const auto realm = response.GetString(AttributeType::kRealm);
  const auto nonce = response.GetString(AttributeType::kNonce);
  if (!realm || !nonce) {
    why_ = "the challenge has no REALM or no NONCE";
    return false;
  }
  PasswordAlgorithm algorithm = PasswordAlgorithm::kMd5;
  Bytes offer;
  if (const auto value = response.Find(AttributeType::kPasswordAlgorithms)) {
    const auto offered = response.GetPasswordAlgorithms();
    const auto choice = offered ? Choose(*offered) : std::nullopt;
    if (!choice) {
      why_ = "none of the offered password algorithms is supported";
      return false;
    }
    algorithm = *choice;
    offer.assign(value->begin(), value->end());
  }
  const auto features = ParseNonceCookie(*nonce);
  const bool userhash = features && features->username_anonymity;
  const bool changed = !challenged() || *realm != realm_ || algorithm != algorithm_ ||
                       offer.empty() != offer_.empty() || userhash != userhash_;
  realm_ = *realm;
  nonce_ = *nonce;
  offer_ = std::move(offer);
  algorithm_ = algorithm;
  userhash_ = userhash;
  if (changed) {
    key_ = IntegrityKey::LongTerm(username_, realm_, password_, algorithm_);
    ++credentials_;
  }
  return true;
}

LongTermClient::Verdict LongTermClient::HandleChallenge(const MessageView& response,
                                                        const Signature& signature) {
  if (IsBidDown(response)) {
    return Refuse(Verdict::kFail, "the nonce promises PASSWORD-ALGORITHMS, which is missing");
  }
  if (!TakeChallenge(response)) return Verdict::kFail;
  // RFC 8489 section 9.2.5: no retry that would say the same again. A request signed with older credentials is not that.
  if (signature.credentials != 0 && signature.credentials == credentials_) {
    return Refuse(Verdict::kFail, "the server does not accept the username or password");
  }
  return Refuse(Verdict::kRetry, "the server asks for credentials");
}

LongTermClient::Verdict LongTermClient::HandleStaleNonce(const MessageView& response) {
  if (IsBidDown(response)) {
    return Refuse(Verdict::kFail, "the nonce promises PASSWORD-ALGORITHMS, which is missing");
  }
  if (++stale_in_a_row_ > kMaxStaleInARow) {
    return Refuse(Verdict::kFail, "the server finds every nonce stale");
  }
  if (!TakeChallenge(response)) return Verdict::kFail;
  return Refuse(Verdict::kRetry, "the nonce was stale");
}

LongTermClient::Verdict LongTermClient::HandleResponse(const MessageView& response,
                                                       const Signature& signature) {
  // 0 for a success response and for an error response without a proper ERROR-CODE.
  const int code = response.IsError() ? response.GetErrorCode().value_or(ErrorCode{}).code : 0;
  if (code == kErrorUnauthenticated) return HandleChallenge(response, signature);
  if (code == kErrorStaleNonce) return HandleStaleNonce(response);
  if (IsBidDown(response)) {
    return Refuse(Verdict::kDiscard, "the nonce promises PASSWORD-ALGORITHMS, which is missing");
  }
  // An unsigned request has no key to check with: this server wants no credentials.
  if (signature.credentials == 0) return Verdict::kAccept;
  if (!response.HasIntegrity() && !response.HasIntegritySha256()) {
    if (code == kErrorBadRequest) {
      return Refuse(Verdict::kDiscard, "a 400 response without message integrity");
    }
    return Refuse(Verdict::kIntegrityViolation, "the response has no message integrity");
  }
  const bool authentic = response.HasIntegritySha256() ? response.VerifyIntegritySha256(key_)
                                                       : response.VerifyIntegrity(key_);
  if (!authentic) {
    return Refuse(Verdict::kIntegrityViolation, "the response's message integrity is wrong");
  }
  stale_in_a_row_ = 0;
  return Verdict::kAccept;
}

}  // namespace rtclab::stun
