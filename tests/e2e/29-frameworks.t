#!/usr/bin/env python3
"""Applications of real frameworks answer behind our doors as they do on their
frameworks' own servers.

With --write what shows the allowed differences is written anew, and the page
of them: tests/e2e/frameworks/evidence.json and docs/frameworks.md.
"""
import difflib
import json
import re

from tap import *

sys.path.insert(0, os.path.join(ROOT, "tests/e2e/frameworks"))
import drive  # noqa: E402  (found through the path above)
import report  # noqa: E402
import table  # noqa: E402

tree = run(os.path.join(ROOT, "tests/npm"), timeout=900)
if not ok(tree.returncode == 0, "the frameworks, from npm", tree.stderr):
    finish()
apps = drive.Applications(folder, tree.stdout.strip())
requests = drive.load("requests.json")
allowed = table.Table(drive.load("differences.json"))
shown_by = {(row["shown_by"]["framework"], row["shown_by"]["door"],
             row["shown_by"]["request"]) for row in allowed.rows}
evidence, answers = {}, 0

# One server for all of them: function, handler, doors.
FUNCTIONS = {
    framework: (framework + ".handler", [
        door for door in doors if door not in drive.STREAMING])
    for framework, doors in drive.FRAMEWORKS.items()}
FUNCTIONS["fastify"] = ("fastify.handler", [
    door for door in drive.DOORS if door != "alb-multi"])
FUNCTIONS["fastify-multi"] = ("fastify.multi", ["alb-multi"])
for name in "hono", "stream":  # by our own client of the runtime, and AWS's
    for client in "-stream", "-stream-ric":
        FUNCTIONS[name + client] = ("streamed." + name, drive.STREAMING)
FUNCTIONS["bare"] = ("middy.bare", drive.FRAMEWORKS["middy"])
ADAPTERS = {"serverless-http": ("http", drive.DOORS),
            "vendia": ("vendor", drive.DOORS),
            "aws-serverless-express": ("old", ["rest"]),
            "serverless-adapter": ("adapter", drive.DOORS),
            "lambda-api": ("lambda", drive.DOORS)}
EXAMPLES = {"honoAbout": drive.DOORS, "expressAbout": drive.DOORS,
            "fastifyAbout": drive.DOORS + ["http-1.0-staged"],
            "honoStaged": drive.STAGED, "httpStaged": drive.STAGED,
            "middyPayment": drive.FRAMEWORKS["middy"]}
for name, doors in EXAMPLES.items():
    FUNCTIONS[name] = ("examples." + name, doors)
for name, (handler, doors) in ADAPTERS.items():
    FUNCTIONS[name] = ("adapters." + handler, doors)


def function_of(framework, door):
    if door in drive.STREAMING:
        return framework + "-stream"
    name = framework + "-multi"
    return name if door == "alb-multi" and name in FUNCTIONS else framework


IDS = {"requestId": {"rest": "x-amzn-requestid", "url": "x-amzn-requestid",
                     "http-1.0": "apigw-requestid",
                     "http-2.0": "apigw-requestid"},
       "extendedRequestId": {"rest": "x-amz-apigw-id"}}


def told_ids(door, event, ours):
    """The ids that the client is told are those of the event."""
    for member, headers in IDS.items():
        if door in headers and ours.first(headers[door]) != (
                event["requestContext"][member]):
            yield "%s is not the event's %s" % (headers[door], member)


def compare(framework, request, native, door):
    """The differences that no row allows, as lines."""
    apps.recorded()
    ours = server.ask(function_of(framework, door), door, request)
    recorded = apps.recorded()
    if len(recorded) != 1:
        return ["%s: %d events" % (request["name"], len(recorded))]
    key = framework, door, request["name"]
    if key in shown_by:
        evidence[key] = report.evidence(
            "%(method)s %(target)s" % request, native, recorded[0], ours)
    return [*told_ids(door, recorded[0]["event"], ours)] + [
        "%s: %s: own server %r, door %r" % (request["name"], *difference)
        for difference in table.differences(native, ours)
        if not allowed.allows(*key, difference)]


def one_framework(framework):
    global answers
    native = (drive.Expected if framework == "middy" else
              lambda name: drive.Native(apps, name))(framework)
    asked = [request for request in requests
             if framework in request.get("frameworks", drive.FRAMEWORKS)]
    try:
        wanted = [native.ask(request) for request in asked]
    finally:
        native.end()
    for door in drive.FRAMEWORKS[framework]:
        differ = []
        for request, answer in zip(asked, wanted):
            differ += compare(framework, request, answer, door)
        answers += len(asked)
        ok(not differ and len(asked) >= 12, "%s behind %s: %d requests" % (
            framework, door, len(asked)), "\n".join(differ))


# Adapters' own ways with a query: the last of several values, or not decoded.
NO_QUERY = {("aws-serverless-express", "rest"), ("lambda-api", "alb-multi"),
            ("serverless-adapter", "alb-multi"),
            *((name, "alb") for name in ADAPTERS)}


