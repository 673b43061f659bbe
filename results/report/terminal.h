// Text for terminals and logs: width, colour only where a terminal shows it, and nothing a scenario's names could inject.
#ifndef RTCLAB_RESULTS_REPORT_TERMINAL_H_
#define RTCLAB_RESULTS_REPORT_TERMINAL_H_

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace rtclab::results {

struct Terminal {
  int width = 100;       // columns
  bool tty = false;      // lines may be redrawn
  bool color = false;    // escape codes for colour
  bool unicode = false;  // a terminal that shows UTF-8: block characters
};

// What file descriptor `fd` is: columns from the terminal itself, otherwise from COLUMNS, otherwise 100; colour on a
// terminal unless NO_COLOR is set or TERM is "dumb"; Unicode on one whose locale (LC_ALL, LC_CTYPE, LANG) is of UTF-8.
Terminal DetectTerminal(int fd);

// Writes all of `text`. A reader that went away (`rtclab ... | head`) is no error: nobody wants the rest.
void Print(std::FILE* file, std::string_view text);

enum class Color { kNone, kBold, kDim, kRed, kGreen, kYellow, kBlue, kMagenta, kCyan };

// `text` in colour; unchanged without Terminal::color.
std::string Paint(const Terminal& terminal, Color color, std::string_view text);
// Control characters, those that set the direction of text or show nothing, and what is not UTF-8 replaced by '?', so
// that a name in a file can neither steer the terminal nor pass for another.
std::string Printable(std::string_view text);
// Columns that UTF-8 text takes, one a code point.
std::size_t Columns(std::string_view text);
// Padded with spaces to `columns`; longer text stays.
std::string PadRight(std::string_view text, std::size_t columns);
std::string PadLeft(std::string_view text, std::size_t columns);
// At most `columns`, of which there are 4 at least: of longer text the middle is left out, "call/g..seed=1".
std::string Shortened(std::string_view text, std::size_t columns);
// Broken at spaces into lines of at most `columns`, a longer word where it must. At least one line.
std::vector<std::string> Wrap(std::string_view text, std::size_t columns);

}  // namespace rtclab::results

#endif  // RTCLAB_RESULTS_REPORT_TERMINAL_H_
