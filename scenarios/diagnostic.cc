#include "scenarios/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace rtclab::scenarios {
namespace {

// Edits (insert, delete, replace, swap of neighbours) that make `a` into `b`, upper and lower case being the same.
std::size_t Distance(std::string_view a, std::string_view b) {
  const auto same = [](char x, char y) {
    const auto lower = [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return lower(x) == lower(y);
  };
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1)});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

const std::string* Nearest(std::string_view wrong, std::span<const std::string> valid) {
  constexpr std::size_t kLongest =
      64;  // longer ones are no misspelt names, and the table is quadratic
  if (wrong.empty() || wrong.size() > kLongest) return nullptr;
  const std::string* best = nullptr;
  std::size_t best_distance = 0;
  for (const std::string& name : valid) {
    const std::size_t distance = Distance(wrong, name);
    // A third of the letters wrong, an abbreviation, or something appended is still recognisable.
    const bool near =
        distance <= std::max<std::size_t>(1, std::max(wrong.size(), name.size()) / 3) ||
        (wrong.size() >= 3 && name.starts_with(wrong)) ||
        (name.size() >= 2 && wrong.starts_with(name));
    if (near && (best == nullptr || distance < best_distance)) {
      best = &name;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace

std::string Diagnostic::ToString() const {
  std::string out = file;
  if (line > 0) out += fmt::format(":{}:{}", line, column);
  out += ": ";
  if (line > 0) out += fmt::format("{}: ", pointer.empty() ? "(top level)" : pointer);
  return out + message;
}

std::string Suggestion(std::string_view wrong, std::span<const std::string> valid) {
  if (valid.empty()) return "";
  constexpr std::size_t kShown = 40;
  std::string all =
      fmt::format("{}", fmt::join(valid.subspan(0, std::min(valid.size(), kShown)), ", "));
  if (valid.size() > kShown) all += ", ...";
  if (const std::string* near = Nearest(wrong, valid)) {
    return fmt::format("; did you mean \"{}\"? (one of: {})", *near, all);
  }
  return fmt::format("; expected one of: {}", all);
}

std::string Quoted(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  std::string out = "\"";
  bool cut = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (i >= kLongest && (c & 0xC0) != 0x80) {  // never inside a UTF-8 character
      cut = true;
      break;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += text[i];
    } else if (c < 0x20 || c == 0x7F) {
      out += fmt::format("\\u{:04x}", c);
    } else {
      out += text[i];
    }
  }
  return out + (cut ? "...\"" : "\"");
}

std::string PointerToken(std::string_view token) {
  std::string out;
  for (const char c : token.substr(0, 200)) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += '?';  // keeps a diagnostic on its line
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace rtclab::scenarios