def smoke():
    """Other adapters: the application of express, fewer requests."""
    names = ["text", "json", "path", "query", "image", "bytes", "post-json",
             "form", "put", "delete"]
    more = ["upload", "redirect", "teapot", "missing"]
    asked = [request for request in requests
             if request["name"] in names + more]
    native = drive.Native(apps, "express")
    try:
        wanted = [native.ask(request) for request in asked]
    finally:
        native.end()
    for name, (_, doors) in ADAPTERS.items():
        skipped = more if name == "lambda-api" else []
        for door in doors:
            differ, count = [], 0
            for request, answer in zip(asked, wanted):
                if request["name"] in skipped or (
                        request["name"] == "query" and
                        (name, door) in NO_QUERY):
                    continue
                ours = server.ask(name, door, request)
                count += 1
                if (ours.status, ours.body, ours.first("Location")) != (
                        answer.status, answer.body, answer.first("Location")):
                    differ.append("%s: %r, door %r" % (
                        request["name"], (answer.status, answer.body),
                        (ours.status, ours.body)))
            ok(not differ, "%s behind %s: %d requests" % (
                name, door, count), "\n".join(differ))


def streams():
    """What a function writes arrives as it writes, the same by AWS's client."""
    pieces = next(item for item in requests if item["name"] == "pieces")
    for name in "hono-stream", "stream-stream":
        for client in "", "-ric":
            for door in drive.STREAMING:
                front = name + client, door
                for _ in range(3):  # a busy machine may see all at once
                    early, late = server.first_piece(*front, pieces)
                    if b"three" in late:
                        break
                body = re.sub(rb"[0-9a-f]+\r\n([^\r]*)\r\n", rb"\1",
                              early + late)
                same((body, b"three" in late), (b"one two three", True),
                     "%s behind %s: piece by piece" % front)
    for request in requests:
        if request["name"] in ("login", "bytes", "upload", "teapot", "gzip"):
            one, other = (server.ask("hono-stream" + client, "url-stream",
                                     request) for client in ("", "-ric"))
            same((one.status, one.all("Set-Cookie"), one.body),
                 (other.status, other.all("Set-Cookie"), other.body),
                 "streamed by either client: " + request["name"])


def curl_door(name, door, path, *more):
    """Status, request id and body; what curl prints first is the head."""
    got = curl("-i", "http://%s:%d%s%s" % (
        *server.address[name + " " + door], drive.STAGE.get(door, ""), path),
        "-H", "Host: example.com", *more)
    head, _, body = got.stdout.partition("\n\n")
    ids = re.search(r"(?mi)^x-amzn-requestid: (.*)$", head)
    return int(head.split()[1]), ids and ids.group(1), body


def examples():
    """What documentations show of events and contexts, by curl."""
    stages = dict.fromkeys(["rest", *drive.STAGED], "dev")
    stages.update({"alb": None, "alb-multi": None})
    for name in EXAMPLES:
        if name == "middyPayment":
            continue
        for door in EXAMPLES[name]:
            status, request_id, body = curl_door(
                name, door, "/event" if name == "httpStaged" else "/about")
            about = json.loads(body)
            expected = {"method": "GET", "base64": False, "left": True,
                        "stage": stages.get(door, "$default"), "name": name,
                        # The id of a function URL's request is Lambda's.
                        "requestId": request_id if door == "url"
                        else about.get("requestId")}
            same((status, about), (200, expected),
                 "%s behind %s: event and context" % (name, door))
    pay = ["-X", "POST", "-H", "Content-Type: application/json", "-d"]
    for door in EXAMPLES["middyPayment"]:
        got = [curl_door("middyPayment", door, "/", *pay, body)[::2]
               for body in ('{"card":{"number":"4111111111111111"},"amount":5}',
                            '{"card":{}}', "{")]
        same(got, [(200, '{"paid":5,"card":"1111"}'),
                   (400, "the card has no number"),
                   (415, "Invalid or malformed JSON was provided")],
             "middyPayment behind %s: paid, refused, not read" % door)


def function_errors():
    """What middy throws where nothing handles it is the function's error."""
    errors = {"alb": 502, "rest": 502, "http-1.0": 500, "http-2.0": 500,
              "url": 502}
    request = next(item for item in requests if item["name"] == "error")
    for door, status in errors.items():
        same(server.ask("bare", door, request).status, status,
             "an error of a function behind " + door)


def up_to_date(path, text):
    """|text| is what the file says; with --write, from now on."""
    full = os.path.join(ROOT, path)
    if "--write" in sys.argv:
        with open(full, "w", encoding="utf-8") as out:
            out.write(text)
    with open(full, encoding="utf-8") as kept:
        old = kept.read()
    changed = difflib.unified_diff(
        old.splitlines(), text.splitlines(), path, "what was seen", n=0)
    ok(old == text, path + " says what was seen",
       "\n".join(line[:400] for line in changed))


def reports():
    found = {}
    for row in allowed.rows:
        key = tuple(row["shown_by"][part]
                    for part in ("framework", "door", "request"))
        found[row["id"]] = evidence[key]
    with open(os.path.join(ROOT, "tests/package.json"),
              encoding="utf-8") as text:
        versions = json.load(text)["dependencies"]
    up_to_date("tests/e2e/frameworks/evidence.json", "{\n" + ",\n".join(
        "%s: %s" % (json.dumps(key), json.dumps(value, ensure_ascii=False))
        for key, value in found.items()) + "\n}\n")
    up_to_date(report.PAGE, report.page(
        allowed.rows, found, versions, len(requests), answers,
        os.path.join(ROOT, "docs/contracts")))


@check
def frameworks():
    global server
    server = drive.Doors(apps, FUNCTIONS)
    try:
        for framework in drive.FRAMEWORKS:
            one_framework(framework)
        dead = list(allowed.dead())
        ok(not dead, "every allowed difference is seen", "\n".join(dead))
        smoke()
        streams()
        examples()
        function_errors()
        reports()
    finally:
        server.end()


finish()
