#include "stack/sdp/scanner.h"

namespace rtclab::sdp {

bool Scanner::FailAt(std::size_t position, std::string_view what) {
  if (failed()) return false;
  constexpr std::size_t kShown = 24;
  error_position_ = position;
  reason_.append("expected ").append(what).append(", found ");
  if (position >= line_.size()) {
    reason_ += "the end of the line";
    return false;
  }
  // Up to the next space, or that space; what cannot be printed is shown as "?".
  std::string_view found = line_.substr(position);
  const std::size_t space = found.find(' ');
  if (space != 0)
    found = found.substr(0, space);
  else
    found = found.substr(0, 1);
  reason_ += '"';
  for (const char c : found.substr(0, kShown)) reason_ += c >= 0x20 && c < 0x7F ? c : '?';
  reason_ += found.size() > kShown ? "...\"" : "\"";
  return false;
}

bool Scanner::Decimal(uint64_t& out, std::string_view what, uint64_t min, uint64_t max) {
  const std::size_t start = position_;
  uint64_t value = 0;
  bool overflow = false;
  while (!AtEnd() && IsIn(line_[position_], kDigitChar)) {
    const auto digit = static_cast<uint64_t>(line_[position_++] - '0');
    if (value > (std::numeric_limits<uint64_t>::max() - digit) / 10)
      overflow = true;
    else
      value = value * 10 + digit;
  }
  if (position_ == start || overflow || value < min || value > max) return FailAt(start, what);
  out = value;
  return true;
}

}  // namespace rtclab::sdp
