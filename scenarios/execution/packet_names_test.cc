#include "scenarios/execution/packet_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace rtclab::scenarios {
namespace {

// A DTLS 1.2 record of sequence number 0.
Bytes RecordOf(uint8_t type, uint8_t epoch, const Bytes& body) {
  Bytes bytes = {type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 0};
  bytes.push_back(static_cast<uint8_t>(body.size() >> 8));
  bytes.push_back(static_cast<uint8_t>(body.size()));
  bytes.insert(bytes.end(), body.begin(), body.end());
  return bytes;
}

// A handshake message whose fragment has `size` bytes from `offset` of `length`.
Bytes HandshakeOf(uint8_t type, uint8_t length, uint8_t offset, uint8_t size) {
  Bytes bytes = {type, 0, 0, length, 0, 0, 0, 0, offset, 0, 0, size};
  bytes.resize(bytes.size() + size);
  return bytes;
}

Bytes Joined(std::initializer_list<Bytes> parts) {
  Bytes bytes;
  for (const Bytes& part : parts) bytes.insert(bytes.end(), part.begin(), part.end());
  return bytes;
}

TEST(PacketNamesTest, DtlsByItsHandshakeMessages) {
  const std::pair<Bytes, std::string> cases[] = {
      {RecordOf(22, 0, HandshakeOf(1, 4, 0, 4)), "DTLS ClientHello"},
      {Joined(
           {RecordOf(22, 0, HandshakeOf(2, 4, 0, 4)), RecordOf(22, 0, HandshakeOf(11, 9, 0, 5))}),
       "DTLS ServerHello, Certificate (bytes 0 to 5 of 9)"},
      {RecordOf(
           22, 0,
           Joined({HandshakeOf(12, 3, 0, 3), HandshakeOf(13, 2, 0, 2), HandshakeOf(14, 0, 0, 0)})),
       "DTLS ServerKeyExchange, CertificateRequest, ServerHelloDone"},
      {Joined({RecordOf(22, 0, HandshakeOf(16, 1, 0, 1)), RecordOf(22, 0, HandshakeOf(15, 1, 0, 1)),
               RecordOf(20, 0, {1}), RecordOf(22, 1, Bytes(40))}),
       "DTLS ClientKeyExchange, CertificateVerify, ChangeCipherSpec, Finished (encrypted)"},
      {RecordOf(22, 0, HandshakeOf(3, 0, 0, 0)), "DTLS HelloVerifyRequest"},
      {RecordOf(22, 0, HandshakeOf(99, 0, 0, 0)), "DTLS handshake message"},
      {RecordOf(21, 0, {2, 40}), "DTLS fatal alert 40"},
      {RecordOf(21, 0, {1, 0}), "DTLS warning alert 0"},
      {RecordOf(21, 1, Bytes(30)), "DTLS encrypted alert"},
      {RecordOf(22, 0, {1, 0, 0}), "DTLS malformed handshake"},
      {Joined({RecordOf(23, 1, Bytes(30)), RecordOf(21, 1, Bytes(30))}),
       "DTLS application data, encrypted alert"},
      {{22, 0xfe, 0xfd}, "malformed DTLS"},
  };
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(NamePayload(bytes).text, text);
    EXPECT_FALSE(NamePayload(bytes).bulk) << text;
  }
}

TEST(PacketNamesTest, MediaAndDataAreBulk) {
  const std::pair<Bytes, std::string> cases[] = {
      {RecordOf(23, 1, Bytes(30)), "DTLS data (SCTP)"},
      {{0x80, 111, 0, 1}, "SRTP opus"},
      {{0x80, 0x80 | 96, 0, 1}, "SRTP VP8"},
      {{0x80, 97, 0, 1}, "SRTP retransmission of VP8"},
      {{0x80, 13, 0, 1}, "SRTP payload type 13"},
      {{0x80, 200, 0, 1}, "SRTCP sender report"},
      {{0x81, 201, 0, 1}, "SRTCP receiver report"},
      {{0x81, 205, 0, 1}, "SRTCP NACK"},
      {{0x8F, 205, 0, 1}, "SRTCP congestion feedback"},
      {{0x81, 206, 0, 1}, "SRTCP PLI"},
      {{0x84, 206, 0, 1}, "SRTCP FIR"},
      {{0x81, 203, 0, 1}, "SRTCP BYE"},
      {{0x40, 0x01, 0, 4, 0x80, 111, 0, 1}, "ChannelData [SRTP opus]"},
      {{0xff, 0xff}, "data"},
      {{}, "data"},
  };
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(NamePayload(bytes).text, text);
    EXPECT_TRUE(NamePayload(bytes).bulk) << text;
  }
}

TEST(PacketNamesTest, NoPrefixOfADatagramIsTooShort) {
  const Bytes whole = Joined(
      {{0x40, 0x01, 0, 60}, RecordOf(22, 0, HandshakeOf(1, 20, 2, 9)), RecordOf(21, 0, {2, 40})});
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    EXPECT_FALSE(NamePayload(ByteView(whole).first(size)).text.empty()) << size;
  }
}

TEST(PacketNamesTest, StunByMethodAndClass) {
  const Bytes request = {0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  EXPECT_EQ(NamePayload(request).text, "Binding request");
  EXPECT_FALSE(NamePayload(request).bulk);
  EXPECT_FALSE(NamePayload(Joined({{0x40, 0x01, 0, 20}, request})).bulk);
}

}  // namespace
}  // namespace rtclab::scenarios
