#!/usr/bin/env python3
"""Reads what the report writers write with the eyes of others: a JSON Schema validator, XML and HTML parsers, tshark.

usage: report_test.py CONFORMANCE.schema.json TEST-PROGRAM
"""
import copy
import html.parser
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import jsonschema

VOID = {"meta", "br"}


class Page(html.parser.HTMLParser):
    """Checks that every element is closed, none is active, and nothing is loaded from elsewhere."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.links, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        assert tag in {"html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "ul", "li", "b", "table", "thead",
                       "tbody", "tr", "th", "td", "article", "span", "code", "dl", "dt", "dd", "blockquote", "br", "details",
                       "summary", "pre", "a"}, tag
        for name, value in attrs:
            assert name in {"lang", "charset", "http-equiv", "content", "name", "class", "id", "href"}, name
            if name == "id":
                self.ids.append(value)
            if name == "href":
                self.links.append(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (self.open, tag)
        self.open.pop()

    def handle_data(self, data):
        self.text.append(data)


def check_json(schema_path, folder):
    schema = json.loads(pathlib.Path(schema_path).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    good = json.loads((folder / "report.json").read_text())
    validator.validate(good)
    validator.validate(json.loads((folder / "stopped.json").read_text()))

    def damaged(change):
        document = copy.deepcopy(good)
        change(document)
        return document

    bad = {
        "no target": damaged(lambda d: d.pop("target")),
        "another version": damaged(lambda d: d.update(schema_version=2)),
        "a password": damaged(lambda d: d["target"].update(password="x")),
        "an unknown outcome": damaged(lambda d: d["results"][0].update(outcome="good")),
        "a failure without its expectation": damaged(lambda d: d["results"][1].pop("expected")),
        "a failure without its exchange": damaged(lambda d: d["results"][1].pop("exchange")),
        "a skipped case without a reason": damaged(lambda d: d["results"][8].pop("reason")),
        "an unexpected pass that fails": damaged(lambda d: d["results"][2].update(expectation="xpass")),
        "a clause with an RFC and a source": damaged(lambda d: d["results"][0]["clauses"][0].update(source="x")),
        "a level of its own": damaged(lambda d: d["results"][0]["clauses"][0].update(level="OUGHT")),
        "a part that is not tested, and no way out": damaged(lambda d: d["summary"]["not_tested"][0].pop("how")),
        "odd hexadecimal": damaged(lambda d: d["results"][1]["exchange"][1].update(bytes_hex="0")),
        "not complete without a reason": damaged(lambda d: d.update(complete=False)),
        "an exit code of its own": damaged(lambda d: d["summary"].update(exit_code=2)),
        "a flaky case without what was seen": damaged(lambda d: d["results"][4].pop("first_failure")),
    }
    for what, document in bad.items():
        assert not validator.is_valid(document), f"the schema accepts {what}"


def check_junit(folder):
    suite = xml.etree.ElementTree.parse(folder / "report.xml").getroot().find("testsuite")
    cases = suite.findall("testcase")
    assert len(cases) == int(suite.get("tests")) == 12
    assert len(suite.findall("testcase/failure")) == int(suite.get("failures")) == 2
    assert len(suite.findall("testcase/error")) == int(suite.get("errors")) == 2
    assert len(suite.findall("testcase/skipped")) == int(suite.get("skipped")) == 3
    failure = cases[1].find("failure")
    assert "<script>" in failure.get("message") and "Binding error response" in failure.text


def check_html(folder):
    text = (folder / "report.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    page.close()
    assert not page.open, page.open
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        assert link.startswith("https://www.rfc-editor.org/rfc/rfc") or (link[0] == "#" and link[1:] in page.ids), link
    words = "".join(page.text)
    assert "ERROR-CODE: 420 \"<script>alert(1)</script>?" in words
    assert "@import" not in text and "url(" not in text


def tshark(path, *fields):
    arguments = ["tshark", "-n", "-r", str(path), "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
                 "-o", "tcp.check_checksum:TRUE", "-T", "fields", "-E", "separator=|"]
    for field in fields:
        arguments += ["-e", field]
    result = subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=60)
    return [line.split("|") for line in result.stdout.splitlines()]


def check_captures(folder):
    # 1: good, of the checksums; the server's text is cut by tshark as it likes.
    udp = tshark(folder / "turn.alloc.token-even.pcapng", "frame.time_epoch", "ip.src", "udp.dstport", "ip.checksum.status",
                 "udp.checksum.status", "stun.type", "stun.att.error.class", "frame.comment")
    assert [row[:6] for row in udp] == [
        ["0.001000000", "127.0.0.1", "13478", "1", "1", "0x0001"],
        ["0.001250000", "127.0.0.1", "50000", "1", "1", "0x0111"]], udp
    assert udp[1][6] == "4" and "an Allocate with both attributes" in udp[0][7], udp
    # A message in two pieces inside TLS, put together again.
    tls = tshark(folder / "turn.alloc.known.pcapng", "ipv6.src", "tcp.srcport", "tcp.checksum.status", "stun.type",
                 "frame.comment")
    assert [row[:3] for row in tls] == [["::1", "50000", "1"], ["::1", "3478", "1"], ["::1", "3478", "1"]], tls
    assert [row[3] for row in tls] == ["0x0001", "", "0x0101"], tls
    assert "inside tls to [::1]:5349" in tls[0][4], tls
    dtls = tshark(folder / "stun.software.pcapng", "udp.checksum.status", "stun.type")
    assert dtls == [["1", "0x0001"], ["1", "0x0101"]], dtls
    tcp = tshark(folder / "turn.blocked.pcapng", "tcp.checksum.status", "tcp.len")
    assert tcp == [["1", "20"], ["1", "3"]], tcp


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([sys.argv[2], "--gtest_filter=*.WritesTheExample"], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "RTCLAB_EXAMPLE": name})
        check_json(sys.argv[1], folder)
        check_junit(folder)
        check_html(folder)
        check_captures(folder / "pcap")
        left = sorted(path.name for path in folder.iterdir())
        assert left == ["pcap", "report.html", "report.json", "report.xml", "stopped.json"], left
    print("report_test: JSON, JUnit, HTML and captures are read by others")
    return 0


if __name__ == "__main__":
    sys.exit(main())
