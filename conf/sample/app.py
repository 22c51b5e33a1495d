"""The sample function: tells what came in, and fails in every way on request.

    curl http://127.0.0.1:8080/hello?name=you
    curl http://127.0.0.1:8080/event        the event, as the function got it
    curl http://127.0.0.1:8080/raise        an exception
    curl http://127.0.0.1:8080/number       a number as a header's value
    curl http://127.0.0.1:8080/nothing      no result at all
    curl http://127.0.0.1:8080/sleep        past the timeout
    curl http://127.0.0.1:8080/exit         the process ends
"""

import json
import os
import sys
import time


def text(status, body, content_type="text/plain; charset=utf-8"):
    return {
        "statusCode": status,
        "headers": {"content-type": content_type},
        "body": body,
    }


def handler(event, context):
    path = event["path"]
    if path == "/event":
        return text(200, json.dumps(event, indent=2) + "\n",
                    "application/json")
    if path == "/raise":
        raise ValueError("the sample raises when it is asked to")
    if path == "/number":
        return {"statusCode": 200, "headers": {"x-number": 1}}
    if path == "/nothing":
        return None
    if path == "/sleep":
        time.sleep(context.get_remaining_time_in_millis() / 1000 + 5)
    if path == "/exit":
        sys.exit(1)
    if path in ("/", "/hello"):
        query = event.get("queryStringParameters") or {}
        greeting = os.environ.get("GREETING", "Hello")
        name = query.get("name", "world")
        print("greeting", name)
        return text(200, "%s, %s!\n" % (greeting, name))
    return text(404, "There is nothing at %s.\n" % path)
