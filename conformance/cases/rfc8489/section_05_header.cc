// RFC 8489 section 5: the header of a message, as a server reads it and as it writes it.
#include <fmt/format.h>

#include <algorithm>

#include "conformance/cases/rfc8489/stun_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

constexpr std::string_view kHdrDiscard =
    "If any errors are detected, the message is silently discarded.";

Clause HdrDiscardClause() { return {"8489", "6.3", Level::kProse, kHdrDiscard}; }

void HdrTopBits(Test& t) {
  Client client = t.Connect();
  client.SendRaw(RawStun(t, 0x8001));
  client.SendRaw(RawStun(t, 0xc001));
  t.ExpectSilence(client, "messages whose first two bits are 10 and 11");
}

void HdrTruncated(Test& t) {
  Client client = t.Connect();
  const Bytes whole = RawStun(t, kBindingRequestType);
  for (const std::size_t size : {1U, 2U, 4U, 8U, 16U, 19U}) {
    client.SendRaw(ByteView(whole).first(size));
  }
  t.ExpectSilence(client, "the first 1, 2, 4, 8, 16 and 19 bytes of a Binding request");
}

void HdrLengthNotMultipleOf4(Test& t) {
  Client client = t.Connect();
  const Bytes rest = {0x80, 0x22, 0x00};
  for (const std::size_t size : {1U, 2U, 3U}) {
    client.SendRaw(RawStun(t, kBindingRequestType, ByteView(rest).first(size)));
  }
  t.ExpectSilence(client, "Binding requests of length 1, 2 and 3");
}

void HdrLengthTooLong(Test& t) {
  Client client = t.Connect();
  client.SendRaw(RawStun(t, kBindingRequestType, {}, 32));
  client.SendRaw(RawStun(t, kBindingRequestType, {}, 0xfffc));
  const Bytes software = {0x80, 0x22, 0x00, 0x04, 't', 'e', 's', 't'};
  client.SendRaw(RawStun(t, kBindingRequestType, software, 12));
  t.ExpectSilence(client, "Binding requests whose length reaches past the datagram");
}

void HdrLengthTooShort(Test& t) {
  Client client = t.Connect();
  const Bytes tail = {0x7f, 0xfe, 0x00, 0x04, 0xde, 0xad, 0xbe, 0xef};
  stun::TransactionId id = stun::NewTransactionId(t.rng());
  const Bytes request = RawStun(t, kBindingRequestType, tail, 0, stun::kMagicCookie, id);
  client.SendRaw(request);
  const Response response = client.Await(id, t.target().silence * 2);
  if (!response) t.Info("a datagram that is longer than its message is discarded");
  if (response.success()) t.Info("bytes behind the message are ignored, and it is answered");
  t.Info("answered with " + response.Describe() +
         (response.code() == 420 ? ": the bytes behind the message are read as attributes" : ""));
}

// A server that also serves RFC 3489 takes the message for one of its clients' and copies all 128 bits (RFC 5389 section 12.2).
void HdrBadCookie(Test& t) {
  Client client = t.Connect();
  const Bytes request = RawStun(t, kBindingRequestType, {}, 0, 0x11223344);
  client.SendRaw(request);
  while (const auto received = client.ReceiveRaw(t.target().silence)) {
    const Bytes& answer = received->bytes;
    t.Expect(answer.size() >= 20 &&
                 std::equal(request.begin() + 4, request.begin() + 20, answer.begin() + 4),
             "nothing, or an RFC 3489 answer that repeats the 128 bits of the transaction id",
             "an answer with " +
                 ToHex(ByteView(answer).first(std::min<std::size_t>(20, answer.size()))));
    t.Note("Answered as a client of RFC 3489.");
  }
  const Response alive = AskBinding(t, client);
  t.Expect(alive.received(), "an answer to a proper Binding request afterwards", "none");
}

// The server's own header, from the first bytes that come back.
Bytes HdrAnswer(Test& t, ByteView request) {
  Client client = t.Connect();
  Bytes answer = RawAnswer(t, client, request);
  if (answer.size() < stun::kHeaderSize) {
    t.Block(fmt::format("{} bytes came back on a Binding request", answer.size()));
  }
  return answer;
}

Bytes UnknownAttributeBody() { return {0x7f, 0xfe, 0x00, 0x00}; }

void HdrResponseCookie(Test& t) {
  for (const Bytes& body : {Bytes{}, UnknownAttributeBody()}) {
    const Bytes answer = HdrAnswer(t, RawStun(t, kBindingRequestType, body));
    t.Expect(LoadU32(answer.data() + 4) == stun::kMagicCookie, "the magic cookie 2112a442",
             ToHex(ByteView(answer).subspan(4, 4)));
  }
}

void HdrResponseId(Test& t) {
  stun::TransactionId ones{};
  ones.fill(0xff);
  for (const stun::TransactionId& id :
       {stun::NewTransactionId(t.rng()), stun::TransactionId{}, ones}) {
    for (const Bytes& body : {Bytes{}, UnknownAttributeBody()}) {
      const Bytes answer =
          HdrAnswer(t, RawStun(t, kBindingRequestType, body, {}, stun::kMagicCookie, id));
      t.Expect(std::equal(id.begin(), id.end(), answer.begin() + 8),
               "the transaction id " + ToHex(id), ToHex(ByteView(answer).subspan(8, 12)));
    }
  }
}

