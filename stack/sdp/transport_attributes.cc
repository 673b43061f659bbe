// Attributes of the transport: ICE, DTLS, SCTP, RTCP's port.
#include <algorithm>
#include <utility>

#include "stack/sdp/attribute_parser.h"

namespace rtclab::sdp {
namespace {

// Reads one of the names that ToString() gives the values from the first to `last`.
template <typename Enum>
bool ReadEnum(Scanner& in, AttributeValue& out, Enum last, std::string_view what) {
  std::string_view name;
  const std::size_t start = in.position();
  if (!in.Run(kTokenChar, name, what)) return false;
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    if (ToString(static_cast<Enum>(i)) != name) continue;
    out = static_cast<Enum>(i);
    return in.End();
  }
  return in.FailAt(start, what);
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Bytes of a digest by its name in RFC 8122 section 5; 0 for others.
std::size_t DigestSize(std::string_view algorithm) {
  constexpr std::pair<std::string_view, std::size_t> kSizes[] = {
      {"sha-256", 32}, {"sha-1", 20}, {"sha-224", 28}, {"sha-384", 48},
      {"sha-512", 64}, {"md5", 16},   {"md2", 16}};
  for (const auto& [name, size] : kSizes)
    if (name == algorithm) return size;
  return 0;
}

}  // namespace

bool ReadCandidate(Scanner& in, AttributeValue& out) {
  auto& candidate = out.emplace<Candidate>();
  candidate.text = in.rest();
  std::string_view field;
  uint64_t number = 0;
  std::size_t start = in.position();
  if (!in.Run(kIceChar, field, "a foundation of ice-chars")) return false;
  if (field.size() > 32) return in.FailAt(start, "a foundation of at most 32 characters");
  if (!in.Space("a component id") || !in.Number(number, "a component id from 1 to 256", 1, 256) ||
      !in.Space("a transport") || !in.Run(kTokenChar, field, "a transport such as udp") ||
      !in.Space("a priority") ||
      !in.Number(number, "a priority of at most ten digits", 0, 9'999'999'999) ||
      !in.Space("an address") || !in.Run(kVisibleChar, field, "an address") ||
      !in.Space("a port") || !in.Number(number, "a port from 0 to 65535", 0, 65535) ||
      !in.Space("\"typ\""))
    return false;
  start = in.position();
  if (!in.Run(kTokenChar, field, "\"typ\"")) return false;
  if (field != "typ") return in.FailAt(start, "\"typ\"");
  if (!in.Space("a candidate type") || !in.Run(kTokenChar, field, "a candidate type such as host"))
    return false;
  return in.AtEnd() || in.Space("extensions");
}

bool ReadRemoteCandidates(Scanner& in, AttributeValue& out) {
  auto& list = out.emplace<RemoteCandidates>();
  do {
    RemoteCandidates::Entry entry;
    if (!in.Number(entry.component, "a component id from 1 to 256", 1, 256) ||
        !in.Space("an address") || !in.Run(kVisibleChar, entry.address, "an address") ||
        !in.Space("a port") || !in.Number(entry.port, "a port from 0 to 65535"))
      return false;
    list.entries.push_back(std::move(entry));
  } while (in.Skip(' '));
  return in.End();
}

bool ReadIceUfrag(Scanner& in, AttributeValue& out) {
  return in.Bounded(kIceChar, 4, 256, out.emplace<IceUfrag>().value, "4 to 256 ice-chars") &&
         in.End();
}

bool ReadIcePwd(Scanner& in, AttributeValue& out) {
  return in.Bounded(kIceChar, 22, 256, out.emplace<IcePwd>().value, "22 to 256 ice-chars") &&
         in.End();
}

bool ReadIceOptions(Scanner& in, AttributeValue& out) {
  auto& options = out.emplace<IceOptions>();
  do {
    // ice-chars by the RFC; tokens, since "google-ice" was written for years.
    if (!in.Token(options.tags.emplace_back(), "an ICE option")) return false;
  } while (in.Skip(' '));
  return in.End();
}

bool ReadIcePacing(Scanner& in, AttributeValue& out) {
  return in.Number(out.emplace<IcePacing>().milliseconds, "milliseconds of at most ten digits", 0,
                   9'999'999'999) &&
         in.End();
}

bool ReadFingerprint(Scanner& in, AttributeValue& out) {
  auto& fingerprint = out.emplace<Fingerprint>();
  if (!in.Token(fingerprint.algorithm, "a hash function such as sha-256") ||
      !in.Space("a fingerprint"))
    return false;
  // RFC 8122 section 5: the names compare without case.
  for (char& c : fingerprint.algorithm)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  const std::size_t start = in.position();
  fingerprint.value.reserve(32);
  do {
    const std::string_view rest = in.rest();
    const int high = rest.empty() ? -1 : HexValue(rest[0]);
    const int low = rest.size() < 2 ? -1 : HexValue(rest[1]);
    if (high < 0 || low < 0) return in.Fail("two hexadecimal digits");
    fingerprint.value.push_back(static_cast<uint8_t>(high << 4 | low));
    in.Skip(rest[0]);
    in.Skip(rest[1]);
  } while (in.Skip(':'));
  if (!in.AtEnd()) return in.Fail("\":\" or the end of the line");
  const std::size_t size = DigestSize(fingerprint.algorithm);
  if (size == 0 || fingerprint.value.size() == size) return true;
  return in.FailAt(start, std::to_string(size) + " bytes for " + fingerprint.algorithm);
}

bool ReadSetup(Scanner& in, AttributeValue& out) {
  return ReadEnum(in, out, Setup::kHoldconn, "active, passive, actpass or holdconn");
}

bool ReadConnectionReuse(Scanner& in, AttributeValue& out) {
  return ReadEnum(in, out, ConnectionReuse::kExisting, "new or existing");
}

bool ReadTlsId(Scanner& in, AttributeValue& out) {
  return in.Bounded(kTlsIdChar, 20, 255, out.emplace<TlsId>().value,
                    "20 to 255 tls-id characters") &&
         in.End();
}

bool ReadSctpPort(Scanner& in, AttributeValue& out) {
  // RFC 8841 section 5.2: no leading zeros.
  if (in.rest().size() > 1 && in.Next('0')) return in.Fail("an SCTP port without leading zeros");
  return in.Number(out.emplace<SctpPort>().value, "an SCTP port from 0 to 65535") && in.End();
}

bool ReadMaxMessageSize(Scanner& in, AttributeValue& out) {
  // RFC 8841 section 6.1: no leading zeros.
  if (in.rest().size() > 1 && in.Next('0')) return in.Fail("a size without leading zeros");
  return in.Number(out.emplace<MaxMessageSize>().bytes, "a size in bytes") && in.End();
}

bool ReadSctpmap(Scanner& in, AttributeValue& out) {
  auto& map = out.emplace<Sctpmap>();
  if (!in.Number(map.port, "an SCTP port from 0 to 65535") || !in.Space("a protocol") ||
      !in.Token(map.protocol, "a protocol such as webrtc-datachannel"))
    return false;
  if (in.AtEnd()) return true;
  return in.Space("a number of streams") &&
         in.Number(map.streams.emplace(), "a number of streams") && in.End();
}

bool ReadRtcp(Scanner& in, AttributeValue& out) {
  auto& rtcp = out.emplace<Rtcp>();
  if (!in.Number(rtcp.port, "a port from 0 to 65535")) return false;
  if (in.AtEnd()) return true;
  return in.Space("a network type") && ReadConnectionAddress(in, rtcp.address.emplace(), false) &&
         in.End();
}

}  // namespace rtclab::sdp
