// What is wrong with a scenario file, and where: the one form in which every complaint about input leaves this room.
#ifndef RTCLAB_SCENARIOS_DIAGNOSTIC_H_
#define RTCLAB_SCENARIOS_DIAGNOSTIC_H_

#include <span>
#include <string>
#include <string_view>

namespace rtclab::scenarios {

struct Diagnostic {
  std::string file;     // as the user named it
  int line = 0;         // 1-based; 0: the file as a whole (missing, empty, a directory)
  int column = 0;       // 1-based, in characters of UTF-8 text
  std::string pointer;  // RFC 6901; empty for the root and for the file as a whole
  std::string message;  // what was found, what was expected, the nearest valid name

  // `scenarios/x.json:7:12: /networks/home/nat: unknown NAT preset "x"; ...`
  std::string ToString() const;

  bool operator==(const Diagnostic&) const = default;
};

// `; did you mean "a"? (one of: a, b)`, or `; expected one of: a, b` when nothing is near. Empty without `valid`.
std::string Suggestion(std::string_view wrong, std::span<const std::string> valid);

// Text as a JSON string, shortened to some 60 characters: how messages quote what a user wrote.
std::string Quoted(std::string_view text);

// One token of a JSON pointer, escaped (RFC 6901 section 3).
std::string PointerToken(std::string_view token);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_DIAGNOSTIC_H_
