// The order of lines and the fields that are not attributes, RFC 8866 sections 5 and 9.
#include <fmt/format.h>

#include "stack/sdp/attribute_parser.h"
#include "stack/sdp/line_parser.h"

namespace rtclab::sdp {
namespace {

constexpr std::string_view kSessionOrder = "vosiuepcbtrzka";
constexpr std::string_view kMediaOrder = "micbka";

class Parser {
 public:
  Parser(std::string_view text, const ParseLimits& limits) : lines_(text, limits) {}

  ParseResult<SessionDescription> Run() {
    out_.times.clear();
    while (lines_.NextLine()) {
      if (!ReadLine()) break;
    }
    if (!lines_.failed()) CheckComplete();
    if (lines_.failed()) return tl::unexpected(lines_.TakeError());
    return std::move(out_);
  }

 private:
  bool ReadLine();
  bool CheckOrder(char type);
  bool CheckComplete();
  bool ReadSessionField(char type);
  bool ReadField(char type, std::optional<std::string>& information,
                 std::optional<std::string>& key, std::vector<Bandwidth>& bandwidths,
                 AttributeList& attributes);
  bool ReadVersion();
  bool ReadOrigin();
  bool ReadConnection(ConnectionAddress& out);
  bool ReadBandwidth(std::vector<Bandwidth>& out);
  bool ReadTime();
  bool ReadRepeat();
  bool ReadZone();
  bool ReadKey(std::string& out);
  bool ReadText(std::string& out, std::string_view what) {
    Scanner in = lines_.scanner();
    return in.Text(out, what) || lines_.Check(in);
  }

