#include "stack/stun/long_term_authenticator.h"

#include <algorithm>
#include <utility>

#include "stack/base/check.h"

namespace rtclab::stun {
namespace {

SecurityFeatures FeaturesOf(const LongTermConfig& config, const CredentialStore& credentials) {
  CHECK(config.nonce_cookie || (config.algorithms.empty() && !config.username_anonymity));
  return {!config.algorithms.empty(), config.username_anonymity && credentials.KnowsUserhashes()};
}

Bytes OfferOf(const LongTermConfig& config) {
  ByteWriter writer;
  for (const PasswordAlgorithm algorithm : config.algorithms) {
    writer.WriteU16(static_cast<uint16_t>(algorithm));
    writer.WriteU16(0);  // RFC 8489 section 18.5.1: no parameters
  }
  return writer.Take();
}

}  // namespace

LongTermAuthenticator::LongTermAuthenticator(LongTermConfig config,
                                             std::shared_ptr<const CredentialStore> credentials,
                                             Rng& rng)
    : config_(std::move(config)),
      credentials_(std::move(credentials)),
      nonces_(FeaturesOf(config_, *credentials_), config_.nonce_lifetime, rng,
              {config_.nonce_cookie, config_.nonce_per_client}),
      offer_(OfferOf(config_)) {}

Rejection LongTermAuthenticator::Challenge(Timestamp now, const MessageView& request,
                                           const TransportAddress& source, int code,
                                           std::string why) const {
  MessageBuilder builder = MessageBuilder::ErrorResponseTo(request, code);
  builder.AddString(AttributeType::kRealm, config_.realm)
      .AddString(AttributeType::kNonce, nonces_.Make(now, source));
  if (!offer_.empty()) builder.AddBytes(AttributeType::kPasswordAlgorithms, offer_);
  if (!config_.third_party_server.empty()) {
    builder.AddString(AttributeType::kThirdPartyAuthorization, config_.third_party_server);
  }
  if (!config_.software.empty()) builder.AddString(AttributeType::kSoftware, config_.software);
  return {code, std::move(why), builder.Build()};
}

Rejection LongTermAuthenticator::BadRequest(const MessageView& request, std::string why) const {
  MessageBuilder builder = MessageBuilder::ErrorResponseTo(request, kErrorBadRequest);
  if (!config_.software.empty()) builder.AddString(AttributeType::kSoftware, config_.software);
  return {kErrorBadRequest, std::move(why), builder.Build()};
}

// RFC 8489 section 9.2.4, third check. The offer is the same in every nonce we make, so that what a client repeats must be it.
std::optional<PasswordAlgorithm> LongTermAuthenticator::AlgorithmOf(
    const MessageView& request) const {
  const std::optional<ByteView> repeated = request.Find(AttributeType::kPasswordAlgorithms);
  const bool chosen = request.Has(AttributeType::kPasswordAlgorithm);
  if (!repeated && !chosen) return PasswordAlgorithm::kMd5;
  const auto choice = request.GetPasswordAlgorithm();
  if (!repeated || !choice || !choice->parameters.empty()) return std::nullopt;
  if (config_.check_offer &&
      !std::equal(repeated->begin(), repeated->end(), offer_.begin(), offer_.end())) {
    return std::nullopt;
  }
  const auto& offered = config_.algorithms;
  if (std::find(offered.begin(), offered.end(), choice->algorithm) == offered.end()) {
    return std::nullopt;
  }
  return choice->algorithm;
}

std::optional<std::string> LongTermAuthenticator::UsernameOf(const MessageView& request) const {
  if (const auto username = request.GetString(AttributeType::kUsername)) {
    return std::string(*username);
  }
  if (!config_.username_anonymity) return std::nullopt;
  const auto userhash = request.Find(AttributeType::kUserhash);
  if (!userhash) return std::nullopt;
  return credentials_->UsernameOf(*userhash, config_.realm);
}

tl::expected<PasswordAlgorithm, Rejection> LongTermAuthenticator::CheckForm(
    Timestamp now, const MessageView& request, const TransportAddress& source) const {
  CHECK(request.IsRequest());
  if (!request.HasIntegrity() && !request.HasIntegritySha256()) {
    return tl::unexpected(Challenge(now, request, source, kErrorUnauthenticated,
                                    "the request has no message integrity"));
  }
  const bool named = request.Has(AttributeType::kUsername) || request.Has(AttributeType::kUserhash);
  if (!named || !request.Has(AttributeType::kRealm) || !request.GetString(AttributeType::kNonce)) {
    return tl::unexpected(BadRequest(request, "USERNAME or USERHASH, REALM or NONCE is missing"));
  }
  const std::optional<PasswordAlgorithm> algorithm = AlgorithmOf(request);
  if (!algorithm) {
    return tl::unexpected(
        BadRequest(request, "PASSWORD-ALGORITHM and PASSWORD-ALGORITHMS don't match the offer"));
  }
  // RFC 5389 section 10.2.2 has the nonce before user and integrity, RFC 8489 after them.
  if (!config_.nonce_cookie) {
    if (auto stale = CheckNonce(now, request, source)) return tl::unexpected(*std::move(stale));
  }
  return *algorithm;
}

std::optional<Rejection> LongTermAuthenticator::CheckNonce(Timestamp now,
                                                           const MessageView& request,
                                                           const TransportAddress& source) const {
  const std::string_view nonce = *request.GetString(AttributeType::kNonce);
  if (nonces_.Check(now, source, nonce) == NonceFactory::Verdict::kValid) return std::nullopt;
  return Challenge(now, request, source, kErrorStaleNonce, "the nonce is no longer valid");
}

bool LongTermAuthenticator::Verify(const MessageView& request, const IntegrityKey& key) const {
  if (!config_.check_integrity) return true;
  return request.HasIntegritySha256() ? request.VerifyIntegritySha256(key, config_.min_sha256_size)
                                      : request.VerifyIntegrity(key);
}

tl::expected<Authenticated, Rejection> LongTermAuthenticator::Authenticate(
    Timestamp now, const MessageView& request, const TransportAddress& source) const {
  const auto algorithm = CheckForm(now, request, source);
  if (!algorithm) return tl::unexpected(algorithm.error());
  const std::optional<std::string> username = UsernameOf(request);
  const std::vector<std::string> passwords =
      username ? credentials_->Passwords(*username, now) : std::vector<std::string>();
  if (passwords.empty()) {
    return tl::unexpected(Challenge(now, request, source, kErrorUnauthenticated,
                                    "the user is not known or no longer valid"));
  }
  std::optional<IntegrityKey> key;
  for (const std::string& password : passwords) {
    const IntegrityKey candidate =
        IntegrityKey::LongTerm(*username, config_.realm, password, *algorithm);
    if (Verify(request, candidate)) key = candidate;
  }
  if (!key) {
    return tl::unexpected(
        Challenge(now, request, source, kErrorUnauthenticated, "the message integrity is wrong"));
  }
  if (auto stale = CheckNonce(now, request, source)) return tl::unexpected(*std::move(stale));
  return Authenticated{*username, *key, request.Has(AttributeType::kPasswordAlgorithm)};
}

tl::expected<Authenticated, Rejection> LongTermAuthenticator::AuthenticateWithKey(
    Timestamp now, const MessageView& request, const TransportAddress& source,
    const IntegrityKey& key) const {
  const auto algorithm = CheckForm(now, request, source);
  if (!algorithm) return tl::unexpected(algorithm.error());
  const auto username = request.GetString(AttributeType::kUsername);
  if (!username || !Verify(request, key)) {
    return tl::unexpected(
        Challenge(now, request, source, kErrorUnauthenticated, "the message integrity is wrong"));
  }
  if (auto stale = CheckNonce(now, request, source)) return tl::unexpected(*std::move(stale));
  return Authenticated{std::string(*username), key, request.HasIntegritySha256()};
}

void LongTermAuthenticator::Protect(MessageBuilder& response, const Authenticated& client) {
  if (client.sha256) {
    response.AddMessageIntegritySha256(client.key);
  } else {
    response.AddMessageIntegrity(client.key);
  }
}

Bytes LongTermAuthenticator::UnknownAttributesResponse(const MessageView& request,
                                                       std::span<const AttributeType> unknown,
                                                       const Authenticated* client) {
  MessageBuilder builder = MessageBuilder::ErrorResponseTo(request, kErrorUnknownAttribute);
  builder.AddUnknownAttributes(unknown);
  if (client != nullptr) Protect(builder, *client);
  return builder.Build();
}

}  // namespace rtclab::stun
