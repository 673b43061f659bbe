#include "conformance/report/page.h"

#include "results/report/terminal.h"

namespace rtclab::conformance {
namespace {

constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--fg:#1b1f24;--bg:#fff;--soft:#57606a;--line:#d0d7de;--box:#f6f8fa;--good:#1a7f37;--bad:#cf222e;
--mid:#9a6700;--link:#0969da}
@media (prefers-color-scheme:dark){:root{--fg:#e6edf3;--bg:#0d1117;--soft:#8b949e;--line:#30363d;--box:#161b22;--good:#3fb950;
--bad:#f85149;--mid:#d29922;--link:#4493f8}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);max-width:72rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.5rem;margin:0 0 .3rem}
h2{font-size:1.2rem;margin:2rem 0 .6rem;border-bottom:1px solid var(--line);padding-bottom:.2rem}
h3{font-size:1rem;margin:1.4rem 0 .4rem}
a{color:var(--link)}
p{margin:.3rem 0}
.soft{color:var(--soft)}
.banner{border:2px solid var(--bad);color:var(--bad);font-weight:600;padding:.5rem .8rem;border-radius:6px;margin:.6rem 0}
.verdict{font-size:1.1rem;font-weight:600}
.tiles{display:flex;flex-wrap:wrap;gap:.6rem;margin:1rem 0;padding:0;list-style:none}
.tiles li{border:1px solid var(--line);background:var(--box);border-radius:6px;padding:.4rem .9rem;min-width:5.5rem}
.tiles b{display:block;font-size:1.3rem}
table{border-collapse:collapse;width:100%;margin:.4rem 0}
th,td{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
th{color:var(--soft);font-weight:600}
td:first-child{white-space:nowrap}
code,pre{font:13px/1.45 ui-monospace,monospace}
pre{background:var(--box);border:1px solid var(--line);border-radius:6px;padding:.6rem;overflow-x:auto;margin:.5rem 0}
blockquote{margin:.4rem 0;padding-left:.8rem;border-left:3px solid var(--line)}
article{border:1px solid var(--line);border-radius:6px;padding:.7rem 1rem;margin:.8rem 0}
article h3{margin:0 0 .3rem}
dl{display:grid;grid-template-columns:6rem 1fr;gap:.15rem .6rem;margin:.4rem 0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
summary{cursor:pointer;color:var(--link)}
.pass{color:var(--good)}
.fail,.error,.blocked{color:var(--bad);font-weight:600}
.weak,.flaky{color:var(--mid);font-weight:600}
.info,.unsupported,.skipped{color:var(--soft)}
@media (max-width:40rem){td:first-child{white-space:normal}dl{grid-template-columns:1fr}}
@media print{body{max-width:none;padding:0;font-size:11px}article,tr{break-inside:avoid}pre{white-space:pre-wrap;overflow:visible}
details>summary{display:none}}
)css";

}  // namespace

std::string Escaped(std::string_view text) {
  std::string out;
  std::size_t begin = 0;
  const auto line = [&out](std::string_view part) {
    for (const char c : results::Printable(part)) {
      switch (c) {
        case '&':
          out += "&amp;";
          break;
        case '<':
          out += "&lt;";
          break;
        case '>':
          out += "&gt;";
          break;
        case '"':
          out += "&quot;";
          break;
        case '\'':
          out += "&#39;";
          break;
        default:
          out += c;
      }
    }
  };
  for (std::size_t end = text.find('\n'); end != std::string_view::npos;
       end = text.find('\n', begin)) {
    line(text.substr(begin, end - begin));
    out += '\n';
    begin = end + 1;
  }
  line(text.substr(begin));
  return out;
}

Page& Page::Element(std::string_view name, std::string_view text, std::string_view css) {
  out_ += '<';
  out_ += name;
  if (!css.empty()) {
    out_ += " class=\"";
    out_ += Escaped(css);
    out_ += '"';
  }
  out_ += '>';
  Text(text);
  out_ += "</";
  out_ += name;
  out_ += '>';
  return *this;
}

std::string PageHead(std::string_view title) {
  std::string head =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n<title>";
  head += Escaped(title);
  head += "</title>\n<style>";
  head += kStyle;
  head += "</style>\n</head>\n";
  return head;
}

}  // namespace rtclab::conformance
