#!/usr/bin/env python3
"""What a REST API does besides calling functions: validation, mocks, its own
error responses, compression, binary media types."""
import gzip
import json

from tap import *


def api(routes, result='{"statusCode":200,"body":"hello"}', **attributes):
    return {"listeners": [{"address": "127.0.0.1:0", "front": "api"}],
            "fronts": {"api": {"dialect": "rest", "routes": routes,
                               "attributes": attributes}},
            "functions": {"fn": {"mock": result}}}


@check
def validation():
    schema = {"type": "object", "required": ["name"],
              "properties": {"name": {"type": "string", "pattern": "^[a-z]+$"}}}
    config = api({"POST /pets": {
        "function": "fn", "requestModels": {"application/json": schema},
        "validateRequestBody": True, "validateRequestParameters": True,
        "requestParameters": {"method.request.header.X-Key": True,
                              "method.request.querystring.q": True}}})
    post = {"method": "POST"}
    with serve(config) as server:
        got = get(server, "/dev/pets", body=b"{}", **post)
        same((got.status, got.body),
             (400, b'{"message": "Missing required request parameters: '
                   b'[X-Key, q]"}'), "parameters that are missing")
        for body, status in ((b'{"name":"rex"}', 200), (b'{"name":"R"}', 400),
                             (b'{}', 400), (b'{"name":', 400), (b"", 400)):
            got = get(server, "/dev/pets?q=1", body=body,
                      headers=[("X-Key", "k")], **post)
            same(got.status, status, "a body of %s" % body.decode())
        same(got.body, b'{"message": "Invalid request body"}', "its answer")
        server.wait_for("rest/request/body")
        ok(True, "the log names the rule")


@check
def mocks():
    config = api({"GET /pets": "fn", "OPTIONS /pets": {"mock": {
        "requestTemplates": {"application/json": "{statusCode: 200}"},
        "responses": {"default": {
            "statusCode": "200",
            "responseParameters": {
                "method.response.header.Access-Control-Allow-Origin": "'*'"},
            "responseTemplates": {
                "application/json": '{"stage":"$context.stage"}'}}}}}})
    with serve(config) as server:
        got = get(server, "/dev/pets", method="OPTIONS")
        same((got.status, got.body, got.first("Access-Control-Allow-Origin")),
             (200, b'{"stage":"dev"}', "*"), "a preflight by a mock")
        same(get(server, "/dev/pets").body, b"hello", "the function beside it")


@check
def own_errors():
    config = api({"GET /pets": "fn"}, '{"statusCode":"many"}', **{
        "gatewayResponses": {
            "DEFAULT_4XX": {"responseParameters": {
                "gatewayresponse.header.X-Path": "context.path"}},
            "DEFAULT_5XX": {"statusCode": 500, "responseTemplates": {
                "text/plain": "oh: $context.error.message"}}}})
    with serve(config) as server:
        got = get(server, "/dev/none")
        same((got.status, got.body, got.first("X-Path")),
             (403, b'{"message":"Missing Authentication Token"}', "/dev/none"),
             "a header of the API's own")
        got = get(server, "/dev/pets")
        same((got.status, got.body, got.first("Content-Type")),
             (500, b"oh: Internal server error", "text/plain"),
             "an error of the API's own")


@check
def compression():
    text = "hello " * 100
    config = api({"POST /pets": "fn"},
                 '{"statusCode":200,"body":"%s"}' % text,
                 minimumCompressionSize=100)
    with serve(config) as server:
        got = get(server, "/dev/pets", method="POST",
                  headers=[("Accept-Encoding", "deflate;q=0.5, gzip")])
        same((got.first("Content-Encoding"), gzip.decompress(got.body)),
             ("gzip", text.encode()), "a response is compressed")
        got = get(server, "/dev/pets", method="POST")
        same((got.first("Content-Encoding"), got.body), (None, text.encode()),
             "not for a client that does not ask")
        bomb = gzip.compress(bytes(20 << 20))
        for body, status in ((gzip.compress(b"hi"), 200), (b"zz", 415),
                             (bomb, 413)):
            got = get(server, "/dev/pets", method="POST", body=body,
                      headers=[("Content-Encoding", "gzip")])
            same(got.status, status, "a compressed body of %d" % len(body))


