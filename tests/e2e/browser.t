#!/usr/bin/env python3
"""gitweb and cgit as headless Chromium shows them (make check-long)."""
from tap import *

GIT = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "HOME": folder,
       "GIT_AUTHOR_NAME": "author", "GIT_AUTHOR_EMAIL": "a@b",
       "GIT_COMMITTER_NAME": "author", "GIT_COMMITTER_EMAIL": "a@b"}
SRV = os.path.join(folder, "srv")


def git(*arguments):
    done = run("git", *arguments, env=GIT)
    if done.returncode != 0:
        raise RuntimeError("git %s: %s" % (" ".join(arguments), done.stderr))


def shown(url):
    """The page as text, once its scripts have run."""
    done = run("chromium", "--headless", "--no-sandbox", "--disable-gpu",
               "--disable-dev-shm-usage", "--user-data-dir=%s/chromium" %
               folder, "--virtual-time-budget=3000", "--dump-dom", url,
               timeout=90)
    return done.stdout


@check
def look():
    work = SRV + "/r"
    git("init", "-q", "-b", "main", work)
    write("srv/r/hello.c", "int main(void) { return 42; }\n")
    git("-C", work, "add", ".")
    git("-C", work, "commit", "-q", "-m", "A first commit")
    conf = write("gitweb.conf", "our $projectroot = '%s';\n"
                 "our $javascript = ''; our @stylesheets = ();\n" % SRV)
    with Server("--port", "0", "--cgi", "/usr/share/gitweb/gitweb.cgi",
                "--cgi-prefix", "/gitweb", "--env",
                "GITWEB_CONFIG=" + conf, "--env", "HOME=" + folder) as server:
        base = server.urls[0] + "/gitweb"
        for query, text in (("", "r/.git"), ("?p=r/.git;a=summary",
                                             "A first commit"),
                            ("?p=r/.git;a=blob;f=hello.c;hb=HEAD",
                             "blob - hello.c")):
            has(shown(base + query), text, "gitweb%s" % query)
    conf = write("cgitrc", "virtual-root=/cgit\ncss=\nlogo=\nfavicon=\n"
                 "enable-index-owner=0\nrepo.url=r\nrepo.path=%s/.git\n" %
                 work)
    with Server("--port", "0", "--cgi", "/usr/lib/cgit/cgit.cgi",
                "--cgi-prefix", "/cgit", "--env", "CGIT_CONFIG=" + conf,
                "--env", "HOME=" + folder) as server:
        base = server.urls[0] + "/cgit"
        for path, text in (("/", "Git repository browser"),
                           ("/r/", "A first commit"),
                           ("/r/tree/hello.c", "return 42")):
            has(shown(base + path), text, "cgit%s" % path)


finish()
