#!/usr/bin/env python3
"""Real programs of Debian as Lambda functions, by the bootstrap: gitweb, git
http-backend and php-cgi behind every door."""
import hashlib
import json
import re

from tap import *

STATIC = os.path.join(os.path.dirname(PROGRAM), "bootstrap")
BOOTSTRAP = ([PROGRAM, "bootstrap"] if "san" in os.path.basename(
    os.path.dirname(PROGRAM)) else [STATIC])
DOORS = ("alb", "alb-multi", "rest", "http-1.0", "http-2.0", "url")
GIT = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "HOME": folder,
       "GIT_TERMINAL_PROMPT": "0",
       "GIT_AUTHOR_NAME": "author", "GIT_AUTHOR_EMAIL": "a@b",
       "GIT_COMMITTER_NAME": "author", "GIT_COMMITTER_EMAIL": "a@b"}
SRV = os.path.join(folder, "srv")


def git(*arguments, cwd=folder):
    done = run("git", *arguments, cwd=cwd, env=GIT, timeout=60)
    if done.returncode != 0:
        raise RuntimeError("git %s: %s" % (" ".join(arguments), done.stderr))
    return done.stdout.strip()


def door(dialect, variables, *options):
    environment = [word for item in variables.items()
                   for word in ("--env", "%s=%s" % item)]
    # without binary media types a REST API turns bodies into text, as AWS does
    kinds = ("--binary-media-type", "*/*") if dialect == "rest" else ()
    return Server("--port", "0", "--dialect", dialect, *kinds, *environment,
                  "--", *BOOTSTRAP, *options)


def base(server, dialect):
    return server.urls[0].rstrip("/") + ("/dev" if dialect == "rest" else "")


WORK = os.path.join(folder, "work")
git("init", "-q", "-b", "main", WORK)
write("work/dir one/file.txt", "text\n")
with open(os.path.join(WORK, "bin"), "wb") as out:
    out.write(os.urandom(700000))
git("add", ".", cwd=WORK)
git("commit", "-q", "-m", "first", cwd=WORK)


@check
def git_http_backend():
    for dialect in DOORS:
        bare = "%s/%s.git" % (SRV, dialect)
        git("init", "-q", "--bare", "-b", "main", bare)
        git("-C", bare, "config", "http.receivepack", "true")
        with door(dialect, {"GIT_PROJECT_ROOT": SRV, "HOME": folder,
                            "GIT_HTTP_EXPORT_ALL": "1"},
                  "--cgi", "/usr/lib/git-core/git-http-backend") as server:
            url = "%s/%s.git" % (base(server, dialect), dialect)
            git("push", "-q", url, "main", cwd=WORK)
            git("clone", "-q", url, "clone-" + dialect)
            same(git("-C", "clone-" + dialect, "rev-parse", "HEAD"),
                 git("rev-parse", "HEAD", cwd=WORK),
                 dialect + ": git push, git clone")
            git("-C", "clone-" + dialect, "fsck", "--strict")
            git("clone", "-q", "--depth", "1", url, "shallow-" + dialect)
            same(open(folder + "/shallow-%s/bin" % dialect, "rb").read(),
                 open(WORK + "/bin", "rb").read(),
                 dialect + ": a shallow clone")


@check
def gitweb():
    conf = write("gitweb.conf", "our $projectroot = '%s';\n"
                 "our @stylesheets = (); our $logo = ''; our $favicon = '';\n"
                 "our $javascript = '';\n" % SRV)
    for dialect in DOORS:
        with door(dialect, {"GITWEB_CONFIG": conf, "HOME": folder,
                            "PATH": os.environ["PATH"]},
                  "--cgi", "/usr/share/gitweb/gitweb.cgi") as server:
            stage = "/dev" if dialect == "rest" else ""
            got = get(server, stage + "/?p=alb.git;a=tree")
            text = got.body.decode()
            ok(got.status == 200 and ">bin</a>" in text and
               ">dir one</a>" in text, dialect + ": gitweb's tree",
               (got.status, text[:500]))
            links = re.findall(r'href="([^"]*a=blob[^"]*)"', text)
            ok(links, dialect + ": it has links", text[:2000])
            for link in links[:1]:
                link = re.sub("^https?://[^/]*", "", link.replace(
                    "&amp;", "&"))
                same(get(server, link if link.startswith("/") else
                         stage + "/" + link).status, 200,
                     dialect + ": a link of its page")
            same(get(server, stage + "/?p=none.git;a=summary").status, 404,
                 dialect + ": gitweb's own 404")


PHP = """<?php
session_save_path(getenv("SESSIONS"));
session_start();
$_SESSION["count"] = ($_SESSION["count"] ?? 0) + 1;
header("Content-Type: application/json");
$file = $_FILES["f"] ?? null;
echo json_encode(["count" => $_SESSION["count"], "get" => $_GET,
    "post" => $_POST, "method" => $_SERVER["REQUEST_METHOD"],
    "info" => $_SERVER["PATH_INFO"] ?? "",
    "script" => $_SERVER["SCRIPT_NAME"],
    "sha1" => $file ? sha1_file($file["tmp_name"]) : ""]);
"""


@check
def php_cgi():
    write("public/index.php", PHP)
    os.makedirs(folder + "/sessions")
    data = os.urandom(500000)
    with open(folder + "/upload.bin", "wb") as file:
        file.write(data)
    for dialect in DOORS:
        jar = "%s/jar-%s" % (folder, dialect)
        with door(dialect, {"SESSIONS": folder + "/sessions"},
                  "--cgi", folder + "/public", "--cgi-index", "index.php",
                  "--cgi-interpreter", ".php=/usr/bin/php-cgi") as server:
            url = base(server, dialect)
            for count in 1, 2:
                told = json.loads(curl("-b", jar, "-c", jar, "-d", "a=b%26c",
                                       url + "/index.php/x%20y?q=1").stdout)
                same((told["count"], told["get"], told["post"], told["info"],
                      told["script"]),
                     (count, {"q": "1"}, {"a": "b&c"}, "/x y",
                      ("/dev" if dialect == "rest" else "") + "/index.php"),
                     "%s: php-cgi, request %d of a session" % (
                         dialect, count))
            told = json.loads(curl(
                "-F", "t=1", "-F", "f=@%s/upload.bin" % folder,
                url + "/").stdout)
            same((told["sha1"], told["post"]),
                 (hashlib.sha1(data).hexdigest(), {"t": "1"}),
                 dialect + ": a form with a binary upload")


finish()
