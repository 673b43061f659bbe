#include "stack/stun/short_term.h"

#include <utility>

#include "stack/stun/precis.h"

namespace rtclab::stun {

tl::expected<ShortTermPeer, int> CheckShortTerm(const MessageView& message,
                                                const ShortTermLookup& lookup) {
  const auto username = message.GetString(AttributeType::kUsername);
  if (!username || (!message.HasIntegrity() && !message.HasIntegritySha256())) {
    return tl::unexpected(kErrorBadRequest);
  }
  const std::optional<IntegrityKey> key = lookup(*username);
  if (!key) return tl::unexpected(kErrorUnauthenticated);
  const bool sha256 = message.HasIntegritySha256();
  const bool right = sha256 ? message.VerifyIntegritySha256(*key) : message.VerifyIntegrity(*key);
  if (!right) return tl::unexpected(kErrorUnauthenticated);
  return ShortTermPeer{*username, *key, sha256};
}

void ProtectShortTerm(MessageBuilder& response, const ShortTermPeer& peer) {
  if (peer.sha256) {
    response.AddMessageIntegritySha256(peer.key);
  } else {
    response.AddMessageIntegrity(peer.key);
  }
}

ShortTermClient::ShortTermClient(const std::string& username, std::string_view password,
                                 std::optional<Algorithm> agreed)
    : username_(PrepareOpaqueString(username).value_or(username)),
      key_(IntegrityKey::ShortTerm(password)),
      algorithm_(agreed) {}

void ShortTermClient::Sign(MessageBuilder& message) const {
  message.AddString(AttributeType::kUsername, username_);
  if (algorithm_ != Algorithm::kSha256) message.AddMessageIntegrity(key_);
  if (algorithm_ != Algorithm::kSha1) message.AddMessageIntegritySha256(key_);
}

ShortTermClient::Verdict ShortTermClient::HandleResponse(const MessageView& response) {
  if (!response.HasIntegrity() && !response.HasIntegritySha256()) {
    return Verdict::kIntegrityViolation;
  }
  const Algorithm answered = response.HasIntegritySha256() ? Algorithm::kSha256 : Algorithm::kSha1;
  if (algorithm_ && *algorithm_ != answered) return Verdict::kDiscard;
  const bool right = answered == Algorithm::kSha256 ? response.VerifyIntegritySha256(key_)
                                                    : response.VerifyIntegrity(key_);
  if (!right) return Verdict::kIntegrityViolation;
  algorithm_ = answered;
  return Verdict::kAccept;
}

}  // namespace rtclab::stun
