#!/usr/bin/env python3
"""--watch: new code is served, running requests finish on the old code."""
import threading

from tap import *

# No two versions are of one length: Python's own cache compares size and second.
CODE = '''
import time
def handler(event, context):
    if event["path"] == "/slow": time.sleep(1)
    return {"statusCode": 200, "body": "%s"}
'''
HOME = os.path.join(folder, "app")


def becomes(server, body, name):
    got = [None]

    def asked():
        got[0] = get(server)
        return got[0].body == body
    ok(eventually(asked, 5), name, got[0] and got[0].body)


@check
def new_code():
    write("app/app.py", CODE % "one")
    with Server("app.handler", "--port", "0", "--watch", cwd=HOME) as server:
        same(get(server).body, b"one", "the code as it is")
        slow = []
        thread = threading.Thread(
            target=lambda: slow.append(get(server, "/slow").body))
        thread.start()
        time.sleep(0.3)
        write("app/app.py", CODE % "the second")
        becomes(server, b"the second", "a save is seen")
        thread.join()
        same(slow, [b"one"], "a running request finishes on the old code")
        os.rename(write("app/app.py.new", CODE % "third"),
                  HOME + "/app.py")
        becomes(server, b"third", "a rename-save is seen")
        write("app/deep/er/part.py", "value = 'four'\n")
        write("app/deep/er/__init__.py", "")
        write("app/app.py", "from deep.er.part import value\n"
              "def handler(e, c): return {'statusCode': 200, 'body': value}\n")
        becomes(server, b"four", "a new folder")
        time.sleep(0.3)
        write("app/deep/er/part.py", "value = 'the fifth'\n")
        becomes(server, b"the fifth", "is watched too")
        pid = lambda: sorted(descendants(server.process.pid))
        before = pid()
        write("app/node_modules/x/index.js", "1")
        write("app/.git/index", "1")
        write("app/__pycache__/app.pyc", "1")
        time.sleep(0.6)
        get(server)
        same(pid(), before, ".git, node_modules and __pycache__ are not")


@check
def code_that_does_not_load():
    write("app/app.py", CODE % "good")
    with Server("app.handler", "--port", "0", "--watch", cwd=HOME) as server:
        same(get(server).body, b"good", "the code as it is")
        write("app/app.py", "def handler(:\n")
        server.wait_for("SyntaxError", 5)
        ok(True, "an error in new code is told at once, without a request")
        same(get(server).status, 502, "the next request shows it")
        write("app/app.py", CODE % "mended")
        becomes(server, b"mended", "mended code is served")


finish()
