#!/usr/bin/env python3
"""Make wrong cases of right ones: each must fail in a runner that looks.

mutate.py FILE.jsonl prints ALB cases whose every expectation was changed, one
at a time.
"""
import copy
import json
import sys


def leaves(value, path=()):
    if isinstance(value, dict):
        for key in value:
            yield from leaves(value[key], path + (key,))
    else:
        yield path, value


def other(value):
    if isinstance(value, bool):
        return not value
    return value + ("x" if isinstance(value, str) else ["x"])


def of_event(case):
    for path, value in leaves(case["expect_event"]):
        new = copy.deepcopy(case)
        at = new["expect_event"]
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = other(value)
        yield "value of " + "/".join(path), new
    for key, value in case["expect_event"].items():
        if isinstance(value, dict):
            new = copy.deepcopy(case)
            new["expect_event"][key]["zzz"] = "1"
            yield "one more in " + key, new
    status = {k: v for k, v in case.items() if k != "expect_event"}
    empty = {**case["expect_event"], "requestContext": {}}
    yield "status", {**status, "expect_status": 200}
    yield "absent", {**case, "expect_absent": [["path"]]}
    yield "deep absent", {**case, "expect_absent": [["requestContext", "elb"]]}
    yield "regex", {**case, "expect_regex": [[["path"], "(?!.).."]]}
    yield "regex of no string", {
        **case, "expect_regex": [[["isBase64Encoded"], "."]]}
    yield "exact", {**case, "expect_event": empty,
                    "expect_exact": ["requestContext"]}
    yield "unknown key", {**case, "foo": 1}


def of_refusal(case):
    bare = {k: v for k, v in case.items() if not k.startswith("expect_status")}
    yield "status", {**bare, "expect_status": 499}
    yield "alternatives", {**bare, "expect_status": 499,
                           "expect_status_alt": [498]}
    yield "event", {**bare, "expect_event": {}}


def of_response(case):
    changes = {
        "reason": "zz", "headers": [["server", "zz"]],
        "headers_absent": ["DATE"], "header_multiset": {"date": []},
        "body": "nono", "body_base64": "AAEC", "foo": 1}
    if "status" in case["expect"]:
        changes["status"] = case["expect"]["status"] + 1
    for key, value in changes.items():
        yield key, {**case, "expect": {**case["expect"], key: value}}
    yield "multiset", {**case, "expect": {
        **case["expect"], "header_multiset": {"date": ["a", "b"]}}}
    yield "attribute", {**case, "attrs": {"routing.nothing": "1"}}
    yield "fill", {**case, "fill": {"char": "a", "count": 1, "x": 1}}


def mutants(case):
    if "expect_event" in case:
        return of_event(case)
    return of_refusal(case) if "expect_status" in case else of_response(case)


def main():
    for line in open(sys.argv[1], encoding="utf-8"):
        if line.strip():
            case = json.loads(line)
            for what, new in mutants(case):
                new["id"] = "%s: %s" % (case["id"], what)
                print(json.dumps(new))


main()
