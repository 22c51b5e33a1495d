#!/usr/bin/env python3
"""A Python function with nothing but the interpreter."""
import json
import re

from tap import *

write("py/app.py", '''
import json, os, sys, time

print("loaded")

def handler(event, context):
    print("path", event["path"])
    print("to stderr", file=sys.stderr)
    what = event["path"].strip("/")
    if what == "context":
        facts = {
            "function_name": context.function_name,
            "function_version": context.function_version,
            "invoked_function_arn": context.invoked_function_arn,
            "memory_limit_in_mb": context.memory_limit_in_mb,
            "aws_request_id": context.aws_request_id,
            "log_group_name": context.log_group_name,
            "log_stream_name": context.log_stream_name,
            "remaining": context.get_remaining_time_in_millis(),
            "trace": os.environ.get("_X_AMZN_TRACE_ID"),
            "env": dict(os.environ), "cwd": os.getcwd()}
        return {"statusCode": 200, "body": json.dumps(facts)}
    if what == "pid":
        return {"statusCode": 200, "body": str(os.getpid())}
    if what == "raise":
        raise ValueError("it broke")
    if what == "unserialisable":
        return {"statusCode": 200, "body": object()}
    return {"statusCode": 200, "headers": {"content-type": "text/plain"},
            "body": json.dumps(event, ensure_ascii=False)}
''')
write("py/pkg/mod.py", '''
def go(event, context):
    return {"statusCode": 200, "body": "from a package folder"}
''')
write("py/broken.py", "import nothing_of_that_name\n\ndef handler(e, c): pass\n")
write("py/syntax.py", "def handler(e, c:\n")
write("py/nohandler.py", "x = 1\n")
write("py/other.mjs", "export const handler = async () => ({statusCode: 200})\n")
write("py/both.py", "def handler(e, c): return {'statusCode': 200, 'body': 'py'}\n")
write("py/both.mjs", "export const handler = async () => "
      "({statusCode: 200, body: 'mjs'})\n")
HOME = os.path.join(folder, "py")


def start(*arguments, **more):
    return Server(*arguments, "--port", "0", cwd=HOME, **more)


@check
def events_and_results():
    with start("app.handler") as server:
        got = get(server, "/p?a=1", [("X-Test", "ä")], "POST",
                  '{"ö":1}'.encode())
        event = json.loads(got.body)
        same(event["queryStringParameters"], {"a": "1"}, "the event arrives")
        same(got.first("Content-Type"), "text/plain", "the header comes back")
        first, second = get(server, "/pid").body, get(server, "/pid").body
        same(first, second, "the process is kept warm")
        server.wait_for(r"loaded")
        server.wait_for(r"path /p")
        server.wait_for(r"to stderr")
        ok(True, "its output is in the log")
        server.wait_for(r"START RequestId: [0-9a-f-]{36} Version: \$LATEST")
        server.wait_for(r"END RequestId: [0-9a-f-]{36}")
        server.wait_for(r"REPORT RequestId: [0-9a-f-]{36}\tDuration: [0-9.]+ "
                        r"ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
                        r"Max Memory Used: [1-9]\d* MB\tInit Duration")
        ok(True, "START, END and REPORT lines")


@check
def context():
    with start("app.handler", "--memory", "256", "--timeout", "7",
               "--env", "COLOR=red", env={**os.environ, "SECRET": "x",
                                          "AWS_SECRET_ACCESS_KEY": "y"}
               ) as server:
        facts = json.loads(get(server, "/context").body)
        env = facts.pop("env")
        ok(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f-]{21}",
                        facts["aws_request_id"]), "aws_request_id", facts)
        ok(re.fullmatch(r"arn:aws:lambda:[a-z0-9-]+:\d{12}:function:\S+",
                        facts["invoked_function_arn"]),
           "invoked_function_arn", facts)
        same(str(facts["memory_limit_in_mb"]), "256", "memory_limit_in_mb")
        ok(0 < facts["remaining"] <= 7000, "remaining time", facts)
        same(facts["function_version"], "$LATEST", "function_version")
        same(facts["log_group_name"],
             "/aws/lambda/" + facts["function_name"], "log_group_name")
        ok(re.match(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", facts["trace"] or ""),
           "the trace id reaches the function", facts)
        same(facts["cwd"], os.path.realpath(HOME), "works in its folder")
        same(env.get("COLOR"), "red", "its own variables")
        ok("SECRET" not in env and "HOME" not in env and
           "AWS_SECRET_ACCESS_KEY" not in env, "nothing else is inherited",
           env)
        same((env.get("_HANDLER"), env.get("TZ"), env.get("LANG")),
             ("app.handler", ":UTC", "en_US.UTF-8"), "Lambda's variables")


@check
def failures_of_the_handler():
    with start("app.handler", "--explain") as server:
        got = get(server, "/raise")
        same(got.status, 502, "an exception is 502")
        same(got.first("x-albatross-rule"), "function/error",
             "and names its rule")
        server.wait_for("ValueError")
        server.wait_for("it broke")
        ok(True, "the log has type and message")
        same(get(server, "/unserialisable").status, 502,
             "a result that is no JSON is 502")
        server.wait_for("Runtime.MarshalError")
        same(get(server, "/ok").status, 200, "the next request is served")


@check
def lookup():
    with start("pkg/mod.go") as server:
        same(get(server).body, b"from a package folder", "pkg/mod.go")
    got = albatross("serve", "both.handler", "--port", "0", cwd=HOME)
    same(got.returncode, 2, "two files of one name are refused")
    has(got.stderr, "both.mjs", "and listed")
    has(got.stderr, "both.py", "both of them")
    with start("both.handler", "--runtime", "python") as server:
        same(get(server).body, b"py", "--runtime decides")
    got = albatross("serve", "nowhere.handler", "--port", "0", cwd=HOME)
    same(got.returncode, 2, "no file is refused")
    has(got.stderr, "nowhere.py", "and told what was looked for")


@check
def init_errors():
    for target, kind in (("broken.handler", "Runtime.ImportModuleError"),
                         ("syntax.handler", "Runtime.UserCodeSyntaxError"),
                         ("nohandler.handler", "Runtime.HandlerNotFound")):
        with start(target) as server:
            same(get(server).status, 502, "%s: 502" % target)
            server.wait_for(re.escape(kind))
            ok(True, "%s: the log says %s" % (target, kind))
            same(get(server).status, 502, "%s: and again" % target)


finish()
