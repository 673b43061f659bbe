#include "conformance/cases/rfc8489/client_hello.h"

#include <algorithm>
#include <array>

namespace rtclab::conformance {
namespace {

constexpr uint8_t kHelloRecord = 22;  // RFC 5246 section 6.2.1: handshake
constexpr uint8_t kHelloAlertRecord = 21;

// RFC 8446 section 4.1.3: a ServerHello with this random is a HelloRetryRequest.
constexpr std::array<uint8_t, 32> kHelloRetryRandom = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

// Extensions of a plain TLS 1.2 client: groups x25519, P-256, P-384 and ffdhe2048; uncompressed points; signatures with RSA and
// ECDSA over SHA-2; secure renegotiation.
constexpr std::array<uint8_t, 51> kHelloExtensions = {
    0x00, 0x0a, 0x00, 0x0a, 0x00, 0x08, 0x00, 0x1d, 0x00, 0x17, 0x00, 0x18, 0x01, 0x00,        //
    0x00, 0x0b, 0x00, 0x02, 0x01, 0x00,                                                        //
    0x00, 0x0d, 0x00, 0x12, 0x00, 0x10, 0x08, 0x04, 0x04, 0x03, 0x04, 0x01, 0x08, 0x05, 0x05,  //
    0x03, 0x05, 0x01, 0x08, 0x06, 0x06, 0x01,                                                  //
    0xff, 0x01, 0x00, 0x01, 0x00,                                                              //
    0x00, 0x17, 0x00, 0x00};

Bytes HelloBody(Rng& rng, uint16_t version, std::span<const uint16_t> suites, ByteView compression,
                bool with_cookie_field) {
  ByteWriter out;
  out.WriteU16(version);
  std::array<uint8_t, 32> random{};
  rng.Fill(random);
  out.WriteBytes(random);
  out.WriteU8(0);                         // session id
  if (with_cookie_field) out.WriteU8(0);  // cookie
  out.WriteU16(static_cast<uint16_t>(2 * suites.size()));
  for (const uint16_t suite : suites) out.WriteU16(suite);
  out.WriteU8(static_cast<uint8_t>(compression.size()));
  out.WriteBytes(compression);
  out.WriteU16(static_cast<uint16_t>(kHelloExtensions.size()));
  out.WriteBytes(kHelloExtensions);
  return out.Take();
}

void WriteHelloU24(ByteWriter& out, std::size_t value) {
  out.WriteU8(static_cast<uint8_t>(value >> 16));
  out.WriteU16(static_cast<uint16_t>(value));
}

// What follows the handshake header of a ServerHello, as far as it is here.
HelloAnswer ReadServerHello(ByteView body) {
  HelloAnswer out;
  if (body.size() < 35) return out;
  if (std::equal(kHelloRetryRandom.begin(), kHelloRetryRandom.end(), body.begin() + 2)) {
    out.kind = HelloAnswer::Kind::kHelloRetryRequest;
    return out;
  }
  const std::size_t at = 35U + body[34];
  if (body.size() < at + 3) return out;
  out.kind = HelloAnswer::Kind::kServerHello;
  out.suite = LoadU16(body.data() + at);
  out.compression = body[at + 2];
  return out;
}

}  // namespace

Bytes TlsClientHello(Rng& rng, std::span<const uint16_t> suites, ByteView compression) {
  const Bytes body = HelloBody(rng, 0x0303, suites, compression, false);
  ByteWriter out;
  out.WriteU8(kHelloRecord);
  out.WriteU16(0x0301);  // RFC 5246 appendix E.1: what old servers take
  out.WriteU16(static_cast<uint16_t>(body.size() + 4));
  out.WriteU8(1);
  WriteHelloU24(out, body.size());
  out.WriteBytes(body);
  return out.Take();
}

Bytes DtlsClientHello(Rng& rng, std::span<const uint16_t> suites) {
  const Bytes no_compression = {0};
  const Bytes body = HelloBody(rng, 0xfefd, suites, no_compression, true);
  ByteWriter out;
  out.WriteU8(kHelloRecord);
  out.WriteU16(0xfeff);
  out.WriteZeros(8);  // epoch and sequence number
  out.WriteU16(static_cast<uint16_t>(body.size() + 12));
  out.WriteU8(1);
  WriteHelloU24(out, body.size());
  out.WriteU16(0);  // message_seq
  WriteHelloU24(out, 0);
  WriteHelloU24(out, body.size());
  out.WriteBytes(body);
  return out.Take();
}

std::optional<HelloAnswer> ReadTlsAnswer(ByteView stream) {
  if (stream.size() < 5) return std::nullopt;
  const std::size_t size = LoadU16(stream.data() + 3);
  if (stream.size() < 5 + size) return std::nullopt;
  const ByteView record = stream.subspan(5, size);
  HelloAnswer out;
  if (stream[0] == kHelloAlertRecord && size >= 2) {
    out.kind = HelloAnswer::Kind::kAlert;
    out.alert = record[1];
  } else if (stream[0] == kHelloRecord && size >= 4 && record[0] == 2) {
    return ReadServerHello(record.subspan(4));
  }
  return out;
}

std::optional<HelloAnswer> ReadDtlsAnswer(ByteView datagram) {
  if (datagram.size() < 13) return std::nullopt;
  const ByteView record = datagram.subspan(13);
  HelloAnswer out;
  if (datagram[0] == kHelloAlertRecord && record.size() >= 2) {
    out.kind = HelloAnswer::Kind::kAlert;
    out.alert = record[1];
  } else if (datagram[0] == kHelloRecord && record.size() >= 12 && record[0] == 3) {
    out.kind = HelloAnswer::Kind::kHelloVerifyRequest;
  } else if (datagram[0] == kHelloRecord && record.size() >= 12 && record[0] == 2) {
    return ReadServerHello(record.subspan(12));
  }
  return out;
}

}  // namespace rtclab::conformance
