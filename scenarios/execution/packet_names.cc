#include "scenarios/execution/packet_names.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string_view>

#include "stack/dtls/record.h"
#include "stack/peer/negotiation/capabilities.h"
#include "stack/stun/attribute.h"
#include "stack/stun/demux.h"
#include "stack/stun/message.h"

namespace rtclab::scenarios {
namespace {

std::string DescribeStun(const stun::MessageView& message) {
  std::string text = fmt::format("{} {}", stun::ToString(message.method()),
                                 stun::ToString(message.message_class()));
  if (const auto error = message.GetErrorCode()) text += fmt::format(" {}", error->code);
  if (message.Has(stun::AttributeType::kUseCandidate)) text += " (nominates)";
  return text;
}

// RFC 5246 section 7.4 and RFC 6347 section 4.3.2 (HelloVerifyRequest).
std::string_view HandshakeName(uint8_t type) {
  switch (type) {
    case 0:
      return "HelloRequest";
    case 1:
      return "ClientHello";
    case 2:
      return "ServerHello";
    case 3:
      return "HelloVerifyRequest";
    case 4:
      return "NewSessionTicket";
    case 11:
      return "Certificate";
    case 12:
      return "ServerKeyExchange";
    case 13:
      return "CertificateRequest";
    case 14:
      return "ServerHelloDone";
    case 15:
      return "CertificateVerify";
    case 16:
      return "ClientKeyExchange";
    case 20:
      return "Finished";
    default:
      return "handshake message";
  }
}

// The messages of an unencrypted handshake record:
//   uint8 msg_type; uint24 length; uint16 message_seq; uint24 fragment_offset; uint24 fragment_length; body
std::string DescribeHandshake(ByteView body) {
  constexpr std::size_t kHeader = 12;
  const auto load24 = [&](std::size_t at) {
    return std::size_t{body[at]} << 16 | std::size_t{body[at + 1]} << 8 | body[at + 2];
  };
  std::string text;
  while (body.size() >= kHeader) {
    const std::size_t length = load24(1), offset = load24(6), size = load24(9);
    text += fmt::format("{}{}", text.empty() ? "" : ", ", HandshakeName(body[0]));
    if (size < length)
      text += fmt::format(" (bytes {} to {} of {})", offset, offset + size, length);
    if (size > body.size() - kHeader) break;
    body = body.subspan(kHeader + size);
  }
  return text.empty() ? "malformed handshake" : text;
}

std::string DescribeRecord(const dtls::RecordHeader& header, ByteView body) {
  const bool encrypted = header.epoch > 0;
  switch (header.type) {
    case dtls::ContentType::kChangeCipherSpec:
      return "ChangeCipherSpec";
    case dtls::ContentType::kAlert:
      // RFC 5246 section 7.2: level 2 is fatal, then the description.
      if (encrypted || body.size() < 2) return "encrypted alert";
      return fmt::format("{} alert {}", body[0] == 2 ? "fatal" : "warning", body[1]);
    case dtls::ContentType::kHandshake:
      // The first message under the new keys is the only one that a handshake has there (RFC 5246 section 7.4.9).
      return encrypted ? "Finished (encrypted)" : DescribeHandshake(body);
    case dtls::ContentType::kApplicationData:
      return "application data";
  }
  return "record";
}

PacketName NameDtls(ByteView payload) {
  // What our data channels run over; nothing else sends application data.
  if (const auto summary = dtls::Summarize(payload);
      summary && summary->records == summary->application_records) {
    return {"DTLS data (SCTP)", true};
  }
  std::string text;
  ByteReader reader(payload);
  while (const auto record = dtls::ReadRecord(reader)) {
    text += (text.empty() ? "" : ", ") + DescribeRecord(record->first, record->second);
  }
  return {text.empty() ? "malformed DTLS" : "DTLS " + text, false};
}

// By payload type, as far as nobody had to change it in negotiation.
const std::array<std::string, 128>& CodecNames() {
  static const std::array<std::string, 128> kNames = [] {
    std::array<std::string, 128> names;
    const peer::Capabilities all = peer::DefaultCapabilities();
    for (const peer::KindCapabilities* kind : {&all.audio, &all.video}) {
      for (const peer::CodecCapability& codec : kind->codecs) {
        names[codec.codec.payload_type & 0x7F] = codec.codec.name;
        if (!codec.rtx_payload_type) continue;
        names[*codec.rtx_payload_type & 0x7F] = "retransmission of " + codec.codec.name;
      }
    }
    return names;
  }();
  return kNames;
}

PacketName NameRtp(ByteView payload) {
  const uint8_t type = payload[1] & 0x7F;
  const std::string& codec = CodecNames()[type];
  return {codec.empty() ? fmt::format("SRTP payload type {}", type) : "SRTP " + codec, true};
}

// RFC 3711 section 3.4: the first packet's header is not encrypted.
PacketName NameRtcp(ByteView payload) {
  const int format = payload[0] & 0x1F;
  std::string_view name = "packet";
  switch (payload[1]) {
    case 200:
      name = "sender report";
      break;
    case 201:
      name = "receiver report";
      break;
    case 203:
      name = "BYE";
      break;
    case 205:  // RFC 4585 section 6.2, RFC 8888 section 3.1, draft-holmer-rmcat-transport-wide-cc-extensions-01
      name = format == 1                    ? "NACK"
             : format == 11 || format == 15 ? "congestion feedback"
                                            : "transport feedback";
      break;
    case 206:  // RFC 4585 section 6.3, RFC 5104 section 4.3.1
      name = format == 1 ? "PLI" : format == 4 ? "FIR" : "payload feedback";
      break;
    default:
      break;
  }
  return {fmt::format("SRTCP {}", name), true};
}

PacketName Carried(std::string_view carrier, ByteView payload) {
  PacketName inside = NamePayload(payload);
  inside.text = fmt::format("{} [{}]", carrier, inside.text);
  return inside;
}

}  // namespace

PacketName NamePayload(ByteView payload) {
  constexpr std::size_t kChannelHeader = 4;  // RFC 8656 section 12.4
  switch (stun::Classify(payload)) {
    case stun::PacketKind::kStun: {
      const auto message = stun::MessageView::Parse(payload);
      if (!message) return {"malformed STUN", false};
      const auto data = message->Find(stun::AttributeType::kData);
      return data ? Carried(DescribeStun(*message), *data)
                  : PacketName{DescribeStun(*message), false};
    }
    case stun::PacketKind::kChannelData:
      if (payload.size() < kChannelHeader) return {"malformed ChannelData", false};
      return Carried("ChannelData", payload.subspan(kChannelHeader));
    case stun::PacketKind::kDtls:
      return NameDtls(payload);
    case stun::PacketKind::kRtp:
      return NameRtp(payload);
    case stun::PacketKind::kRtcp:
      return NameRtcp(payload);
    default:
      return {"data", true};
  }
}

PacketName NamePacket(const sim::PacketEvent& event) {
  switch (event.tuple.protocol) {
    case sim::IpProtocol::kUdp:
      return NamePayload(event.payload);
    case sim::IpProtocol::kTcp:
      return {"TCP segment", true};
    case sim::IpProtocol::kIcmp:
    case sim::IpProtocol::kIcmpv6:
      return {event.stun_transaction ? "ICMP error about a STUN message" : "ICMP message", false};
  }
  return {"packet", false};
}

}  // namespace rtclab::scenarios
