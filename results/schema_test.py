#!/usr/bin/env python3
"""Validates what the writer writes against the published schema, and shows that the schema can refuse.

usage: schema_test.py SCHEMA (TEST-PROGRAM | RESULTS.json...)
"""
import copy
import json
import os
import subprocess
import sys
import tempfile

import jsonschema


def series_is_described(schema_path: str, program: str) -> bool:
    """The lines of series.jsonl fit their schema; damaged ones do not."""
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "example.jsonl")
        subprocess.run([program, "--gtest_filter=SeriesTest.WritesTheExample"], check=True,
                       stdout=subprocess.DEVNULL, env={**os.environ, "RTCLAB_SERIES_EXAMPLE": path})
        with open(path, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
    for line in lines:
        validator.validate(line)
    good = lines[0]
    bad = {
        "a rate as text": {**good, "send_bps": "1 Mbit/s"},
        "more loss than all": {**good, "loss": 1.5},
        "a negative time": {**good, "time_ms": -1},
        "an interval of nothing": {**good, "interval_ms": 0},
        "half a frame": {**good, "frames": 0.5},
        "no run": {k: v for k, v in good.items() if k != "run"},
        "an unknown member": {**good, "jitter_ms": 1},
    }
    for what, line in bad.items():
        if validator.is_valid(line):
            print(f"the series' schema accepts {what}")
            return False
    return len(lines) == 2


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)

    if sys.argv[2].endswith(".json"):
        for path in sys.argv[2:]:
            with open(path, encoding="utf-8") as file:
                validator.validate(json.load(file))
        return 0

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "example.json")
        subprocess.run([sys.argv[2], "--gtest_filter=JsonTest.WritesTheExample"], check=True,
                       stdout=subprocess.DEVNULL, env={**os.environ, "RTCLAB_EXAMPLE": path})
        with open(path, encoding="utf-8") as file:
            good = json.load(file)
    validator.validate(good)

    def damaged(change):
        document = copy.deepcopy(good)
        change(document)
        return document

    run, session = (lambda d: d["runs"][0]), (lambda d: d["runs"][0]["sessions"][0])
    bad = {
        "no summary": damaged(lambda d: d.pop("summary")),
        "a version of its own": damaged(lambda d: d.update(schema_version=2)),
        "an unknown verdict": damaged(lambda d: run(d).update(verdict="good")),
        "a pass with a failure": damaged(lambda d: run(d).update(failures=d["runs"][1]["failures"])),
        "an error without a reason": damaged(lambda d: d["runs"][2].pop("error")),
        "an unknown state": damaged(lambda d: session(d).update(state="checking")),
        "a candidate without a port": damaged(lambda d: session(d)["selected_pair"]["local"].pop("port")),
        "an unknown candidate type": damaged(lambda d: session(d)["selected_pair"]["local"].update(type="x")),
        "a time as text": damaged(lambda d: session(d)["timing_ms"].update(gathering="1 ms")),
        "no why": damaged(lambda d: session(d).pop("why")),
    }
    if not series_is_described(os.path.join(os.path.dirname(sys.argv[1]), "series.schema.json"), sys.argv[2]):
        return 1
    for what, document in bad.items():
        if validator.is_valid(document):
            print(f"the schema accepts {what}")
            return 1
    print(f"the example is valid, {len(bad)} damaged ones are not")
    return 0


if __name__ == "__main__":
    sys.exit(main())
