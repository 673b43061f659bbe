#include "conformance/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "conformance/report/page.h"
#include "conformance/report/sections.h"
#include "conformance/report/test_report.h"
#include "results/whole_file.h"

namespace rtclab::conformance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string AllDocuments(const RunReport& report) {
  return ToJson(report) + ToJunit(report) + ToHtml(report) + Summary(report, true);
}

class ReportFilesTest : public testing::Test {
 protected:
  ReportFilesTest() {
    std::string pattern = testing::TempDir() + "reportXXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~ReportFilesTest() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path directory_;
};

TEST(ReportTest, NoDocumentHasAPassword) {
  const std::string all = AllDocuments(TestReport());
  EXPECT_THAT(all, Not(HasSubstr(kTestPassword)));
  EXPECT_THAT(all, Not(HasSubstr(kTestSecret)));
  EXPECT_THAT(all, Not(HasSubstr(kTestKey)));
}

TEST(ReportTest, JsonSaysWhatTheReportSays) {
  const auto json = nlohmann::json::parse(ToJson(TestReport()));
  EXPECT_EQ(json["complete"], true);
  EXPECT_EQ(json["target"]["certificate_verified"], false);
  EXPECT_EQ(json["elapsed_ms"], 41'250);
  EXPECT_EQ(json["summary"]["fail"], 2);
  EXPECT_EQ(json["summary"]["exit_code"], 1);
  EXPECT_EQ(json["features"]["tcp-relay"]["present"], false);
  const auto& failure = json["results"][1];
  EXPECT_EQ(failure["outcome"], "fail");
  EXPECT_EQ(failure["clauses"][0]["level"], "required");
  EXPECT_EQ(failure["exchange"][1]["bytes_hex"], "000100002112a442000102030405060708090a0b");
  EXPECT_EQ(failure["exchange"][3]["note"], "nothing came for 250 ms");
  EXPECT_EQ(json["results"][11]["clauses"][0]["source"], "CVE-2020-26262");
  // Only where somebody has to look at it.
  EXPECT_FALSE(json["results"][0].contains("exchange"));
}

TEST(ReportTest, JsonOfAFloodKeepsBothEnds) {
  RunReport report = TestReport();
  Exchange& exchange = report.results[1].exchange;
  exchange.assign(1'000, exchange[1]);
  exchange.back().who = "last";
  const auto json = nlohmann::json::parse(ToJson(report));
  EXPECT_EQ(json["results"][1]["exchange"].size(), 200u);
  EXPECT_EQ(json["results"][1]["exchange"].back()["who"], "last");
  EXPECT_EQ(json["results"][1]["exchange_left_out_packets"], 800);
}

TEST(ReportTest, IncompleteRunsSaySoEverywhere) {
  RunReport report = TestReport();
  report.complete = false;
  report.incomplete_why = "stopped by Ctrl-C";
  const auto json = nlohmann::json::parse(ToJson(report));
  EXPECT_EQ(json["complete"], false);
  EXPECT_EQ(json["incomplete_why"], "stopped by Ctrl-C");
  EXPECT_EQ(json["summary"]["exit_code"], 3);
  EXPECT_THAT(ToJunit(report), HasSubstr("<error message=\"stopped by Ctrl-C\""));
  EXPECT_THAT(ToHtml(report), HasSubstr("Not complete: stopped by Ctrl-C"));
  EXPECT_THAT(Summary(report, false), HasSubstr("NOT COMPLETE  stopped by Ctrl-C"));
}

TEST(ReportTest, JunitCountsAndKinds) {
  const std::string xml = ToJunit(TestReport());
  // Failures: one that is not known, one unexpected pass; errors: blocked, error; skipped: known, unsupported, skipped.
  EXPECT_THAT(xml, HasSubstr("tests=\"12\" failures=\"2\" errors=\"2\""));
  EXPECT_THAT(xml, HasSubstr("skipped=\"3\""));
  EXPECT_THAT(xml, HasSubstr("classname=\"conform.turn.alloc\" name=\"turn.alloc.token-even\""));
  EXPECT_THAT(xml, HasSubstr("type=\"required\""));
  EXPECT_THAT(xml, HasSubstr("passes, and is listed as failing: fails in 4.6.0"));
  EXPECT_THAT(xml, HasSubstr("certificate was not verified"));
}

TEST(ReportTest, HtmlEscapesWhatTheServerSays) {
  const std::string html = ToHtml(TestReport());
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;?[31m&quot;&#39;&amp;"));
  EXPECT_THAT(html, Not(HasSubstr("\x1b")));
  EXPECT_THAT(html, Not(HasSubstr("<b>second")));
  EXPECT_THAT(html, HasSubstr("https://www.rfc-editor.org/rfc/rfc8656#section-7.2"));
  EXPECT_THAT(html, HasSubstr("https://www.rfc-editor.org/rfc/rfc8656#appendix-B.1"));
  EXPECT_THAT(html, HasSubstr("probed: 442 to REQUESTED-TRANSPORT 6"));
  EXPECT_THAT(html, HasSubstr("Warning: the server&#39;s certificate was not verified"));
}

// Each in one chapter: an anchor must be one place.
TEST(ReportTest, HtmlTellsOfEachCaseOnce) {
  RunReport report = TestReport();
  report.results[5].flaky = true;  // weak and flaky
  report.results[5].first_failure = "x";
  report.results[9].flaky = true;  // blocked and flaky
  report.results[9].first_failure = "x";
  const std::string html = ToHtml(report);
  for (const std::size_t i : {1, 2, 3, 4, 5, 9, 10}) {
    const std::string article =
        "<article id=\"" + std::string(report.results[i].test_case->id) + "\">";
    const std::size_t first = html.find(article);
    ASSERT_NE(first, std::string::npos) << article;
    EXPECT_EQ(html.find(article, first + 1), std::string::npos) << article;
  }
}

TEST(PageTest, EscapedKeepsLinesAndNothingElseThatSteers) {
  EXPECT_EQ(Escaped("a<b\n\t\xff&"), "a&lt;b\n??&amp;");
  EXPECT_EQ(Escaped(""), "");
  EXPECT_EQ(Page().Element("td", "<", "x\"y").Take(), "<td class=\"x&quot;y\">&lt;</td>");
}

TEST(SectionsTest, NumbersAreNumbers) {
  EXPECT_TRUE(SectionLess("9.2", "9.10"));
  EXPECT_TRUE(SectionLess("9", "9.1"));
  EXPECT_TRUE(SectionLess("18", "B.1"));
  EXPECT_FALSE(SectionLess("9.10", "9.2"));
  EXPECT_FALSE(SectionLess("7.2", "7.2"));
  const RunReport report = TestReport();
  std::vector<std::string> order;
  for (const SectionResults& section : BySection(report)) {
    order.push_back(ClauseName({.rfc = section.rfc, .section = section.section}));
  }
  EXPECT_THAT(
      order, ElementsAre("RFC 5780 section 6.1", "RFC 6062 section 5.1", "RFC 8489 section 6.3.1",
                         "RFC 8489 section 7.3.1", "RFC 8489 section 14.14", "RFC 8656 section 7.2",
                         "RFC 8656 section 8.2", "RFC 8656 section 9", "RFC 8656 section 10.2",
                         "RFC 8656 appendix B.1", "CVE-2020-26262"));
}

TEST_F(ReportFilesTest, ReplacesWholeFilesAndSaysWhyNot) {
  const auto path = directory_ / "a.json";
  ASSERT_TRUE(WriteJson(TestReport(), path));
  ASSERT_TRUE(WriteJson(TestReport(), path));
  EXPECT_EQ(*results::ReadWholeFile(path), ToJson(TestReport()));
  const auto missing = WriteHtml(TestReport(), directory_ / "none" / "a.html");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().reason, HasSubstr("a.html"));
  EXPECT_FALSE(WriteFailureCaptures(TestReport(), path));  // a file, not a folder
}

TEST_F(ReportFilesTest, CapturesOfWhatHasEvidence) {
  ASSERT_TRUE(WriteFailureCaptures(TestReport(), directory_ / "new"));
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory_ / "new")) {
    names.push_back(entry.path().filename().string());
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("turn.alloc.token-even.pcapng",
                                                   "turn.alloc.known.pcapng",
                                                   "stun.software.pcapng", "turn.blocked.pcapng"));
}

// For report_test.py: the documents as files where it says.
TEST_F(ReportFilesTest, WritesTheExample) {
  const char* wanted = std::getenv("RTCLAB_EXAMPLE");  // NOLINT(concurrency-mt-unsafe)
  const std::filesystem::path folder = wanted != nullptr ? wanted : directory_;
  RunReport stopped = TestReport();
  stopped.complete = false;
  stopped.incomplete_why = "stopped";
  stopped.results.resize(2);
  ASSERT_TRUE(WriteJson(TestReport(), folder / "report.json"));
  ASSERT_TRUE(WriteJson(stopped, folder / "stopped.json"));
  ASSERT_TRUE(WriteJunit(TestReport(), folder / "report.xml"));
  ASSERT_TRUE(WriteHtml(TestReport(), folder / "report.html"));
  ASSERT_TRUE(WriteFailureCaptures(TestReport(), folder / "pcap"));
}

TEST(ReportTest, SchemaIsInTheProgram) {
  EXPECT_TRUE(nlohmann::json::parse(ConformanceSchema()).contains("$defs"));
}

}  // namespace
}  // namespace rtclab::conformance
