#include "stack/dtls/fingerprint.h"

#include <algorithm>
#include <array>
#include <utility>

namespace rtclab::dtls {
namespace {

struct HashName {
  std::string_view name;
  std::size_t length;
};
// In order of preference.
constexpr std::array<HashName, 5> kHashNames{
    {{"sha-256", 32}, {"sha-512", 64}, {"sha-384", 48}, {"sha-224", 28}, {"sha-1", 20}}};

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// RFC 8866 section 9: what a token may consist of, as far as hash names go.
bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '+';
}

}  // namespace

std::size_t FingerprintLength(std::string_view algorithm) {
  for (const HashName& hash : kHashNames) {
    if (hash.name == algorithm) return hash.length;
  }
  return 0;
}

std::string_view PreferredAlgorithm(std::span<const Fingerprint> offered) {
  for (const HashName& hash : kHashNames) {
    if (std::ranges::any_of(offered, [&](const auto& f) { return f.algorithm == hash.name; })) {
      return hash.name;
    }
  }
  return {};
}

Result<Fingerprint> Fingerprint::Parse(std::string_view text) {
  Fingerprint result;
  std::size_t at = 0;
  while (at < text.size() && IsNameCharacter(text[at])) {
    const char c = text[at++];
    result.algorithm.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  if (at == 0) return Fail("fingerprint: expected the name of a hash", at);
  if (at == text.size() || text[at] != ' ') {
    return Fail("fingerprint: expected a space after the name of the hash", at);
  }
  ++at;
  while (true) {
    if (text.size() - at < 2 || HexDigit(text[at]) < 0 || HexDigit(text[at + 1]) < 0) {
      return Fail("fingerprint: expected two hexadecimal digits", at);
    }
    result.value.push_back(static_cast<uint8_t>(HexDigit(text[at]) << 4 | HexDigit(text[at + 1])));
    at += 2;
    if (at == text.size()) break;
    if (text[at] != ':') return Fail("fingerprint: expected a colon between two bytes", at);
    ++at;
  }
  const std::size_t length = FingerprintLength(result.algorithm);
  if (length != 0 && result.value.size() != length) {
    return Fail("fingerprint: a " + result.algorithm + " value has " + std::to_string(length) +
                    " bytes, found " + std::to_string(result.value.size()),
                at);
  }
  return result;
}

std::string Fingerprint::ToString() const {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text = algorithm;
  text.reserve(text.size() + value.size() * 3 + 1);
  char separator = ' ';
  for (const uint8_t byte : value) {
    text.push_back(std::exchange(separator, ':'));
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

}  // namespace rtclab::dtls
