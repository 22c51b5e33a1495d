#!/usr/bin/env python3
"""Node functions with nothing but node: ES modules, CommonJS, callbacks."""
import json

from tap import *

write("js/index.mjs", '''
console.log("loaded");
export const handler = async (event, context) => {
  const what = event.path.slice(1);
  if (what === "raise") throw new TypeError("it broke");
  if (what === "context") return { statusCode: 200, body: JSON.stringify({
    id: context.awsRequestId, arn: context.invokedFunctionArn,
    memory: context.memoryLimitInMB, name: context.functionName,
    version: context.functionVersion, group: context.logGroupName,
    left: context.getRemainingTimeInMillis(),
    trace: process.env._X_AMZN_TRACE_ID }) };
  if (what === "nothing") return;
  if (what === "reject") { Promise.reject(new Error("lost")); await new Promise(r => setTimeout(r, 200)); }
  return { statusCode: 200, body: JSON.stringify(event) };
};
''')
write("js/cjs/app.js", '''
exports.handler = async (event) => ({ statusCode: 200, body: "cjs" });
exports.callback = (event, context, callback) => {
  setTimeout(() => callback(null, { statusCode: 200, body: "callback" }), 20);
};
exports.error = (event, context, callback) => callback(new Error("called back"));
exports.open = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false;
  setInterval(() => {}, 1000);
  callback(null, { statusCode: 200, body: "open" });
};
exports.deep = { inner: { go: async () => ({ statusCode: 200, body: "deep" }) } };
exports.sync = () => { throw new RangeError("at once"); };
''')
write("js/plain.cjs", "exports.handler = async () => "
      "({ statusCode: 200, body: 'plain' })\n")
write("js/bad.mjs", "export const handler = async ( => 1\n")
write("js/lost.mjs", "import 'no-such-package-at-all';\n"
      "export const handler = async () => 1\n")
write("js/gone.js", "require('no-such-package-at-all');\n"
      "exports.handler = async () => 1\n")
HOME = os.path.join(folder, "js")


def start(*arguments):
    return Server(*arguments, "--port", "0", cwd=HOME)


@check
def es_module():
    with start("index.handler", "--memory", "512") as server:
        got = get(server, "/a?b=c")
        same(json.loads(got.body)["path"], "/a", "the event arrives")
        server.wait_for("loaded")
        facts = json.loads(get(server, "/context").body)
        same((str(facts["memory"]), facts["version"]), ("512", "$LATEST"),
             "context")
        ok(0 < facts["left"] <= 3000, "remaining time", facts)
        ok((facts["trace"] or "").startswith("Root=1-"), "trace id", facts)
        same(get(server, "/raise").status, 502, "an exception is 502")
        server.wait_for("TypeError")
        server.wait_for("it broke")
        ok(True, "the log has type and message")
        same(get(server, "/nothing").status, 502, "undefined is 502")
        same(get(server, "/reject").status, 502, "an unhandled rejection: 502")
        server.wait_for("UnhandledPromiseRejection")
        same(get(server, "/again").status, 200, "the next request is served")


@check
def common_js():
    for target, body in (("cjs/app.handler", b"cjs"),
                         ("cjs/app.callback", b"callback"),
                         ("cjs/app.open", b"open"),
                         ("cjs/app.deep.inner.go", b"deep"),
                         ("plain.handler", b"plain")):
        with start(target) as server:
            same((get(server).body, get(server).body), (body, body), target)
    for target, text in (("cjs/app.error", "called back"),
                         ("cjs/app.sync", "at once")):
        with start(target) as server:
            same(get(server).status, 502, target + ": 502")
            server.wait_for(text)
            ok(True, target + ": the log says why")


@check
def init_errors():
    for target, kind in (("bad.handler", "Runtime.UserCodeSyntaxError"),
                         ("lost.handler", "ERR_MODULE_NOT_FOUND"),
                         ("gone.handler", "Runtime.ImportModuleError"),
                         ("index.nothing", "Runtime.HandlerNotFound")):
        with start(target) as server:
            same(get(server).status, 502, target + ": 502")
            server.wait_for(kind)
            ok(True, "%s: the log says %s" % (target, kind))


finish()
