// Faults of the header, of attributes, of TCP framing and of where responses go: RFC 8489 sections 5, 6 and 14.
#include "conformance/mutation/fault.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;
using stun::Method;

constexpr std::string_view kStun = "8489";

// Which responses a change is for.
bool IsBinding(const Passing& p) { return p.message.IsSuccess(Method::kBinding); }
// Faults of the header are in error responses only: to a server whose every answer looks foreign no run begins.
bool IsError(const Passing& p) {
  return p.message.message_class == stun::MessageClass::kErrorResponse;
}

void AddFramingFaults(std::vector<Fault>& faults) {
  faults.push_back({.id = "tcp-pieces-lost",
                    .what = "forgets a message that does not come in one piece",
                    .rfc = kStun,
                    .section = "6.2.2",
                    .killers = {"stun.tcp.split", "stun.tcp.bytewise"},
                    .from_stream = [](const turn::FiveTuple&, Bytes& bytes, FaultMemory&) {
                      if (bytes.size() < stun::kHeaderSize) return false;
                      const std::size_t size = LoadU16(bytes.data() + 2);
                      return (bytes[0] & 0xc0) != 0 || bytes.size() >= stun::kHeaderSize + size;
                    }});
  faults.push_back({.id = "tcp-second-request-lost",
                    .what = "reads one message of a segment and forgets the others",
                    .rfc = kStun,
                    .section = "6.3.1.2",
                    .killers = {"stun.tcp.pipelined"},
                    .from_stream = [](const turn::FiveTuple&, Bytes& bytes, FaultMemory&) {
                      if (bytes.size() < stun::kHeaderSize || (bytes[0] & 0xc0) != 0) return true;
                      const std::size_t size = stun::kHeaderSize + LoadU16(bytes.data() + 2);
                      if (bytes.size() > size) bytes.resize(size);
                      return true;
                    }});
  faults.push_back({.id = "tcp-closes-after-answer",
                    .what = "closes a connection after its first response",
                    .rfc = kStun,
                    .section = "6.2.2",
                    .killers = {"stun.tcp.keep-open"},
                    .closes_after_answer = true});
  faults.push_back({.id = "response-from-another-address",
                    .what = "answers Allocate from another address than the one asked",
                    .rfc = "8656",
                    .section = "7.2",
                    .killers = {"turn.gen.response-source"},
                    .response = [](Passing& p) {
                      if (p.message.method != Method::kAllocate) return true;
                      for (const TransportAddress& other : p.listening) {
                        if (other.family() != p.source->family() || other == *p.source) continue;
                        *p.source = other;
                        break;
                      }
                      return true;
                    }});
}

