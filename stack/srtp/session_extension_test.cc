// Encrypted header extensions (RFC 6904).
#include <gtest/gtest.h>

#include "stack/srtp/srtp_test_util.h"

namespace rtclab::srtp {
namespace {

// The identifier and the value, at `offset` in the extension block behind its four bytes of header.
struct Element {
  uint8_t id;
  std::size_t offset, size;
};

struct ExtensionCase {
  const char* name;
  const char* block;  // profile, length, elements and padding (RFC 8285)
  std::vector<Element> elements;
};

// RFC 8285 sections 4.2 and 4.3: ids 1, 2 and 3, padding at the end; then with padding in between.
const ExtensionCase kExtensionCases[] = {
    {"OneByte", "bede0004 10aa 211122 32010203 00000000000000", {{1, 1, 1}, {2, 3, 2}, {3, 6, 3}}},
    {"TwoByte", "10000004 0101aa 0203112233 0303010203 000000", {{1, 2, 1}, {2, 5, 3}, {3, 10, 3}}},
    {"OneByteInnerPadding", "bede0004 10aa 00 211122 00 32010203 0000000000", {}},
    {"TwoByteInnerPadding", "10000004 0101aa 0203112233 00 0303010203 0000", {}},
};

class SrtpExtensionTest : public testing::TestWithParam<std::tuple<uint16_t, std::size_t>> {};

// Another set in the middle of a stream, behind a rollover of the sequence number.
TEST_P(SrtpExtensionTest, TheSetMayChange) {
  const MasterKey master = TestKey(std::get<0>(GetParam()));
  const ExtensionCase& test = kExtensionCases[std::get<1>(GetParam())];
  Session sender = MakeSession(master, Direction::kSend);
  Session receiver = MakeSession(master, Direction::kReceive);
  const auto pass = [&](uint16_t sequence, std::size_t hidden) {
    Bytes plain = RtpPacket(9, sequence, 0);
    plain[0] |= 0x10;
    const Bytes block = *FromHex(test.block);
    plain.insert(plain.end(), block.begin(), block.end());
    plain.insert(plain.end(), 50, 0x42);
    Bytes packet = plain;
    ASSERT_TRUE(sender.Protect(packet));
    const bool same = std::equal(packet.begin(), packet.begin() + 32, plain.begin());
    EXPECT_EQ(same, hidden == 0) << sequence;
    ASSERT_TRUE(receiver.Unprotect(packet)) << sequence;
    EXPECT_EQ(packet, plain);
  };
  uint16_t sequence = 65'534;
  pass(++sequence, 0);
  pass(++sequence, 0);
  for (const std::vector<uint8_t>& set : {std::vector<uint8_t>{2}, {1, 2, 3}, {}}) {
    sender.SetEncryptedExtensions(set);
    receiver.SetEncryptedExtensions(set);
    for (int i = 0; i < 3; ++i) pass(++sequence, set.size());
  }
}

TEST_P(SrtpExtensionTest, OnlyTheNamedElementsAreHidden) {
  const MasterKey master = TestKey(std::get<0>(GetParam()));
  const ExtensionCase& test = kExtensionCases[std::get<1>(GetParam())];
  const Reference reference(master.profile, master.key, master.salt);
  SessionOptions options;
  options.encrypted_extensions = {1, 3};
  Session sender = MakeSession(master, Direction::kSend, options);
  Session receiver = MakeSession(master, Direction::kReceive, options);

  Bytes plain = RtpPacket(9, 77, 0);
  plain[0] |= 0x10;
  const Bytes block = *FromHex(test.block);
  ASSERT_EQ(block.size(), 4u + 16u);
  plain.insert(plain.end(), block.begin(), block.end());
  plain.insert(plain.end(), 50, 0x42);

  // RFC 6904 section 3: the key stream covers the whole block, the mask lets it touch the values of the chosen elements.
  Bytes hidden = plain;
  const Bytes stream = reference.ExtensionKeyStream(plain, 0, 16);
  for (const Element& element : test.elements) {
    if (element.id == 2) continue;
    for (std::size_t i = 0; i < element.size; ++i) {
      hidden[16 + element.offset + i] ^= stream[element.offset + i];
    }
  }
  Bytes packet = plain;
  ASSERT_TRUE(sender.Protect(packet));
  if (test.elements.empty()) {
    // libsrtp does not count padding between elements as part of the key stream, against RFC 6904 section 3.1.
    EXPECT_NE(Bytes(packet.begin() + 16, packet.begin() + 32),
              Bytes(plain.begin() + 16, plain.begin() + 32));
  } else {
    EXPECT_NE(hidden, plain);
    EXPECT_EQ(ToHex(packet), ToHex(reference.Protect(hidden, 32, 0)));
  }
  ASSERT_TRUE(receiver.Unprotect(packet));
  EXPECT_EQ(ToHex(packet), ToHex(plain));
}

TEST_P(SrtpExtensionTest, WithoutNegotiationTheyStayInTheClear) {
  const MasterKey master = TestKey(std::get<0>(GetParam()));
  Session sender = MakeSession(master, Direction::kSend);
  Bytes plain = RtpPacket(9, 77, 0);
  plain[0] |= 0x10;
  const Bytes block = *FromHex(kExtensionCases[std::get<1>(GetParam())].block);
  plain.insert(plain.end(), block.begin(), block.end());
  plain.insert(plain.end(), 50, 0x42);
  Bytes packet = plain;
  ASSERT_TRUE(sender.Protect(packet));
  EXPECT_TRUE(std::equal(plain.begin(), plain.begin() + 32, packet.begin()));
}

INSTANTIATE_TEST_SUITE_P(Profiles, SrtpExtensionTest,
                         testing::Combine(testing::Values(kCmProfile, kGcm128Profile,
                                                          kGcm256Profile),
                                          testing::Range<std::size_t>(0, 4)),
                         [](const auto& test) {
                           return ProfileName(std::get<0>(test.param)) +
                                  kExtensionCases[std::get<1>(test.param)].name;
                         });

}  // namespace
}  // namespace rtclab::srtp
