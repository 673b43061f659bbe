#include "conformance/report/exchange_describer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rtclab::conformance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

Packet Piece(bool sent, std::string_view hex, Transport transport = Transport::kTcp) {
  Packet packet;
  packet.at = Timestamp::Nanos(1'234'567);
  packet.sent = sent;
  packet.transport = transport;
  packet.who = "client";
  packet.local = *TransportAddress::Parse("127.0.0.1:50000");
  packet.remote = *TransportAddress::Parse("127.0.0.1:3478");
  packet.bytes = *FromHex(hex);
  return packet;
}

constexpr std::string_view kRequestHex = "0001 0000 2112a442 000102030405060708090a0b";

TEST(ExchangeDescriberTest, HeadSaysWhoWhereAndHowMuch) {
  EXPECT_EQ(ExchangeDescriber::Head(Piece(true, "0001")),
            "     1.235 ms  client 127.0.0.1:50000 -> 127.0.0.1:3478  tcp  2 bytes");
  Packet note = Piece(false, "");
  note.note = "closed\nby the server";
  EXPECT_EQ(ExchangeDescriber::Head(note), "     1.235 ms  client: closed?by the server");
  ExchangeDescriber describer;
  EXPECT_THAT(describer.Body(note), IsEmpty());
}

TEST(ExchangeDescriberTest, MessageInPiecesIsToldWhenItIsWhole) {
  ExchangeDescriber describer;
  EXPECT_THAT(describer.Body(Piece(false, "0001 0000 2112a442")),
              ElementsAre("incomplete: the first 8 bytes of a STUN message"));
  // The other direction is another stream.
  EXPECT_THAT(describer.Body(Piece(true, kRequestHex)),
              ElementsAre(StartsWith("Binding request, 20 bytes"), StartsWith("  transaction")));
  EXPECT_THAT(
      describer.Body(Piece(false,
                           "000102030405060708090a0b 0001 0004 2112a442 "
                           "000102030405060708090a0b")),
      ElementsAre("Binding request, 20 bytes (with 8 bytes from before)",
                  StartsWith("  transaction"), "incomplete: 20 of 24 bytes of a STUN message"));
}

TEST(ExchangeDescriberTest, NothingIsToldBehindAFault) {
  ExchangeDescriber describer;
  EXPECT_THAT(describer.Body(Piece(false, "ff"))[0], StartsWith("malformed"));
  EXPECT_EQ(describer.Body(Piece(false, kRequestHex))[0], "more bytes behind the fault, 20 bytes");
}

// RFC 6062 section 4.4: what follows the success response is the peer's data, also in the same piece.
TEST(ExchangeDescriberTest, BoundConnectionCarriesData) {
  ExchangeDescriber describer;
  EXPECT_THAT(describer.Body(Piece(false, "010b 0000 2112a442 000102030405060708090a0b 0001")),
              ElementsAre("ConnectionBind success response, 20 bytes", StartsWith("  transaction"),
                          "data of the connection, 2 bytes", testing::HasSubstr("00 01")));
  EXPECT_EQ(describer.Body(Piece(true, kRequestHex))[0], "data of the connection, 20 bytes");
}

TEST(ExchangeDescriberTest, WhatPeersExchangeIsData) {
  ExchangeDescriber describer;
  Packet packet = Piece(false, "0001 00", Transport::kUdp);
  packet.who = "peer 2";
  EXPECT_EQ(describer.Body(packet)[0], "data, 3 bytes");
}

}  // namespace
}  // namespace rtclab::conformance