void HdrResponseLength(Test& t) {
  for (const Bytes& body : {Bytes{}, UnknownAttributeBody()}) {
    const Bytes answer = HdrAnswer(t, RawStun(t, kBindingRequestType, body));
    if (const auto fault = LengthFault(*ReadLeniently(answer), answer)) {
      t.Fail("a length field that is right and a multiple of 4", *fault);
    }
  }
  Tour(t);
  CheckEach(t, LengthFault, "a length field that is right and a multiple of 4");
}

void HdrResponseTopBits(Test& t) {
  const Bytes answer = HdrAnswer(t, RawStun(t, kBindingRequestType));
  t.Expect((answer[0] & 0xc0) == 0, "two zero bits at the beginning",
           fmt::format("a first byte of 0x{:02x}", answer[0]));
}

Needs HdrOverUdp() { return {.transport = Transport::kUdp}; }

void AddHdrReceived(CaseList& cases) {
  cases.push_back(
      {.id = "stun.hdr.top-bits",
       .title = "A message whose first two bits are not zero is discarded",
       .clauses = {HdrDiscardClause(),
                   {"8489", "5", Level::kMust,
                    "The most significant 2 bits of every STUN message MUST be zeroes."}},
       .needs = HdrOverUdp(),
       .run = HdrTopBits});
  cases.push_back(
      {.id = "stun.hdr.truncated",
       .title = "A datagram shorter than the header is discarded",
       .clauses = {HdrDiscardClause(),
                   {"8489", "5", Level::kProse,
                    "All STUN messages comprise a 20-byte header followed by zero or more "
                    "attributes."}},
       .needs = HdrOverUdp(),
       .run = HdrTruncated});
  cases.push_back(
      {.id = "stun.hdr.len-not-mult4",
       .title = "A message whose length is no multiple of 4 is discarded",
       .clauses = {HdrDiscardClause(),
                   {"8489", "5", Level::kProse,
                    "Since all STUN attributes are padded to a multiple of 4 bytes, the last 2 "
                    "bits of this field are always zero."}},
       .needs = HdrOverUdp(),
       .run = HdrLengthNotMultipleOf4});
  cases.push_back(
      {.id = "stun.hdr.len-too-long",
       .title = "A message whose length reaches past the datagram is discarded",
       .clauses = {HdrDiscardClause(),
                   {"8489", "5", Level::kMust,
                    "The message length MUST contain the size of the message in bytes, not "
                    "including the 20-byte STUN header."}},
       .needs = HdrOverUdp(),
       .run = HdrLengthTooLong});
  cases.push_back(
      {.id = "stun.hdr.len-too-short",
       .title = "What becomes of bytes behind the message in a datagram",
       .clauses = {{"8489", "6.3", Level::kInfo, "that the message length is sensible"}},
       .needs = HdrOverUdp(),
       .run = HdrLengthTooShort});
  cases.push_back(
      {.id = "stun.hdr.bad-cookie",
       .title = "A wrong magic cookie is discarded, or answered as RFC 3489 has it",
       .clauses = {HdrDiscardClause(),
                   {"5389", "12.2", Level::kShould,
                    "it SHOULD copy the value seen in the magic cookie field in the Binding "
                    "request to the magic cookie field in the Binding response message"}},
       .needs = HdrOverUdp(),
       .run = HdrBadCookie});
}

void AddHdrSent(CaseList& cases) {
  cases.push_back(
      {.id = "stun.hdr.resp-top-bits",
       .title = "Responses begin with two zero bits",
       .clauses = {{"8489", "5", Level::kMust,
                    "The most significant 2 bits of every STUN message MUST be zeroes."}},
       .run = HdrResponseTopBits});
  cases.push_back(
      {.id = "stun.hdr.resp-cookie",
       .title = "Responses carry the magic cookie",
       .clauses = {{"8489", "5", Level::kMust,
                    "The Magic Cookie field MUST contain the fixed value 0x2112A442 in network "
                    "byte order."}},
       .run = HdrResponseCookie});
  cases.push_back(
      {.id = "stun.hdr.resp-txid",
       .title = "Responses carry the request's transaction id",
       .clauses = {{"8489", "5", Level::kMust,
                    "Success and error responses MUST carry the same transaction ID as their "
                    "corresponding request."}},
       .run = HdrResponseId});
  cases.push_back(
      {.id = "stun.hdr.resp-length",
       .title = "Responses say their length",
       .clauses = {{"8489", "5", Level::kMust,
                    "The message length MUST contain the size of the message in bytes, not "
                    "including the 20-byte STUN header."}},
       .run = HdrResponseLength});
}

}  // namespace

void AddRfc8489Section05(CaseList& cases) {
  AddHdrReceived(cases);
  AddHdrSent(cases);
}

}  // namespace rtclab::conformance