@check
def binary():
    config = api({"GET /pets": "fn"},
                 '{"statusCode":200,"body":"AAECAw==","isBase64Encoded":true}',
                 binaryMediaTypes=["image/*"])
    with serve(config) as server:
        got = get(server, "/dev/pets", headers=[("Accept", "image/png, */*")])
        same(got.body, bytes(range(4)), "decoded for who accepts an image")
        got = get(server, "/dev/pets", headers=[("Accept", "*/*")])
        same(got.body, b"AAECAw==", "and not for who accepts anything")


@check
def access_log():
    log = os.path.join(folder, "access.log")
    config = api({"GET /pets/{id}": "fn"})
    config["access_log"] = log
    config["fronts"]["api"]["log_format"] = (
        "$context.status $context.resourcePath $context.error.responseType "
        "$context.error.message '$context.identity.userAgent'\n"
        "$context.nothing $context.integration.status.")
    with serve(config) as server:
        get(server, "/dev/pets/1", headers=[("User-Agent", 'a"b')])
        get(server, "/dev/nothing")
    with open(log) as lines:
        same(sorted(lines.read().splitlines()), [
            "200 /pets/{id} - - 'a\\\"b' - 200.",
            "403 - MISSING_AUTHENTICATION_TOKEN Missing Authentication Token "
            "'-' - -."], "a format of $context variables")
    os.unlink(log)
    config["fronts"]["api"]["log_format"] = (
        '{"m":"$context.error.message","s":$context.error.messageString,'
        '"r":"$context.integration.requestId","q":"$context.requestId",'
        '"i":"$context.integration.integrationStatus",'
        '"b":"$context.customDomain.basePathMatched"}')
    config["fronts"]["api"]["base_path"] = "/shop/v1"
    with serve(config) as server:
        get(server, "/shop/v1/pets/1")
        get(server, "/shop/v1/nothing")
    with open(log) as lines:
        text = sorted(lines.read().splitlines(), reverse=True)
    line = json.loads(text[0])
    same((line["m"], line["s"]), ("Missing Authentication Token",) * 2,
         "messageString brings its own quotes")
    line = json.loads(text[1].replace('"s":-', '"s":0'))
    same((line["r"], line["i"], line["b"]), (line["q"], "200", "shop/v1"),
         "what Lambda says, and the base path")
    os.unlink(log)
    del config["fronts"]["api"]["base_path"]
    config["fronts"]["api"]["log_format"] = "json"
    with serve(config) as server:
        get(server, "/dev/pets/1")
    with open(log) as lines:
        line = json.loads(lines.read())
    same((line["status"], line["resourcePath"], line["responseLength"]),
         ("200", "/pets/{id}", "5"), "AWS's JSON")


@check
def mistakes():
    for route, piece in (({"GET /a": {"mock": {"responses": {}},
                                      "function": "fn"}}, "no \"function\""),
                         ({"GET /a": {}}, "has no \"function\""),
                         ({"GET /a": {"function": "fn", "mok": 1}},
                          "did you mean \"mock\""),
                         ({"GET /a": {"function": "fn", "requestParameters": {
                             "method.request.head.X": True}}},
                          "\"method.request.querystring.q\": true"),
                         ({"GET /a": {"function": "fn", "requestModels": {
                             "application/json": "x"}}}, "and schemas"),
                         ({"GET /a": {"mock": {"requestTemplates": {}}}},
                          "has no \"responses\"")):
        write("bad.json", json.dumps(api(route)))
        has(albatross("serve", "-c", os.path.join(folder, "bad.json"),
                      "--check").stderr, piece, "told: " + piece)


finish()
