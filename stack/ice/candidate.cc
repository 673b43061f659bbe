#include "stack/ice/candidate.h"

#include <algorithm>
#include <charconv>

#include "stack/base/check.h"

namespace rtclab::ice {
namespace {

// RFC 8839 section 5.1: ALPHA / DIGIT / "+" / "/".
bool IsIceChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

// RFC 3261 section 25.1.
bool IsTokenChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-.!%*_+`'~").find(c) != std::string_view::npos;
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

// Hands out the fields between single spaces.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text, std::size_t offset) : text_(text), offset_(offset) {}

  bool AtEnd() const { return ended_; }
  std::size_t offset() const { return start_; }
  // The next field, which may be empty; call only before AtEnd().
  std::string_view Next() {
    start_ = offset_;
    const std::size_t space = text_.find(' ', offset_);
    if (space == std::string_view::npos) {
      ended_ = true;
      offset_ = text_.size();
      return text_.substr(start_);
    }
    offset_ = space + 1;
    return text_.substr(start_, space - start_);
  }

 private:
  std::string_view text_;
  std::size_t offset_;
  std::size_t start_ = 0;
  bool ended_ = false;
};

std::optional<uint32_t> ParseNumber(std::string_view text, std::size_t max_digits, uint32_t low,
                                    uint32_t high) {
  if (text.empty() || text.size() > max_digits) return std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  if (value < low || value > high) return std::nullopt;
  return static_cast<uint32_t>(value);
}

struct ParsedHost {
  IpAddress ip;
  std::string name;
};

// connection-address: an IPv6 address has a colon (RFC 8839 section 5.1); all digits and dots is meant to be IPv4;
// anything else must look like a domain name (RFC 1123 section 2.1).
std::optional<ParsedHost> ParseHost(std::string_view text) {
  if (text.empty() || text.size() > 255) return std::nullopt;
  const bool numeric = std::all_of(text.begin(), text.end(),
                                   [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  if (numeric || text.find(':') != std::string_view::npos) {
    const auto ip = IpAddress::Parse(text);
    if (!ip) return std::nullopt;
    return ParsedHost{*ip, {}};
  }
  for (char c : text) {
    if (!(IsIceChar(c) && c != '+' && c != '/') && c != '-' && c != '.') return std::nullopt;
  }
  return ParsedHost{{}, std::string(text)};
}

std::optional<CandidateType> ParseType(std::string_view text) {
  for (auto type : {CandidateType::kHost, CandidateType::kServerReflexive,
                    CandidateType::kPeerReflexive, CandidateType::kRelayed}) {
    if (EqualsIgnoringCase(text, ToString(type))) return type;
  }
  return std::nullopt;
}

std::string_view ToString(TcpType type) {
  switch (type) {
    case TcpType::kActive:
      return "active";
    case TcpType::kPassive:
      return "passive";
    case TcpType::kSimultaneousOpen:
      return "so";
    case TcpType::kNone:
      break;
  }
  return "";
}

std::optional<TcpType> ParseTcpType(std::string_view text) {
  for (auto type : {TcpType::kActive, TcpType::kPassive, TcpType::kSimultaneousOpen}) {
    if (text == ToString(type)) return type;
  }
  return std::nullopt;
}

bool AreIceChars(std::string_view text, std::size_t low, std::size_t high) {
  return text.size() >= low && text.size() <= high &&
         std::all_of(text.begin(), text.end(), IsIceChar);
}

// foundation SP component-id SP transport SP priority SP connection-address SP port SP "typ" SP type.
Result<void> ParseMandatory(FieldReader& fields, Candidate& out) {
  const auto next = [&fields]() { return fields.AtEnd() ? std::string_view() : fields.Next(); };
  const std::string_view foundation = next();
  if (!AreIceChars(foundation, 1, 32))
    return Fail("a foundation is 1 to 32 ice-chars", fields.offset());
  out.foundation = foundation;

  const auto component = ParseNumber(next(), 3, 1, 256);
  if (!component) return Fail("a component ID is a number from 1 to 256", fields.offset());
  out.component = static_cast<int>(*component);

  const std::string_view transport = next();
  if (EqualsIgnoringCase(transport, "udp")) {
    out.protocol = TransportProtocol::kUdp;
  } else if (EqualsIgnoringCase(transport, "tcp")) {
    out.protocol = TransportProtocol::kTcp;
  } else {
    return Fail("the transport is neither UDP nor TCP", fields.offset());
  }

  const auto priority = ParseNumber(next(), 10, 1, 0x7fffffff);
  if (!priority) return Fail("a priority is a number from 1 to 2^31-1", fields.offset());
  out.priority = *priority;

  auto host = ParseHost(next());
  if (!host) return Fail("expected an IP address or a domain name", fields.offset());
  out.address.ip = host->ip;
  out.hostname = std::move(host->name);

  const auto port = ParseNumber(next(), 5, out.protocol == TransportProtocol::kTcp ? 0 : 1, 65535);
  if (!port) return Fail("a port is a number from 1 to 65535", fields.offset());
  out.address.port = static_cast<uint16_t>(*port);

  if (next() != "typ") return Fail("expected \"typ\"", fields.offset());
  const auto type = ParseType(next());
  if (!type) return Fail("the candidate type is not host, srflx, prflx or relay", fields.offset());
  out.type = *type;
  return {};
}

Result<void> ParseExtension(std::string_view name, std::size_t name_offset, std::string_view value,
                            std::size_t offset, Candidate& out) {
  if (name == "raddr") {
    auto host = ParseHost(value);
    if (!host || out.related) return Fail("raddr is one IP address or domain name", offset);
    out.related = TransportAddress{host->ip, 0};
    out.related_hostname = std::move(host->name);
  } else if (name == "rport") {
    // Port 0 is what agents send that hide the related address, beside RFC 8839's 9.
    const auto port = ParseNumber(value, 5, 0, 65535);
    if (!port || !out.related) return Fail("rport is a port and follows raddr", offset);
    out.related->port = static_cast<uint16_t>(*port);
  } else if (name == "tcptype") {
    const auto type = ParseTcpType(value);
    if (!type) return Fail("tcptype is active, passive or so", offset);
    out.tcp_type = *type;
  } else if (name == "ufrag") {
    if (!AreIceChars(value, 1, 256)) return Fail("ufrag is 1 to 256 ice-chars", offset);
    out.ufrag = value;
  } else {
    if (name.empty() || !std::all_of(name.begin(), name.end(), IsTokenChar)) {
      return Fail("an extension name is a token", name_offset);
    }
    const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
    if (!std::all_of(value.begin(), value.end(), visible)) {
      return Fail("an extension value is visible characters", offset);
    }
    out.extensions.emplace_back(name, value);
  }
  return {};
}

}  // namespace

std::string_view ToString(CandidateType type) {
  switch (type) {
    case CandidateType::kHost:
      return "host";
    case CandidateType::kServerReflexive:
      return "srflx";
    case CandidateType::kPeerReflexive:
      return "prflx";
    case CandidateType::kRelayed:
      return "relay";
  }
  return "?";
}

Result<Candidate> ParseCandidate(std::string_view line) {
  std::size_t offset = 0;
  if (line.starts_with("a=")) offset = 2;
  if (line.substr(offset).starts_with("candidate:")) {
    offset += 10;
  } else if (offset != 0) {
    return Fail("expected \"candidate:\"", offset);
  }
  FieldReader fields(line, offset);
  Candidate candidate;
  if (auto ok = ParseMandatory(fields, candidate); !ok) return tl::unexpected(ok.error());
  bool has_port = false;
  while (!fields.AtEnd()) {
    const std::string_view name = fields.Next();
    const std::size_t name_offset = fields.offset();
    if (fields.AtEnd()) return Fail("an extension needs a value", name_offset);
    const std::string_view value = fields.Next();
    has_port |= name == "rport";
    if (auto ok = ParseExtension(name, name_offset, value, fields.offset(), candidate); !ok) {
      return tl::unexpected(ok.error());
    }
  }
  if (candidate.related && !has_port) return Fail("raddr without rport", line.size());
  return candidate;
}

std::string ToString(const Candidate& candidate) {
  CHECK(!candidate.address.IsNone() || !candidate.hostname.empty());
  std::string out = "candidate:";
  out += candidate.foundation;
  out += ' ';
  out += std::to_string(candidate.component);
  out += candidate.protocol == TransportProtocol::kUdp ? " udp " : " tcp ";
  out += std::to_string(candidate.priority);
  out += ' ';
  out += candidate.hostname.empty() ? candidate.address.ip.ToString() : candidate.hostname;
  out += ' ';
  out += std::to_string(candidate.address.port);
  out += " typ ";
  out += ToString(candidate.type);
  if (candidate.type != CandidateType::kHost || candidate.related) {
    // RFC 8839 section 5.1: present for all but host candidates; 0.0.0.0 or :: and port 9 hide them.
    TransportAddress related{
        IpAddress::Any(candidate.address.ip.IsV6() ? AddressFamily::kIpv6 : AddressFamily::kIpv4),
        9};
    if (candidate.related) related = *candidate.related;
    out += " raddr ";
    out += candidate.related_hostname.empty() ? related.ip.ToString() : candidate.related_hostname;
    out += " rport ";
    out += std::to_string(related.port);
  }
  if (candidate.tcp_type != TcpType::kNone) {
    out += " tcptype ";
    out += ToString(candidate.tcp_type);
  }
  if (!candidate.ufrag.empty()) {
    out += " ufrag ";
    out += candidate.ufrag;
  }
  for (const auto& [name, value] : candidate.extensions) {
    out += ' ';
    out += name;
    out += ' ';
    out += value;
  }
  return out;
}

std::string Describe(const Candidate& candidate) {
  std::string out(ToString(candidate.type));
  out += ' ';
  out += candidate.hostname.empty()
             ? candidate.address.ToString()
             : candidate.hostname + ":" + std::to_string(candidate.address.port);
  return out;
}

}  // namespace rtclab::ice