void AddMessageFaults(std::vector<Fault>& faults) {
  faults.push_back({.id = "type-top-bits",
                    .what = "sets the first bit of Binding responses",
                    .rfc = kStun,
                    .section = "5",
                    .killers = {"stun.hdr.resp-top-bits"},
                    .response = [](Passing& p) {
                      if (IsBinding(p)) p.message.type_bits = 0x8000;
                      return true;
                    }});
  faults.push_back({.id = "response-cookie-wrong",
                    .what = "sends errors with another magic cookie",
                    .rfc = kStun,
                    .section = "5",
                    .killers = {"stun.hdr.resp-cookie"},
                    .response = [](Passing& p) {
                      if (IsError(p)) p.message.cookie ^= 0x00ff0000;
                      return true;
                    }});
  faults.push_back({.id = "response-transaction-wrong",
                    .what = "sends errors with another transaction id",
                    .rfc = kStun,
                    .section = "5",
                    .killers = {"stun.hdr.resp-txid"},
                    .response = [](Passing& p) {
                      if (IsError(p)) p.message.id[11] ^= 1;
                      return true;
                    }});
  faults.push_back({.id = "response-length-wrong",
                    .what = "counts the header in the length of error responses",
                    .rfc = kStun,
                    .section = "5",
                    .killers = {"stun.hdr.resp-length"},
                    .response = [](Passing& p) {
                      if (IsError(p)) p.message.length_error = 20;
                      return true;
                    }});
  faults.push_back({.id = "response-method-wrong",
                    .what = "answers Binding with the method of Allocate",
                    .rfc = kStun,
                    .section = "6.3.1.1",
                    .killers = {"stun.resp.method"},
                    .response = [](Passing& p) {
                      if (IsBinding(p)) p.message.method = Method::kAllocate;
                      return true;
                    }});
  faults.push_back({.id = "indication-answered",
                    .what = "answers Binding indications",
                    .rfc = kStun,
                    .section = "6.3.2",
                    .killers = {"stun.ind.no-response"},
                    .request = [](Passing& p) {
                      if (p.message.message_class == stun::MessageClass::kIndication &&
                          p.message.method == Method::kBinding) {
                        p.message.message_class = stun::MessageClass::kRequest;
                      }
                      return true;
                    }});
  faults.push_back({.id = "top-bits-ignored",
                    .what = "takes messages whose first two bits are not zero",
                    .rfc = kStun,
                    .section = "6.3",
                    .killers = {"stun.hdr.top-bits"},
                    .from_client = [](const turn::FiveTuple&, Bytes& message) {
                      if (message.size() >= 8 && LoadU32(message.data() + 4) == stun::kMagicCookie)
                        message[0] &= 0x3f;
                      return true;
                    }});
  faults.push_back({.id = "length-not-checked",
                    .what = "takes messages whose length field is wrong",
                    .rfc = kStun,
                    .section = "6.3",
                    .killers = {"stun.hdr.len-too-long"},
                    .from_client = [](const turn::FiveTuple&, Bytes& message) {
                      if (message.size() >= 20 && LoadU32(message.data() + 4) == stun::kMagicCookie)
                        StoreU16(message.data() + 2, static_cast<uint16_t>(message.size() - 20));
                      return true;
                    }});
  faults.push_back({.id = "unknown-method-answered",
                    .what = "treats requests of unknown methods as Binding",
                    .rfc = kStun,
                    .section = "6.3",
                    .killers = {"stun.method.unknown"},
                    .request = [](Passing& p) {
                      if (stun::ToString(p.message.method) == "unknown")
                        p.message.method = Method::kBinding;
                      return true;
                    }});
  faults.push_back({.id = "unsolicited-response-answered",
                    .what = "treats responses that it receives as requests",
                    .rfc = kStun,
                    .section = "6.3",
                    .killers = {"stun.class.unsolicited-response"},
                    .request = [](Passing& p) {
                      if (p.message.IsResponse())
                        p.message.message_class = stun::MessageClass::kRequest;
                      return true;
                    }});
  faults.push_back({.id = "fingerprint-unchecked",
                    .what = "takes messages with a wrong FINGERPRINT",
                    .rfc = kStun,
                    .section = "6.3",
                    .killers = {"stun.fp.bad"},
                    .request = [](Passing& p) {
                      p.message.corrupt_fingerprint = false;
                      return true;
                    }});
  faults.push_back({.id = "fingerprint-wrong",
                    .what = "sends a wrong FINGERPRINT",
                    .rfc = kStun,
                    .section = "14.7",
                    .killers = {"stun.fp.resp-value"},
                    .response = [](Passing& p) {
                      p.message.corrupt_fingerprint = true;
                      return true;
                    }});
  faults.push_back({.id = "fingerprint-not-last",
                    .what = "sends FINGERPRINT before other attributes",
                    .rfc = kStun,
                    .section = "14.7",
                    .killers = {"stun.fp.resp-last"},
                    .response = [](Passing& p) {
                      p.message.fingerprint_first = true;
                      return true;
                    }});
}

void AddMappedFaults(std::vector<Fault>& faults) {
  faults.push_back({.id = "mapped-address-missing",
                    .what = "sends no XOR-MAPPED-ADDRESS",
                    .rfc = kStun,
                    .section = "6.3.1.1",
                    .killers = {"stun.bind.xma-udp", "stun.bind.xma-tcp"},
                    .response = [](Passing& p) {
                      if (IsBinding(p)) p.message.Remove(AttributeType::kXorMappedAddress);
                      return true;
                    }});
  faults.push_back({.id = "mapped-address-not-xored",
                    .what = "sends XOR-MAPPED-ADDRESS without the XOR",
                    .rfc = kStun,
                    .section = "14.2",
                    .killers = {"stun.bind.xma-udp", "stun.bind.xma-ipv6"},
                    .response = [](Passing& p) {
                      auto* mapped = p.message.Find(AttributeType::kXorMappedAddress);
                      if (!IsBinding(p) || mapped == nullptr || mapped->value.size() < 8)
                        return true;
                      Bytes mask = {0x21, 0x12, 0xa4, 0x42};
                      mask.insert(mask.end(), p.message.id.begin(), p.message.id.end());
                      Bytes& value = mapped->value;
                      for (std::size_t i = 0; i < 2; ++i) value[2 + i] ^= mask[i];
                      for (std::size_t i = 4; i < value.size(); ++i) value[i] ^= mask[i - 4];
                      return true;
                    }});
  faults.push_back({.id = "mapped-ipv6-xored-with-cookie-only",
                    .what = "leaves the transaction id out of the XOR of IPv6 addresses",
                    .rfc = kStun,
                    .section = "14.2",
                    .killers = {"stun.bind.xma-ipv6"},
                    .response = [](Passing& p) {
                      auto* mapped = p.message.Find(AttributeType::kXorMappedAddress);
                      if (!IsBinding(p) || mapped == nullptr || mapped->value.size() != 20)
                        return true;
                      for (std::size_t i = 0; i < 12; ++i) mapped->value[8 + i] ^= p.message.id[i];
                      return true;
                    }});
  faults.push_back({.id = "mapped-address-family-wrong",
                    .what = "says IPv6 in XOR-MAPPED-ADDRESS of an IPv4 client",
                    .rfc = kStun,
                    .section = "14.2",
                    .killers = {"stun.bind.xma-udp"},
                    .response = [](Passing& p) {
                      auto* mapped = p.message.Find(AttributeType::kXorMappedAddress);
                      if (IsBinding(p) && mapped != nullptr && mapped->value.size() == 8)
                        mapped->value[1] = 2;
                      return true;
                    }});
  faults.push_back({.id = "mapped-port-wrong",
                    .what = "is one off in the port of XOR-MAPPED-ADDRESS",
                    .rfc = kStun,
                    .section = "6.3.1.1",
                    .killers = {"stun.bind.xma-udp", "stun.bind.xma-tcp", "stun.bind.xma-tls"},
                    .response = [](Passing& p) {
                      auto* mapped = p.message.Find(AttributeType::kXorMappedAddress);
                      if (IsBinding(p) && mapped != nullptr) mapped->value[3] ^= 1;
                      return true;
                    }});
  faults.push_back({.id = "mapped-first-byte",
                    .what = "sets the first byte of XOR-MAPPED-ADDRESS",
                    .rfc = kStun,
                    .section = "14.2",
                    .killers = {"stun.bind.xma-first-byte"},
                    .response = [](Passing& p) {
                      auto* mapped = p.message.Find(AttributeType::kXorMappedAddress);
                      if (mapped != nullptr) mapped->value[0] = 0xff;
                      return true;
                    }});
}

