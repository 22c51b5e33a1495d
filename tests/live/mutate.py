#!/usr/bin/env python3
"""Make wrong cases of right ones: each must fail in a runner that looks.

mutate.py FILE.jsonl prints ALB and API cases whose every expectation was
changed, one at a time.
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


def other_api(value):
    return "x" if value is None else \
        value + 1 if type(value) is int else other(value)


def of_api_event(case):
    for path, value in leaves(case["expect_event"]):
        new = copy.deepcopy(case)
        at = new["expect_event"]
        absent = path[-1] == "$absent"
        path = path[:-1] if absent else path
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = "x" if absent else other_api(value)
        yield "value of " + "/".join(path), new
    yield "absent", {**case, "expect_event": {
        **case["expect_event"], "isBase64Encoded": {"$absent": True}}}
    bare = {k: v for k, v in case.items() if k != "expect_event"}
    yield "status", {**bare, "expect_status": 200}


def of_api_answer(case):
    yield "status", {**case, "expect_status": 499}
    yield "body", {**case, "expect_body": "nono"}
    yield "headers", {**case, "expect_headers": [["content-type", "zz"]]}
    yield "absent", {**case, "absent_headers": ["CONTENT-LENGTH"]
                     if case["expect_status"] != 204 else ["CONNECTION"]}
    bare = {k: v for k, v in case.items() if k != "expect_status"}
    yield "event", {**bare, "expect_event": {}}


def of_api_response(case):
    expect = case["expect"]
    changes = {
        "status": expect["status"] + 1, "headers": [["date", "zz"]],
        "absent": ["DATE"], "body": "nono", "body_base64": "AAEC", "foo": 1}
    for key, value in changes.items():
        yield key, {**case, "expect": {**expect, key: value}}
    yield "case", {**case, "expect": {
        **expect, "headers": [["CONNECTION", "keep-alive"]],
        "exact_case": True}}
    yield "twice", {**case, "expect": {
        **expect, "headers": [["connection", "keep-alive"]] * 2}}


AUTHORIZERS = {"authorizer", "authorizationType", "apiKeyRequired", "apiKeys"}


def of_api(case):
    if AUTHORIZERS & set(case.get("config", {})):
        return
    kinds = {"expect_event": of_api_event, "expect_status": of_api_answer,
             "expect": of_api_response}
    for key, kind in kinds.items():
        if key in case:
            yield from kind(case)
    yield "unknown key", {**case, "foo": 1}
    yield "unknown setting", {
        **case, "config": {**case.get("config", {}), "foo": 1}}


def mutants(case):
    if "api" in case:
        return of_api(case)
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
