#include "stack/sdp/fragment.h"

#include <fmt/format.h>

#include "stack/sdp/line_parser.h"

namespace rtclab::sdp {

const MediaDescription* TrickleFragment::FindMid(std::string_view mid) const {
  for (const MediaDescription& m : media) {
    const Mid* found = m.attributes.Find<Mid>();
    if (found != nullptr && found->value == mid) return &m;
  }
  return nullptr;
}

ParseResult<TrickleFragment> ParseFragment(std::string_view text, const ParseLimits& limits) {
  if (text.size() > limits.bytes)
    return tl::unexpected(ParseError{1, 1, fmt::format("expected at most {} bytes", limits.bytes)});
  TrickleFragment out;
  LineParser lines(text, limits);
  while (lines.NextLine()) {
    if (lines.type() == 'm') {
      if (!lines.ReadMediaLine(out.media)) break;
    } else if (lines.type() == 'a') {
      if (!lines.ReadAttributeLine(out.media.empty() ? out.attributes : out.media.back().attributes,
                                   true))
        break;
    } else {
      lines.Fail(0, fmt::format("expected a= or m=, found {}=", lines.type()));
    }
  }
  if (lines.failed()) return tl::unexpected(lines.TakeError());
  return out;
}

std::string Serialize(const TrickleFragment& fragment) {
  std::string out;
  for (const Attribute& a : fragment.attributes.items()) {
    out += "a=";
    AppendTo(out, a.value);
    out += "\r\n";
  }
  for (const MediaDescription& m : fragment.media) AppendTo(out, m);
  return out;
}

}  // namespace rtclab::sdp
