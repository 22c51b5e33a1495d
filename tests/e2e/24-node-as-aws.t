#!/usr/bin/env python3
"""Our Node client and AWS's own give the same answers to the same handlers."""
import base64
import json
import re
import subprocess

from tap import *

OWN = os.path.join(ROOT, "share/runtime/node/albatross-runtime.mjs")
BUILD = os.path.dirname(PROGRAM)
HOST = os.path.join(BUILD, "tests/host")
if not os.path.exists(HOST):
    run("make", "-s", "-C", ROOT, "B=" + os.path.relpath(BUILD, ROOT),
        os.path.relpath(HOST, ROOT), timeout=600)
tree = run(os.path.join(ROOT, "tests/npm"), timeout=900)
if not ok(tree.returncode == 0, "aws-lambda-ric from npm", tree.stderr):
    finish()
RIC = os.path.join(tree.stdout.strip(),
                   "node_modules/aws-lambda-ric/bin/index.mjs")

HANDLERS = r'''
class MyError extends Error {
  constructor(m) { super(m); this.name = "MyError"; this.code = 42; } }
let n = 0;
exports.asyncReturn = async (e, c) => ({ ok: true, e });
exports.asyncUndefined = async () => {};
exports.asyncThrow = async () => { throw new TypeError("async boom"); };
exports.asyncThrowString = async () => { throw "a string"; };
exports.asyncThrowUndefined = async () => { throw undefined; };
exports.asyncThrowObject = async () => { throw { a: 1 }; };
exports.asyncMine = async () => { throw new MyError("mine"); };
exports.syncThrow = () => { throw new MyError("sync"); };
exports.syncNothing = () => {};
exports.syncReturn = () => ({ x: 1 });
exports.callback = (e, c, cb) => cb(null, { cb: e });
exports.callbackError = (e, c, cb) => cb(new Error("cb err"));
exports.callbackString = (e, c, cb) => cb("str");
exports.callbackLater = (e, c, cb) => {
  setTimeout(() => cb(null, "later"), 30); };
exports.callbackWaits = (e, c, cb) => {
  setTimeout(() => { n++; }, 100); cb(null, { get n() { return n; } }); };
exports.callbackNoWait = (e, c, cb) => {
  c.callbackWaitsForEmptyEventLoop = false;
  setTimeout(() => { n++; }, 100); cb(null, { get n() { return n; } }); };
exports.succeed = (e, c) => c.succeed({ s: 1 });
exports.fail = (e, c) => c.fail(new Error("failed"));
exports.failNothing = (e, c) => c.fail();
exports.done = (e, c) => c.done(null, "done");
exports.twice = (e, c, cb) => { cb(null, 1); cb(null, 2); };
exports.bigint = async () => ({ v: 10n });
exports.circular = async () => { const a = {}; a.a = a; return a; };
exports.functionResult = async () => (() => 1);
exports.unhandled = () => { Promise.reject(new Error("nobody")); };
exports.unhandledPlain = () => { Promise.reject("plain"); };
exports.uncaught = () => {
  setTimeout(() => { throw new RangeError("in timer"); }, 10); };
exports.exit = () => process.exit(9);
exports.promise = () => Promise.resolve("p");
exports.thenable = () => ({ then: (ok) => ok("thenable") });
exports.unicode = async (e) => ({ e, u: "\u00e9\u20ac\u{1f600}" });
exports.context = async (e, c) => ({
  keys: Object.keys(c).sort(), m: c.memoryLimitInMB, v: c.functionVersion,
  n: c.functionName, arn: c.invokedFunctionArn, lg: c.logGroupName,
  t: typeof c.getRemainingTimeInMillis(), id: typeof c.identity,
  cc: typeof c.clientContext });
exports.nested = { deep: { handler: async () => "nested" } };
exports.number = 5;
exports.env = async () =>
  [process.env._HANDLER, process.env.LAMBDA_TASK_ROOT, process.cwd()];
'''
write("fn/index.js", HANDLERS)
write("fn/badimport.mjs", "import x from 'no-such-package';\n"
      "export const h = async () => 1;\n")
write("fn/badrequire.js", "require('no-such-package');\n")
write("fn/syntax.js", "exports.h = async () => {\n")
write("fn/throws.js", "throw new Error('at load');\n")
write("fn/esm.mjs", "export const h = async () => 'esm';\n")
write("fn/module/package.json", '{"type": "module"}\n')
write("fn/module/app.js", "export const h = async () => 'typed';\n")
names = re.findall(r"^exports\.(\w+)", HANDLERS, re.M)
handlers = ["index." + name for name in names if name != "nested"] + [
    "index.nested.deep.handler", "index.missing", "badimport.h",
    "badrequire.h", "syntax.h", "throws.h", "esm.h", "module/app.h",
    "nofile.h", "../up.h", "noDot"]


def payload_of(line):
    """What came back, without what is the client's own: paths and frames."""
    answer = json.loads(line)
    payload = base64.b64decode(answer.get("payload") or "").decode()
    try:
        value = json.loads(payload)
        if isinstance(value, dict) and "trace" in value:
            value["trace"] = value["trace"][:1]
        payload = json.dumps(value, sort_keys=True)
    except ValueError:
        pass
    payload = re.sub(r"\\n- [^\\]*(index|albatross-runtime)\.mjs", "", payload)
    return (payload, answer.get("function_error"), answer.get("rule"),
            answer.get("error_type"))


def answers(client, handler):
    """Two events one after the other, as one process or two answer them."""
    config = write("host.json", json.dumps({
        "listeners": [{"address": "127.0.0.1:0", "front": "f"}],
        "fronts": {"f": {"dialect": "alb", "rules": [{"function": "f"}]}},
        "functions": {"f": {
            "runtime": {"command": ["node", client, handler]},
            "handler": handler, "timeout": "10s",
            "root": os.path.join(folder, "fn")}}}))
    host = subprocess.Popen(
        [HOST, "-c", config], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True)
    host.stdout.readline()  # ready
    got = []
    for n in (1, 2):
        host.stdin.write(json.dumps({
            "n": n, "function": "f", "event": '{"k":"\\u00e9"}',
            "request_id": "3f1a8c52-0d6e-4a57-9f0b-6b1f2f9c7a1%d" % n}) + "\n")
        host.stdin.flush()
        got.append(payload_of(host.stdout.readline()))
    host.stdin.close()
    host.wait(20)
    return got


@check
def all_the_same():
    for handler in handlers:
        same(answers(OWN, handler), answers(RIC, handler), handler)


finish()
