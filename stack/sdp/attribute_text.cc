// How an attribute is written.
#include "stack/sdp/text.h"

namespace rtclab::sdp {
namespace {

void AppendValue(std::string& out, const OtherAttribute& a) {
  if (a.value) AppendParts(out, ':', *a.value);
}
void AppendValue(std::string&, Flag) {}
void AppendValue(std::string&, Direction) {}
void AppendValue(std::string& out, Setup a) { AppendParts(out, ':', ToString(a)); }
void AppendValue(std::string& out, ConnectionReuse a) { AppendParts(out, ':', ToString(a)); }

void AppendValue(std::string& out, const Group& a) {
  AppendParts(out, ':', a.semantics);
  for (const std::string& mid : a.mids) AppendParts(out, ' ', mid);
}

void AppendValue(std::string& out, const Mid& a) { AppendParts(out, ':', a.value); }

void AppendValue(std::string& out, const Msid& a) {
  AppendParts(out, ':', a.stream_id);
  if (!a.track_id.empty()) AppendParts(out, ' ', a.track_id);
}

void AppendValue(std::string& out, const MsidSemantic& a) {
  AppendParts(out, a.space_after_colon ? ": " : ":", a.semantic);
  for (const std::string& id : a.ids) AppendParts(out, ' ', id);
}

void AppendValue(std::string& out, const Extmap& a) {
  AppendParts(out, ':', uint64_t{a.id});
  if (a.direction) AppendParts(out, '/', ToString(*a.direction));
  AppendParts(out, ' ', a.uri);
  if (!a.attributes.empty()) AppendParts(out, ' ', a.attributes);
}

void AppendValue(std::string& out, const Rid& a) {
  AppendParts(out, ':', a.id, ' ', ToString(a.direction));
  std::string_view separator = " ";
  for (std::size_t i = 0; i < a.payload_types.size(); ++i) {
    AppendParts(out, i == 0 ? " pt=" : ",", uint64_t{a.payload_types[i]});
    separator = ";";
  }
  for (const auto& [key, value] : a.restrictions) {
    AppendParts(out, separator, key);
    if (value) AppendParts(out, '=', *value);
    separator = ";";
  }
}

void AppendStreams(std::string& out, std::string_view direction,
                   const std::vector<SimulcastStream>& streams) {
  AppendParts(out, direction, ' ');
  for (std::size_t i = 0; i < streams.size(); ++i) {
    if (i != 0) out += ';';
    for (std::size_t j = 0; j < streams[i].size(); ++j) {
      if (j != 0) out += ',';
      AppendParts(out, streams[i][j].paused ? "~" : "", streams[i][j].rid);
    }
  }
}

void AppendValue(std::string& out, const Simulcast& a) {
  out += ':';
  if (a.recv_first && !a.recv.empty()) AppendStreams(out, "recv", a.recv);
  if (!a.send.empty()) {
    if (a.recv_first && !a.recv.empty()) out += ' ';
    AppendStreams(out, "send", a.send);
  }
  if (!a.recv_first && !a.recv.empty())
    AppendStreams(out, a.send.empty() ? "recv" : " recv", a.recv);
}

void AppendValue(std::string& out, const IceUfrag& a) { AppendParts(out, ':', a.value); }
void AppendValue(std::string& out, const IcePwd& a) { AppendParts(out, ':', a.value); }

void AppendValue(std::string& out, const IceOptions& a) {
  for (std::size_t i = 0; i < a.tags.size(); ++i) AppendParts(out, i == 0 ? ':' : ' ', a.tags[i]);
}

void AppendValue(std::string& out, const IcePacing& a) { AppendParts(out, ':', a.milliseconds); }
void AppendValue(std::string& out, const Candidate& a) { AppendParts(out, ':', a.text); }

void AppendValue(std::string& out, const RemoteCandidates& a) {
  char separator = ':';
  for (const RemoteCandidates::Entry& e : a.entries) {
    AppendParts(out, separator, static_cast<uint64_t>(e.component), ' ', e.address, ' ',
                uint64_t{e.port});
    separator = ' ';
  }
}

void AppendValue(std::string& out, const Fingerprint& a) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  AppendParts(out, ':', a.algorithm);
  char separator = ' ';
  for (const uint8_t byte : a.value) {
    AppendParts(out, separator, kDigits[byte >> 4], kDigits[byte & 15]);
    separator = ':';
  }
}

void AppendValue(std::string& out, const TlsId& a) { AppendParts(out, ':', a.value); }
void AppendValue(std::string& out, const SctpPort& a) { AppendParts(out, ':', uint64_t{a.value}); }
void AppendValue(std::string& out, const MaxMessageSize& a) { AppendParts(out, ':', a.bytes); }

void AppendValue(std::string& out, const Sctpmap& a) {
  AppendParts(out, ':', uint64_t{a.port}, ' ', a.protocol);
  if (a.streams) AppendParts(out, ' ', uint64_t{*a.streams});
}

void AppendValue(std::string& out, const Rtpmap& a) {
  AppendParts(out, ':', uint64_t{a.payload_type}, ' ', a.encoding, '/', uint64_t{a.clock_rate});
  if (!a.parameters.empty()) AppendParts(out, '/', a.parameters);
}

void AppendValue(std::string& out, const Fmtp& a) {
  AppendParts(out, ':', a.format, ' ', a.parameters);
}

void AppendValue(std::string& out, const RtcpFb& a) {
  out += ':';
  if (a.payload_type)
    AppendPart(out, uint64_t{*a.payload_type});
  else
    out += '*';
  AppendParts(out, ' ', a.type);
  if (!a.parameter.empty() || a.trailing_space) AppendParts(out, ' ', a.parameter);
}

// Milliseconds with up to three decimals.
void AppendMilliseconds(std::string& out, TimeDelta value) {
  const auto micros = static_cast<uint64_t>(value.micros());
  AppendParts(out, ':', micros / 1000);
  uint64_t rest = micros % 1000;
  if (rest == 0) return;
  out += '.';
  for (uint64_t unit = 100; rest != 0; rest %= unit, unit /= 10)
    out += static_cast<char>('0' + rest / unit);
}

void AppendValue(std::string& out, const Ptime& a) { AppendMilliseconds(out, a.value); }
void AppendValue(std::string& out, const MaxPtime& a) { AppendMilliseconds(out, a.value); }

void AppendValue(std::string& out, const Ssrc& a) {
  AppendParts(out, ':', uint64_t{a.id}, ' ', a.attribute);
  if (a.value) AppendParts(out, ':', *a.value);
}

void AppendValue(std::string& out, const SsrcGroup& a) {
  AppendParts(out, ':', a.semantics);
  for (const uint32_t id : a.ids) AppendParts(out, ' ', uint64_t{id});
}

void AppendValue(std::string& out, const Rtcp& a) {
  AppendParts(out, ':', uint64_t{a.port});
  if (a.address) AppendParts(out, ' ', *a.address);
}

}  // namespace

void AppendTo(std::string& out, const AttributeValue& attribute) {
  out += Name(attribute);
  std::visit([&out](const auto& a) { AppendValue(out, a); }, attribute);
}

}  // namespace rtclab::sdp
