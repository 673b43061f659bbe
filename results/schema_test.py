#!/usr/bin/env python3
"""Validates what the writers write against the published schemas, and shows that the schemas can refuse.

usage: schema_test.py RESULTS.schema.json SERIES.schema.json TEST-PROGRAM
"""
import copy
import json
import os
import subprocess
import sys
import tempfile

import jsonschema


def validator_of(path):
    with open(path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def refuses(validator, bad) -> bool:
    for what, document in bad.items():
        if validator.is_valid(document):
            print(f"the schema accepts {what}")
            return False
    return True


def main() -> int:
    validator, line_validator = validator_of(sys.argv[1]), validator_of(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        path, call_path, series_path = (os.path.join(folder, name) for name in ("example", "call", "series"))
        subprocess.run([sys.argv[3], "--gtest_filter=JsonTest.WritesTheExample*"], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "RTCLAB_EXAMPLE": path, "RTCLAB_EXAMPLE_CALL": call_path,
                            "RTCLAB_EXAMPLE_SERIES": series_path})
        with open(path, encoding="utf-8") as file:
            good = json.load(file)
        with open(call_path, encoding="utf-8") as file:
            call = json.load(file)
        with open(series_path, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
    validator.validate(good)
    validator.validate(call)
    assert len(lines) == 20
    for line in lines:
        line_validator.validate(line)

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

    def damaged_call(change):
        document = copy.deepcopy(call)
        change(session(document))
        return document

    bad_calls = {
        "a phase of an unknown name": damaged_call(lambda s: s["phases"][0].update(name="handshake")),
        "a phase before the session": damaged_call(lambda s: s["phases"][0].update(start_ms=-1)),
        "a phase without an end": damaged_call(lambda s: s["phases"][0].pop("end_ms")),
        "a stream of another kind": damaged_call(lambda s: s["media"][0].update(kind="text")),
        "a path without its controller": damaged_call(lambda s: s["paths"][0].pop("controller")),
        "a channel that is intact in words": damaged_call(lambda s: s["data_channels"][0].update(intact="yes")),
    }
    bad_lines = {
        "a line without a time": {k: v for k, v in lines[0].items() if k != "time_ms"},
        "a line with a member of its own": {**lines[0], "jitter_ms": 1},
        "an interval of no length": {**lines[0], "interval_ms": 0},
        "more loss than packets": {**lines[0], "loss": 1.5},
        "a rate as text": {**lines[0], "send_bps": "1 Mbit/s"},
        "half a frame": {**lines[0], "frames": 0.5},
    }
    if not (refuses(validator, bad) and refuses(validator, bad_calls) and refuses(line_validator, bad_lines)):
        return 1
    print(f"the examples are valid, {len(bad) + len(bad_calls) + len(bad_lines)} damaged ones are not")
    return 0


if __name__ == "__main__":
    sys.exit(main())
