#include "stack/sdp/line_parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "stack/sdp/attribute_parser.h"

namespace rtclab::sdp {

bool LineParser::NextLine() {
  if (failed() || text_.empty()) return false;
  ++line_number_;
  const std::size_t end = text_.find('\n');
  line_ = text_.substr(0, end);
  if (static_cast<std::size_t>(line_number_) > limits_.lines)
    return Fail(0, fmt::format("expected at most {} lines", limits_.lines));
  if (end == text_.npos)
    return Fail(line_.size(), "expected a line end, found the end of the text");
  text_.remove_prefix(end + 1);
  if (line_.ends_with('\r')) line_.remove_suffix(1);
  if (line_.size() > limits_.line_bytes)
    return Fail(limits_.line_bytes,
                fmt::format("expected at most {} bytes in a line", limits_.line_bytes));
  // RFC 8866 section 9: byte-string has neither.
  const std::size_t bad = std::min(line_.find('\r'), line_.find('\0'));
  if (bad != line_.npos)
    return Fail(bad,
                line_[bad] == '\r' ? "expected LF after CR" : "expected text, found a zero byte");
  if (line_.empty()) return Fail(0, "expected a line of the form x=..., found an empty line");
  if (line_.size() < 2 || line_[1] != '=' || line_[0] < 'a' || line_[0] > 'z')
    return Fail(0, "expected a letter and \"=\" at the start of the line");
  return true;
}

std::size_t LineParser::LinesBeforeNextSection() const {
  const std::string_view section = text_.substr(0, text_.find("\nm="));
  return static_cast<std::size_t>(std::ranges::count(section, '\n')) + 1;
}

bool LineParser::Check(Scanner& in) {
  if (!in.failed()) return true;
  return Fail(in.error_position(), in.TakeReason());
}

bool LineParser::Fail(std::size_t position, std::string reason) {
  if (!failed())
    error_ =
        ParseError{std::max(line_number_, 1), static_cast<int>(position) + 1, std::move(reason)};
  return false;
}

bool LineParser::ReadAttributeLine(AttributeList& out, bool any_case) {
  Scanner in = scanner();
  // One allocation for a section; the limit is on lines, so a long text cannot ask for more.
  if (out.empty()) out.items().reserve(std::min(LinesBeforeNextSection() + 1, limits_.lines));
  Attribute& attribute = out.items().emplace_back();
  attribute.line = line_number_;
  ReadAttribute(in, attribute.value, any_case);
  return Check(in);
}

bool LineParser::ReadMediaLine(std::vector<MediaDescription>& out) {
  if (out.size() >= limits_.media)
    return Fail(0, fmt::format("expected at most {} media sections", limits_.media));
  MediaDescription& media = out.emplace_back();
  media.line = line_number_;
  Scanner in = scanner();
  const auto read = [&] {
    if (!in.Token(media.media, "a media type such as audio") || !in.Space("a port") ||
        !in.Number(media.port, "a port from 0 to 65535"))
      return false;
    if (in.Skip('/') && !in.Number(media.port_count.emplace(), "a number of ports", 1))
      return false;
    if (!in.Space("a protocol")) return false;
    const std::size_t start = in.position();
    do {
      std::string_view part;
      if (!in.Run(kTokenChar, part, "a protocol such as UDP/TLS/RTP/SAVPF")) return false;
    } while (in.Skip('/'));
    media.protocol = line_.substr(start, in.position() - start);
    if (!in.Space("a format")) return false;
    do {
      if (!in.Token(media.formats.emplace_back(), "a format")) return false;
    } while (in.Skip(' '));
    return in.End();
  };
  return read() || Check(in);
}

}  // namespace rtclab::sdp
