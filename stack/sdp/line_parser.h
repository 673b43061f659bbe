// Splits text into lines and reads the ones that descriptions and fragments have in common.
#ifndef RTCLAB_STACK_SDP_LINE_PARSER_H_
#define RTCLAB_STACK_SDP_LINE_PARSER_H_

#include <optional>
#include <string>
#include <string_view>

#include "stack/sdp/scanner.h"
#include "stack/sdp/session_description.h"

namespace rtclab::sdp {

class LineParser {
 public:
  LineParser(std::string_view text, const ParseLimits& limits) : text_(text), limits_(limits) {}

  // Moves to the next line and checks that it has the form "x=...". False at the end of the text or after an error.
  bool NextLine();
  char type() const { return line_[0]; }
  // What follows the "=".
  std::string_view value() const { return line_.substr(2); }
  // A scanner at the start of the value; its positions count from the start of the line.
  Scanner scanner() const { return Scanner(line_, 2); }
  int line_number() const { return line_number_; }

  // False with `in`'s error, or true where it has none.
  bool Check(Scanner& in);
  // An error at a column of this line, counted from 0; false.
  bool Fail(std::size_t position, std::string reason);
  bool failed() const { return error_.has_value(); }
  ParseError TakeError() { return *std::move(error_); }

  bool ReadAttributeLine(AttributeList& out, bool any_case);
  bool ReadMediaLine(std::vector<MediaDescription>& out);

 private:
  // What is left of the session level or the section, this line excluded; at least 1.
  std::size_t LinesBeforeNextSection() const;

  std::string_view text_;  // what is left
  ParseLimits limits_;
  std::string_view line_;
  int line_number_ = 0;
  std::optional<ParseError> error_;
};

}  // namespace rtclab::sdp

#endif  // RTCLAB_STACK_SDP_LINE_PARSER_H_
