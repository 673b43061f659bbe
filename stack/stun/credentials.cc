#include "stack/stun/credentials.h"

#include <charconv>
#include <utility>

#include "stack/crypto/base64.h"
#include "stack/crypto/constant_time.h"
#include "stack/stun/integrity.h"
#include "stack/stun/precis.h"

namespace rtclab::stun {
namespace {

std::string RestPassword(std::string_view secret, std::string_view username) {
  return crypto::Base64Encode(crypto::HmacSha1(AsBytes(secret)).Compute(AsBytes(username)));
}

}  // namespace

Result<void> StaticCredentials::Add(std::string_view username, std::string_view password) {
  Result<std::string> name = PrepareOpaqueString(username);
  if (!name) return tl::unexpected(name.error());
  Result<std::string> prepared = PrepareOpaqueString(password);
  if (!prepared) return tl::unexpected(prepared.error());
  passwords_.insert_or_assign(*std::move(name), *std::move(prepared));
  return {};
}

std::vector<std::string> StaticCredentials::Passwords(std::string_view username, Timestamp) const {
  const auto it = passwords_.find(username);
  if (it == passwords_.end()) return {};
  return {it->second};
}

std::optional<std::string> StaticCredentials::UsernameOf(ByteView userhash,
                                                         std::string_view realm) const {
  for (const auto& [name, password] : passwords_) {
    if (crypto::ConstantTimeEqual(userhash, Userhash(name, realm))) return name;
  }
  return std::nullopt;
}

RestCredentials::RestCredentials(std::vector<std::string> secrets, int64_t unix_time_at_zero_s)
    : secrets_(std::move(secrets)), unix_time_at_zero_s_(unix_time_at_zero_s) {}

std::vector<std::string> RestCredentials::Passwords(std::string_view username,
                                                    Timestamp now) const {
  const std::string_view digits = username.substr(0, username.find(':'));
  int64_t expiry_s = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), expiry_s);
  const bool is_number = error == std::errc() && end == digits.data() + digits.size();
  if (!is_number || unix_time_at_zero_s_ + now.nanos() / 1'000'000'000 >= expiry_s) return {};
  std::vector<std::string> out;
  for (const std::string& secret : secrets_) out.push_back(RestPassword(secret, username));
  return out;
}

std::optional<std::string> RestCredentials::UsernameOf(ByteView, std::string_view) const {
  return std::nullopt;
}

RestCredential MakeRestCredential(std::string_view secret, int64_t expiry_unix_s,
                                  std::string_view user) {
  std::string username = std::to_string(expiry_unix_s);
  if (!user.empty()) username.append(":").append(user);
  std::string password = RestPassword(secret, username);
  return {std::move(username), std::move(password)};
}

}  // namespace rtclab::stun
