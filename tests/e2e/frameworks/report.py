"""What shows that an allowed difference is right: as a file and as a page."""
import json
import os
import re

from drive import DOORS, STREAMING
from table import answer_text, steady

PAGE = "docs/frameworks.md"
HEAD = """# Frameworks

<!-- Written by tests/e2e/29-frameworks.t --write from tests/e2e/frameworks/. -->

Functions are rarely written against events. They are applications of a framework, and an adapter of that framework reads the event and makes the result. `tests/e2e/29-frameworks.t` installs these from npm, in the versions of `tests/package-lock.json`, serves each application behind every door that its adapter supports, and once more on the framework's own server. Every request goes to both; status, headers and bytes must be the same.

| framework | adapter | its own server | doors |
| --- | --- | --- | --- |
| hono %(hono)s | hono/aws-lambda | @hono/node-server %(@hono/node-server)s | all, streaming ones as well |
| express %(express)s | @codegenie/serverless-express %(@codegenie/serverless-express)s | express | all that are buffered |
| fastify %(fastify)s | @fastify/aws-lambda %(@fastify/aws-lambda)s | fastify | all that are buffered |
| middy %(@middy/core)s | itself | none: a table of what its documentation says | all that are buffered but ALB with multi-value headers |

Other adapters are tried with fewer requests: serverless-http %(serverless-http)s, @vendia/serverless-express %(@vendia/serverless-express)s, @h4ad/serverless-adapter %(@h4ad/serverless-adapter)s and aws-serverless-express %(aws-serverless-express)s (REST only), each with the application of express, and lambda-api %(lambda-api)s, a framework that is its own adapter. Examples of the documentations, which show the event and the context inside an application, are driven by curl. Streaming doors, `url-stream` (`InvokeMode: RESPONSE_STREAM`) and `rest-stream` (`responseTransferMode: STREAM`), are served by hono's `streamHandle` and middy's `streamifyResponse`, with our client of the Runtime API and with AWS's. (@fastify/aws-lambda streams with fastify 5 only, which no longer runs on Node 18.) The REST API has `binaryMediaTypes: */*`, as the adapters' documentations want it.

%(count)d requests are compared, %(answers)d answers. Names of headers are compared without case, `Date` by its form, the order of values of one name counts. What may differ stands in `tests/e2e/frameworks/differences.json`, one row a reason, and below; each row must apply in every run, for each framework, door and request that it names, or the test fails. The whole events, results and answers that show the rows are in `tests/e2e/frameworks/evidence.json`; each run compares them, too. Rules are those of [contracts/](contracts/), where their sources stand.

*By* says who makes the difference: the **door** as AWS's does, the **adapter** by what it makes of an event or result, or the framework's own **server**.

## What differs

| difference | by | frameworks | doors | rule |
| --- | --- | --- | --- | --- |
"""


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split(" | ")]


def rule_text(contracts, rule):
    """What a contract says: "apigw.md R8.5", a section, or a row in one."""
    file, _, rest = rule.partition(" ")
    with open(os.path.join(contracts, file), encoding="utf-8") as text:
        lines = text.read().split("\n")
    number, _, name = rest.partition(" ")
    section = ""
    for line in lines:
        heading = re.match(r"#+ (\d[\d.]*)\.? (.*)", line)
        if heading:
            section = heading.group(1).rstrip(".")
            if section == number and not name:
                return heading.group(2)
        elif line.startswith("| "):
            row = cells(line)
            first = re.sub("[`*]", "", row[0])
            if (first == number and not name) or (
                    name and section == number and first.startswith(name)):
                return " | ".join(row[1:-1]) or row[-1]
    raise KeyError(rule + " is no rule")


def names(value):
    if value == "*" or value == DOORS + STREAMING:
        return "all"
    return "all that are buffered" if value == DOORS else ", ".join(value)


def point(value, pointer):
    """The member of |value| that a JSON pointer names."""
    for step in pointer.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(value, dict) or step not in value:
            return None
        value = value[step]
    return value


def evidence(request, native, recorded, ours):
    """All there is about one request, without what varies."""
    entry = {"request": request, "server": answer_text(native)}
    entry.update((key, steady(recorded.get(key)))
                 for key in ("event", "result"))
    entry["door"] = answer_text(ours)
    return entry


def lines(found, row):
    """The texts of a row's differences, as Markdown."""
    shown = found[row["id"]]
    for each in row["differs"]:
        kind, _, name = each["what"].partition(" ")
        if kind == "body's":
            kind, name = "body", ""
        sides = []
        for side in "server", "door":
            if kind == "header":
                value = shown[side]["headers"].get(name)
            elif kind == "status":
                value = shown[side]["status"]
            else:
                value = shown[side]["body"]
                if name:
                    value = point(json.loads(value), name)
            sides.append(value)
        if sides[0] != sides[1]:
            yield "- %s: `%s` on its own server, `%s` behind the door" % (
                each["what"], *(json.dumps(side, ensure_ascii=False)
                                for side in sides))
    for part in "event", "result":
        for pointer in row["shown_by"][part]:
            yield "- %s `%s`: `%s`" % (part, pointer, json.dumps(
                point(shown[part], pointer), ensure_ascii=False))


def page(rows, found, versions, count, answers, contracts):
    out = [HEAD % dict(versions, count=count, answers=answers)]
    for row in rows:
        out.append("| [%s](#%s) | %s | %s | %s | %s |\n" % (
            row["id"], row["id"], row["whose"], names(row["frameworks"]),
            names(row["doors"]), "; ".join(row["rules"])))
    for row in rows:
        by = row["shown_by"]
        out.append("\n### %s\n\n%s\n\n" % (row["id"], row["reason"]))
        out += ["> %s: %s\n>\n" % (rule, rule_text(contracts, rule))
                for rule in row["rules"]]
        out.append("\nShown by `%s` to %s behind "
                   "`%s`; requests: %s.\n\n" % (
                       found[row["id"]]["request"], by["framework"],
                       by["door"], names(row["requests"])))
        out += [line + "\n" for line in lines(found, row)]
    return "".join(out)
