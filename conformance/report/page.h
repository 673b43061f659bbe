// HTML text, escaped where it has to be.
#ifndef RTCLAB_CONFORMANCE_REPORT_PAGE_H_
#define RTCLAB_CONFORMANCE_REPORT_PAGE_H_

#include <string>
#include <string_view>

namespace rtclab::conformance {

// For elements and quoted attributes: & < > " ' as references; what is not UTF-8, and characters that steer (controls, bidirectional
// ones, invisible ones) but line breaks, as '?'.
std::string Escaped(std::string_view text);

class Page {
 public:
  // Markup as it is: never text from outside.
  Page& Raw(std::string_view markup) {
    out_ += markup;
    return *this;
  }
  Page& Text(std::string_view text) {
    out_ += Escaped(text);
    return *this;
  }
  // <name class="css">text</name>.
  Page& Element(std::string_view name, std::string_view text, std::string_view css = {});
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

// The head of every page: title, style for screen (light and dark) and print, no scripts, nothing loaded.
std::string PageHead(std::string_view title);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_REPORT_PAGE_H_
