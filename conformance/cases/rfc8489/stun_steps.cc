#include "conformance/cases/rfc8489/stun_steps.h"

#include <fmt/format.h>

#include <algorithm>

#include "stack/stun/integrity.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;
using stun::Method;

bool StepOnStream(const Client& client) {
  return client.transport() == Transport::kTcp || client.transport() == Transport::kTls;
}

// Whether a stream's bytes hold what the message's length field promises.
bool StepHoldsMessage(ByteView bytes) {
  return bytes.size() >= stun::kHeaderSize &&
         bytes.size() >= stun::kHeaderSize + LoadU16(bytes.data() + 2);
}

void StepTurnTour(Test& t) {
  Client client = t.Connect();
  client.Once(AllocateRequest().Unsigned());
  client.Call(Request(Method::kAllocate).RequestedTransport(0xfe));
  client.Call(AllocateRequest());
  client.Call(AllocateRequest());  // 437: there is one
  client.Call(Request(Method::kCreatePermission));
  client.Call(Request(Method::kRefresh).Attribute(kUnknownRequired, {}));
  client.Call(Request(Method::kRefresh).Lifetime(600));
  client.Call(Request(Method::kRefresh).Lifetime(0));
}

}  // namespace

Request BindingRequest() { return Request(Method::kBinding); }

Response AskBinding(Test& t, Client& client, const Request& request) {
  Response response = client.Once(Request(request).Unsigned());
  if (response.code() != 401 || !response.Has(AttributeType::kNonce)) return response;
  if (!t.target().user) t.Skip("the server wants credentials for Binding, and none were given");
  return client.Once(Request(request).Sign({}));
}

Bytes RawStun(Test& t, uint16_t type, ByteView body, std::optional<uint16_t> length,
              uint32_t cookie, const std::optional<stun::TransactionId>& id) {
  ByteWriter out;
  out.WriteU16(type);
  out.WriteU16(length.value_or(static_cast<uint16_t>(body.size())));
  out.WriteU32(cookie);
  out.WriteBytes(id ? *id : stun::NewTransactionId(t.rng()));
  out.WriteBytes(body);
  return out.Take();
}

Bytes RawAnswer(Test& t, Client& client, ByteView request) {
  const bool stream = StepOnStream(client);
  const TimeDelta wait = stream ? t.target().answer_timeout : t.target().answer_timeout / 3;
  for (int attempt = 0; attempt < (stream ? 1 : 3); ++attempt) {
    client.SendRaw(request);
    const Timestamp end = t.Now() + wait;
    Bytes got;
    while (t.Now() < end) {
      const auto piece = client.ReceiveRaw(end - t.Now());
      if (!piece) break;
      got.insert(got.end(), piece->bytes.begin(), piece->bytes.end());
      if (!stream || StepHoldsMessage(got)) return got;
    }
    if (!got.empty()) return got;
  }
  return {};
}

bool HasTurn(Test& t) {
  return !t.target().stun_only && t.target().user && t.Supports(Feature::kTurn);
}

void BindingTour(Test& t) {
  Client client = t.Connect();
  AskBinding(t, client);
  AskBinding(t, client, BindingRequest().Attribute(kUnknownRequired, {}));
  Signing with_fingerprint{.kind = Signing::Kind::kNone};
  with_fingerprint.fingerprint = true;
  client.Once(BindingRequest().Sign(with_fingerprint));
}

void Tour(Test& t) {
  BindingTour(t);
  if (HasTurn(t)) StepTurnTour(t);
}

int CheckEach(Test& t, MessageCheck check, std::string_view expected,
              std::optional<AttributeType> having) {
  int judged = 0;
  int count = 0;
  for (const Packet& packet : t.exchange()) {
    if (packet.sent || !LooksLikeStun(packet.bytes)) continue;
    const auto message = ReadLeniently(packet.bytes);
    ++count;
    if (having && message->Find(*having) == nullptr) continue;
    ++judged;
    if (const auto fault = check(*message, packet.bytes)) {
      t.Fail(std::string(expected),
             fmt::format("{} (a message of type 0x{:04x})", *fault, message->type));
    }
  }
  if (count == 0) t.Block("the server answered nothing");
  return judged;
}

