// Reads one line of a description from left to right and remembers what was expected where it went wrong.
#ifndef RTCLAB_STACK_SDP_SCANNER_H_
#define RTCLAB_STACK_SDP_SCANNER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace rtclab::sdp {

// Character classes of RFC 8866 section 9 and RFC 8839 section 5; a set is their sum.
enum CharClass : uint8_t {
  kTokenChar = 1,    // token-char
  kIceChar = 2,      // ice-char: ALPHA / DIGIT / "+" / "/"
  kRidChar = 4,      // rid-id: alpha-numeric / "-" / "_"
  kVisibleChar = 8,  // non-ws-string: VCHAR / %x80-FF
  kDigitChar = 16,
  kHostChar = 32,   // FQDN: alpha-numeric / "-" / "."
  kTlsIdChar = 64,  // ice-char, "-", "_"
};

inline constexpr std::array<uint8_t, 256> kCharClasses = [] {
  std::array<uint8_t, 256> classes{};
  for (unsigned c = 0x21; c < 256; ++c) {
    if (c == 0x7F) continue;
    classes[c] = kVisibleChar;
    const bool digit = c >= '0' && c <= '9';
    const bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (digit) classes[c] |= kDigitChar;
    if (digit || alpha) classes[c] |= kTokenChar | kIceChar | kRidChar | kHostChar | kTlsIdChar;
  }
  for (const char c : std::string_view("!#$%&'*+-.^_`{|}~"))
    classes[static_cast<uint8_t>(c)] |= kTokenChar;
  for (const char c : std::string_view("+/"))
    classes[static_cast<uint8_t>(c)] |= kIceChar | kTlsIdChar;
  for (const char c : std::string_view("-_"))
    classes[static_cast<uint8_t>(c)] |= kRidChar | kTlsIdChar;
  for (const char c : std::string_view("-.")) classes[static_cast<uint8_t>(c)] |= kHostChar;
  return classes;
}();

constexpr bool IsIn(char c, uint8_t classes) {
  return (kCharClasses[static_cast<uint8_t>(c)] & classes) != 0;
}

// Every reader returns false after it has recorded an error; the first one stays. `what` completes the sentence "expected
// ..." and must outlive nothing.
class Scanner {
 public:
  explicit Scanner(std::string_view line, std::size_t position = 0)
      : line_(line), position_(position) {}

  std::size_t position() const { return position_; }
  bool AtEnd() const { return position_ == line_.size(); }
  bool Next(char c) const { return !AtEnd() && line_[position_] == c; }
  std::string_view rest() const { return line_.substr(position_); }
  // Takes `c` if it comes next.
  bool Skip(char c) {
    if (!Next(c)) return false;
    ++position_;
    return true;
  }

  bool Expect(char c, std::string_view what) { return Skip(c) || Fail(what); }
  bool Space(std::string_view before) {
    if (Skip(' ')) return true;
    return Fail(std::string("a space and ").append(before));
  }
  // The next run of characters of these classes, at least one.
  bool Run(uint8_t classes, std::string_view& out, std::string_view what) {
    const std::size_t start = position_;
    while (!AtEnd() && IsIn(line_[position_], classes)) ++position_;
    if (position_ == start) return Fail(what);
    out = line_.substr(start, position_ - start);
    return true;
  }
  bool Run(uint8_t classes, std::string& out, std::string_view what) {
    std::string_view view;
    if (!Run(classes, view, what)) return false;
    out = view;
    return true;
  }
  bool Token(std::string& out, std::string_view what) { return Run(kTokenChar, out, what); }
  // A run of between `min` and `max` characters.
  bool Bounded(uint8_t classes, std::size_t min, std::size_t max, std::string& out,
               std::string_view what) {
    const std::size_t start = position_;
    if (!Run(classes, out, what)) return false;
    return (out.size() >= min && out.size() <= max) || FailAt(start, what);
  }
  // A decimal number from `min` to `max`; leading zeros are read over.
  template <typename T>
  bool Number(T& out, std::string_view what, uint64_t min = 0,
              uint64_t max = std::numeric_limits<T>::max()) {
    uint64_t value = 0;
    if (!Decimal(value, what, min, max)) return false;
    out = static_cast<T>(value);
    return true;
  }
  // All that is left, at least one byte.
  bool Text(std::string& out, std::string_view what) {
    if (AtEnd()) return Fail(what);
    out = rest();
    position_ = line_.size();
    return true;
  }
  bool End() { return AtEnd() || Fail("the end of the line"); }

  bool Fail(std::string_view what) { return FailAt(position_, what); }
  bool FailAt(std::size_t position, std::string_view what);

  bool failed() const { return !reason_.empty(); }
  std::size_t error_position() const { return error_position_; }
  std::string TakeReason() { return std::move(reason_); }

 private:
  bool Decimal(uint64_t& out, std::string_view what, uint64_t min, uint64_t max);

  std::string_view line_;
  std::size_t position_;
  std::size_t error_position_ = 0;
  std::string reason_;
};

}  // namespace rtclab::sdp

#endif  // RTCLAB_STACK_SDP_SCANNER_H_