void AddAttributeFaults(std::vector<Fault>& faults) {
  faults.push_back({.id = "padding-not-zero",
                    .what = "pads attributes with bytes that are not zero",
                    .rfc = kStun,
                    .section = "14",
                    .killers = {"stun.attr.pad-zero"},
                    .response = [](Passing& p) {
                      p.message.padding = 0x20;
                      return true;
                    }});
  faults.push_back({.id = "padding-missing",
                    .what = "does not pad the attributes of error responses",
                    .rfc = kStun,
                    .section = "5",
                    .killers = {"stun.hdr.resp-length"},
                    .response = [](Passing& p) {
                      if (IsError(p)) p.message.unpadded = true;
                      return true;
                    }});
  faults.push_back({.id = "software-missing",
                    .what = "sends no SOFTWARE",
                    .rfc = kStun,
                    .section = "6.3.1.1",
                    .killers = {"stun.resp.software"},
                    .response = [](Passing& p) {
                      p.message.Remove(AttributeType::kSoftware);
                      return true;
                    }});
  faults.push_back({.id = "software-not-utf8",
                    .what = "sends a SOFTWARE that is not UTF-8",
                    .rfc = kStun,
                    .section = "14.14",
                    .killers = {"stun.resp.software-format"},
                    .response = [](Passing& p) {
                      if (p.message.Has(AttributeType::kSoftware))
                        p.message.Set(AttributeType::kSoftware, {0xc3, 0x28, 0xff});
                      return true;
                    }});
  faults.push_back({.id = "binding-wants-credentials",
                    .what = "challenges Binding requests",
                    .rfc = kStun,
                    .section = "12",
                    .killers = {"stun.bind.no-auth"},
                    .response = [](Passing& p) {
                      if (!IsBinding(p) || p.request == nullptr || p.request->sha1) return true;
                      p.message.MakeError(401);
                      p.message.Set(AttributeType::kRealm, {'r'});
                      p.message.Set(AttributeType::kNonce, {'n'});
                      return true;
                    }});
  faults.push_back({.id = "nonzero-padding-refused",
                    .what = "refuses requests whose padding is not zero",
                    .rfc = kStun,
                    .section = "14",
                    .killers = {"stun.attr.pad-ignored", "stun.attr.pad-ignored-signed"},
                    .from_client = [](const turn::FiveTuple&, Bytes& message) {
                      const auto view = stun::MessageView::Parse(message);
                      if (!view) return true;
                      for (const stun::AttributeView& attribute : view->attributes()) {
                        const std::size_t end = attribute.offset + 4 + attribute.value.size();
                        for (std::size_t i = end; i % 4 != 0; ++i) {
                          if (message[i] != 0) return false;
                        }
                      }
                      return true;
                    }});
}

}  // namespace

void AddHeaderFaults(std::vector<Fault>& faults) {
  AddMessageFaults(faults);
  AddFramingFaults(faults);
  AddMappedFaults(faults);
  AddAttributeFaults(faults);
}

}  // namespace rtclab::conformance
