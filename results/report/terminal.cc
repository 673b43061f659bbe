#include "results/report/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>

namespace rtclab::results {
namespace {

// Of files and pipes: a log has room for the matrix of all NAT presets.
constexpr int kLogWidth = 120;

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

const char* EscapeOf(Color color) {
  switch (color) {
    case Color::kNone:
      return "";
    case Color::kBold:
      return "\x1b[1m";
    case Color::kDim:
      return "\x1b[2m";
    case Color::kRed:
      return "\x1b[31m";
    case Color::kGreen:
      return "\x1b[32m";
    case Color::kYellow:
      return "\x1b[33m";
    case Color::kBlue:
      return "\x1b[34m";
    case Color::kMagenta:
      return "\x1b[35m";
    case Color::kCyan:
      return "\x1b[36m";
  }
  return "";
}

struct CodePoint {
  char32_t value = 0;
  std::size_t size = 0;  // 0: no UTF-8
};

// The code point that `text`, which is not empty, begins with.
CodePoint FirstOf(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return {};
  char32_t value = lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if (!IsContinuation(text[i])) return {};
    value = value << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  return value < kLeast[size] || value > 0x10FFFF ? CodePoint{} : CodePoint{value, size};
}

// Unicode's general categories Cc, Cf, Zl and Zp, as far as a terminal may act on them or show nothing.
bool IsControl(char32_t c) {
  struct Range {
    char32_t first, last;
  };
  constexpr Range kRanges[] = {{0x00, 0x1F},     {0x7F, 0x9F},      {0xAD, 0xAD},
                               {0x61C, 0x61C},   {0x180E, 0x180E},  {0x200B, 0x200F},
                               {0x2028, 0x202E}, {0x2060, 0x206F},  {0xFEFF, 0xFEFF},
                               {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F}};
  return std::any_of(std::begin(kRanges), std::end(kRanges),
                     [c](const Range& r) { return c >= r.first && c <= r.last; });
}

// Bytes of the first `columns` code points.
std::size_t BytesOf(std::string_view text, std::size_t columns) {
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    if (!IsContinuation(text[i]) && columns-- == 0) break;
  }
  return i;
}

// By the first of the locale's variables that is set (POSIX.1-2017 section 8.2).
bool IsUtf8Locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
    if (value == nullptr || *value == '\0') continue;
    const std::string_view locale(value);
    for (const std::string_view charset : {"UTF-8", "utf-8", "UTF8", "utf8"}) {
      if (locale.ends_with(charset)) return true;
    }
    return false;
  }
  return false;
}

}  // namespace

Terminal DetectTerminal(int fd) {
  Terminal terminal;
  terminal.tty = isatty(fd) == 1;
  const char* no_color = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe): one thread
  const char* term = std::getenv("TERM");          // NOLINT(concurrency-mt-unsafe)
  const bool dumb = term != nullptr && std::strcmp(term, "dumb") == 0;
  terminal.color = terminal.tty && !dumb && (no_color == nullptr || *no_color == '\0');
  terminal.unicode = terminal.tty && !dumb && IsUtf8Locale();
  winsize size{};
  const char* columns = std::getenv("COLUMNS");  // NOLINT(concurrency-mt-unsafe)
  if (terminal.tty && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    terminal.width = size.ws_col;
  } else if (columns != nullptr && std::atoi(columns) > 0) {
    terminal.width = std::atoi(columns);
  } else if (!terminal.tty) {
    terminal.width = kLogWidth;
  }
  terminal.width = std::clamp(terminal.width, 40, 400);
  return terminal;
}

void Print(std::FILE* file, std::string_view text) {
  [[maybe_unused]] const std::size_t written = std::fwrite(text.data(), 1, text.size(), file);
}

std::string Paint(const Terminal& terminal, Color color, std::string_view text) {
  if (!terminal.color || color == Color::kNone) return std::string(text);
  return EscapeOf(color) + std::string(text) + "\x1b[0m";
}

std::string Printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const CodePoint c = FirstOf(text);
    const std::size_t size = std::max<std::size_t>(c.size, 1);
    if (c.size == 0 || IsControl(c.value)) {
      out += '?';
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return out;
}

std::size_t Columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuation(c); }));
}

std::string PadRight(std::string_view text, std::size_t columns) {
  const std::size_t used = Columns(text);
  return std::string(text) + std::string(used < columns ? columns - used : 0, ' ');
}

std::string PadLeft(std::string_view text, std::size_t columns) {
  const std::size_t used = Columns(text);
  return std::string(used < columns ? columns - used : 0, ' ') + std::string(text);
}

std::string Shortened(std::string_view text, std::size_t columns) {
  const std::size_t all = Columns(text);
  if (all <= columns) return std::string(text);
  const std::size_t head = (columns - 2) / 2;
  const std::size_t tail = columns - 2 - head;
  return std::string(text.substr(0, BytesOf(text, head))) + ".." +
         std::string(text.substr(BytesOf(text, all - tail)));
}

std::vector<std::string> Wrap(std::string_view text, std::size_t columns) {
  columns = std::max<std::size_t>(columns, 1);
  std::vector<std::string> lines;
  while (Columns(text) > columns) {
    const std::size_t limit = BytesOf(text, columns);
    std::size_t cut = text.rfind(' ', limit);
    if (cut == std::string_view::npos || cut == 0) cut = limit;
    lines.emplace_back(text.substr(0, text.find_last_not_of(' ', cut - 1) + 1));
    text.remove_prefix(cut);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
  if (!text.empty() || lines.empty()) lines.emplace_back(text);
  return lines;
}

}  // namespace rtclab::results