Signing Md5Signing() {
  Signing out;
  out.algorithm = stun::PasswordAlgorithm::kMd5;
  out.sha256 = false;
  out.omit_algorithm = true;
  out.omit_algorithms = true;
  return out;
}

Signing CorruptSigning() {
  Signing out;
  out.corrupt_integrity = true;
  out.corrupt_integrity_sha256 = true;
  return out;
}

Credentials UnknownUser(Test& t) {
  Bytes noise(6);
  t.rng().Fill(noise);
  return {"nobody-" + ToHex(noise), "x" + ToHex(noise)};
}

std::string AlteredNonce(std::string_view nonce) {
  std::string out(nonce);
  if (out.empty()) return "0";
  char& last = out.back();
  last = last == '0' ? '1' : last == 'a' ? 'b' : last == 'A' ? 'B' : '0';
  // Of base64 a last character may carry two bits only; the one before carries six.
  if (out.size() > 1) {
    char& before = out[out.size() - 2];
    before = before == '1' ? '0' : '1';
  }
  return out;
}

stun::IntegrityKey LongTermKey(Test& t, const Client& client, stun::PasswordAlgorithm algorithm) {
  const Credentials& user = *t.target().user;
  return stun::IntegrityKey::LongTerm(user.username, client.realm(), user.password, algorithm);
}

stun::PasswordAlgorithm OfferedAlgorithm(const Client& client) {
  const Bytes& offered = client.offered_algorithms();
  for (std::size_t at = 0; at + 4 <= offered.size();) {
    const uint16_t algorithm = LoadU16(offered.data() + at);
    if (algorithm == 1 || algorithm == 2) return static_cast<stun::PasswordAlgorithm>(algorithm);
    at += 4 + ((std::size_t{LoadU16(offered.data() + at + 2)} + 3) & ~std::size_t{3});
  }
  return stun::PasswordAlgorithm::kMd5;
}

void ExpectChallenge(Test& t, const Client& client, const Response& response,
                     std::string_view what) {
  const bool offers =
      t.target().edition == Edition::kCurrent && !client.offered_algorithms().empty();
  t.Expect(response.Has(AttributeType::kRealm), fmt::format("REALM in the answer to {}", what),
           response.Describe() + " without REALM");
  t.Expect(response.Has(AttributeType::kNonce), fmt::format("NONCE in the answer to {}", what),
           response.Describe() + " without NONCE");
  t.Expect(!offers || response.Has(AttributeType::kPasswordAlgorithms),
           fmt::format("PASSWORD-ALGORITHMS in the answer to {}", what),
           response.Describe() + " without PASSWORD-ALGORITHMS, which the first challenge had");
}

void ExpectMapped(Test& t, const Client& client, const std::optional<TransportAddress>& mapped,
                  std::string_view attribute) {
  const TransportAddress& local = client.local();
  if (!mapped) t.Fail(fmt::format("a well-formed {}", attribute), "none in the response");
  t.Expect(mapped->family() == local.family(),
           fmt::format("{} of the request's address family", attribute), mapped->ToString());
  // A NAT changes the address. Where there is none (the server sees our address, or is on our own host) all of it has to be right.
  if (mapped->ip == local.ip || client.server().ip == local.ip || client.server().ip.IsLoopback()) {
    t.Expect(*mapped == local, fmt::format("{} {}", attribute, local.ToString()),
             mapped->ToString());
    return;
  }
  t.Expect(!mapped->ip.IsAny() && mapped->port != 0,
           fmt::format("{} with an address and a port", attribute), mapped->ToString());
  t.Note(fmt::format("We are {} and the server sees {}: behind a NAT only its form is judged.",
                     local.ToString(), mapped->ToString()));
}

}  // namespace rtclab::conformance