  LineParser lines_;
  SessionDescription out_;
  char previous_ = 0;  // type of the line before; 0 before the first
};

// What must have come before a line of this type, with the lines that may be left out between.
bool Parser::CheckOrder(char type) {
  const bool in_media = !out_.media.empty();
  if (type == 'm') {
    if (in_media || !out_.times.empty()) return true;
    type = 'a';  // must come after t= like any other line after it
  }
  const std::string_view order = in_media ? kMediaOrder : kSessionOrder;
  const std::size_t rank = order.find(type);
  if (rank == order.npos) {
    return lines_.Fail(0,
                       fmt::format("expected one of the lines {} {}, found {}=",
                                   in_media ? "i c b k a m" : "v o s i u e p c b t r z k a m",
                                   in_media ? "in a media section" : "at the session level", type));
  }
  const std::size_t previous = previous_ == 0 ? 0 : order.find(previous_);
  if (!in_media) {
    // The lines that every description has: v, o, s and t.
    constexpr std::string_view kRequired = "vost";
    for (const char required : kRequired) {
      const std::size_t required_rank = order.find(required);
      const bool seen = previous_ != 0 && previous >= required_rank;
      if (!seen && rank > required_rank)
        return lines_.Fail(
            0, fmt::format("expected the {}= line, found {}=", required, lines_.type()));
    }
    if (type == 't' && (previous_ == 'r' || previous_ == 'z')) return true;
    if (type == 'r' && previous_ == 'z') return lines_.Fail(0, "expected r= before z=");
  }
  if (previous_ == 0 || rank > previous) return true;
  if (rank < previous)
    return lines_.Fail(0, fmt::format("expected {}= before {}=", type, previous_));
  constexpr std::string_view kRepeatable = "epbtra";
  if (kRepeatable.find(type) != kRepeatable.npos || (in_media && type == 'c')) return true;
  return lines_.Fail(0, fmt::format("expected one {}= line at most", type));
}

bool Parser::CheckComplete() {
  if (!out_.times.empty()) return true;
  const char missing = previous_ == 0 ? 'v' : previous_ == 'v' ? 'o' : previous_ == 'o' ? 's' : 't';
  return lines_.Fail(0, fmt::format("expected the {}= line, found the end of the text", missing));
}

bool Parser::ReadLine() {
  const char type = lines_.type();
  if (!CheckOrder(type)) return false;
  previous_ = type;
  if (type == 'm') return lines_.ReadMediaLine(out_.media);
  if (out_.media.empty()) return ReadSessionField(type);
  MediaDescription& media = out_.media.back();
  if (type == 'c') return ReadConnection(media.connections.emplace_back());
  return ReadField(type, media.information, media.key, media.bandwidths, media.attributes);
}

bool Parser::ReadSessionField(char type) {
  switch (type) {
    case 'v':
      return ReadVersion();
    case 'o':
      return ReadOrigin();
    case 's':
      return ReadText(out_.name, "a session name, if only \"-\"");
    case 'u':
      return ReadText(out_.uri.emplace(), "a URI");
    case 'e':
      return ReadText(out_.emails.emplace_back(), "an email address");
    case 'p':
      return ReadText(out_.phones.emplace_back(), "a phone number");
    case 'c':
      return ReadConnection(out_.connection.emplace());
    case 't':
      return ReadTime();
    case 'r':
      return ReadRepeat();
    case 'z':
      return ReadZone();
    default:
      return ReadField(type, out_.information, out_.key, out_.bandwidths, out_.attributes);
  }
}

bool Parser::ReadField(char type, std::optional<std::string>& information,
                       std::optional<std::string>& key, std::vector<Bandwidth>& bandwidths,
                       AttributeList& attributes) {
  switch (type) {
    case 'i':
      return ReadText(information.emplace(), "a text");
    case 'b':
      return ReadBandwidth(bandwidths);
    case 'k':
      return ReadKey(key.emplace());
    default:
      return lines_.ReadAttributeLine(attributes, false);
  }
}

bool Parser::ReadVersion() { return lines_.value() == "0" || lines_.Fail(2, "expected version 0"); }

bool Parser::ReadOrigin() {
  Scanner in = lines_.scanner();
  Origin& o = out_.origin;
  return (in.Run(kVisibleChar, o.username, "a user name, if only \"-\"") &&
          in.Space("a session id") && in.Number(o.session_id, "a session id of 64 bits") &&
          in.Space("a session version") &&
          in.Number(o.session_version, "a session version of 64 bits") &&
          in.Space("a network type") && ReadConnectionAddress(in, o.address, false) && in.End()) ||
         lines_.Check(in);
}

bool Parser::ReadConnection(ConnectionAddress& out) {
  Scanner in = lines_.scanner();
  return (ReadConnectionAddress(in, out, true) && in.End()) || lines_.Check(in);
}

bool Parser::ReadBandwidth(std::vector<Bandwidth>& out) {
  Scanner in = lines_.scanner();
  Bandwidth& b = out.emplace_back();
  return (in.Token(b.type, "a bandwidth type such as AS") && in.Expect(':', "\":\" and a number") &&
          in.Number(b.value, "a bandwidth") && in.End()) ||
         lines_.Check(in);
}

bool Parser::ReadTime() {
  Scanner in = lines_.scanner();
  TimeDescription& t = out_.times.emplace_back();
  return (in.Number(t.start, "a start time in seconds") && in.Space("a stop time") &&
          in.Number(t.stop, "a stop time in seconds") && in.End()) ||
         lines_.Check(in);
}

// A number with an optional unit: typed-time of RFC 8866 section 9.
bool ReadTypedTime(Scanner& in) {
  uint64_t number = 0;
  if (!in.Number(number, "a time such as 7d, 1h or 3600")) return false;
  for (const char unit : {'d', 'h', 'm', 's'})
    if (in.Skip(unit)) break;
  return true;
}

bool Parser::ReadRepeat() {
  Scanner in = lines_.scanner();
  int fields = 0;
  do {
    if (!ReadTypedTime(in)) return lines_.Check(in);
    ++fields;
  } while (in.Skip(' '));
  if (in.AtEnd() && fields < 3) in.Fail("an interval, a duration and offsets");
  in.End();
  out_.times.back().repeats.emplace_back(lines_.value());
  return lines_.Check(in);
}

bool Parser::ReadZone() {
  Scanner in = lines_.scanner();
  do {
    uint64_t time = 0;
    if (!in.Number(time, "a time in seconds") || !in.Space("an offset")) return lines_.Check(in);
    in.Skip('-');
    if (!ReadTypedTime(in)) return lines_.Check(in);
  } while (in.Skip(' '));
  in.End();
  out_.times.back().zone = lines_.value();
  return lines_.Check(in);
}

bool Parser::ReadKey(std::string& out) {
  const std::string_view value = lines_.value();
  if (value != "prompt" && !value.starts_with("clear:") && !value.starts_with("base64:") &&
      !value.starts_with("uri:"))
    return lines_.Fail(2, "expected prompt, clear:, base64: or uri:");
  out = value;
  return true;
}

}  // namespace

ParseResult<SessionDescription> Parse(std::string_view text, const ParseLimits& limits) {
  if (text.size() > limits.bytes)
    return tl::unexpected(ParseError{1, 1, fmt::format("expected at most {} bytes", limits.bytes)});
  return Parser(text, limits).Run();
}

ParseResult<AttributeValue> ParseAttribute(std::string_view line) {
  const std::size_t start = line.starts_with("a=") ? 2 : 0;
  const std::size_t bad = line.find_first_of(std::string_view("\r\n\0", 3));
  if (bad != line.npos)
    return tl::unexpected(ParseError{1, static_cast<int>(bad) + 1, "expected one line of text"});
  Scanner in(line, start);
  AttributeValue value;
  if (ReadAttribute(in, value, false)) return value;
  return tl::unexpected(ParseError{1, static_cast<int>(in.error_position()) + 1, in.TakeReason()});
}

}  // namespace rtclab::sdp
