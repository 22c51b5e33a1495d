"""How two answers differ, and which differences are allowed."""
import gzip
import hashlib
import json
import re

IMF_DATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|"
    r"Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$")


def header_map(answer):
    """Names in lower case to their values in order."""
    found = {}
    for name, value in answer.headers:
        if name.lower().endswith("date") and IMF_DATE.match(value):
            value = "<date>"
        found.setdefault(name.lower(), []).append(value)
    return {name: "\n".join(values) for name, values in found.items()}


def parsed(body):
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def text_of(body):
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.hex()


def bodies(native, ours, whole):
    """Differences of bodies, member by member where both are objects."""
    if native == ours:
        return
    one, other = parsed(native), parsed(ours)
    if whole or one is None or other is None:
        yield "body", text_of(native), text_of(ours)
        return
    if one == other:
        yield "body's order", text_of(native), text_of(ours)
    for key in sorted({*one, *other}):
        if key not in one or key not in other or one[key] != other[key]:
            yield ("body /" + key, *(json.dumps(value[key], ensure_ascii=False)
                                     if key in value else None
                                     for value in (one, other)))


def differences(native, ours):
    """(what, native's text or None, our text or None) of every difference."""
    if native.status != ours.status:
        yield "status", str(native.status), str(ours.status)
    one, other = header_map(native), header_map(ours)
    body = ours.body
    # A length that is right says nothing that the bodies do not say.
    lengths = [each.get("content-length") == str(len(answer.body))
               for each, answer in ((one, native), (other, ours))]
    if getattr(native, "unpacks", False):
        body = gzip.decompress(body)
    for name in sorted({*one, *other}):
        if name == "content-length" and all(lengths):
            continue
        if one.get(name) != other.get(name):
            yield "header " + name, one.get(name), other.get(name)
    yield from bodies(native.body, body, native.status != ours.status)


def listed(row, key, value):
    return row[key] == "*" or value in row[key]


def says(pattern, text):
    """A pattern for the whole text, null for nothing there, or several."""
    if isinstance(pattern, list):
        return any(says(each, text) for each in pattern)
    if pattern is None or text is None:
        return pattern is text
    return re.fullmatch(pattern, text, re.S) is not None


class Table:
    """The allowed differences, and which of them were seen."""

    def __init__(self, rows):
        self.rows = rows
        self.seen = set()

    def allows(self, framework, door, request, difference):
        what, native, ours = difference
        for row in self.rows:
            if not (listed(row, "frameworks", framework) and
                    listed(row, "doors", door) and
                    listed(row, "requests", request)):
                continue
            for number, each in enumerate(row["differs"]):
                if (each["what"] == what and says(each["native"], native) and
                        says(each["ours"], ours)):
                    self.seen.update((row["id"], key, value) for key, value in (
                        ("frameworks", framework), ("doors", door),
                        ("requests", request), ("differs", number)))
                    return row
        return None

    def dead(self):
        """Rows, or members of their lists, that allowed nothing."""
        for row in self.rows:
            values = [(key, value) for key in
                      ("frameworks", "doors", "requests")
                      for value in (row[key] if row[key] != "*" else [])]
            values += [("differs", n) for n in range(len(row["differs"]))]
            for key, value in values:
                if (row["id"], key, value) not in self.seen:
                    yield "%s: %s %s is never seen" % (row["id"], key, value)


# What is another one in each run; the names of members, in lower case.
VARIES = {
    "requestid", "extendedrequestid", "requesttime", "requesttimeepoch", "time",
    "timeepoch", "x-amzn-trace-id", "x-forwarded-port", "x-amzn-requestid",
    "x-amz-apigw-id", "apigw-requestid", "resourceid", "apiid", "deploymentid",
}


def steady(value, name=""):
    """|value| without what varies, and long texts cut: for a file."""
    if isinstance(value, dict):
        return {key: steady(item, key) for key, item in value.items()}
    if name.lower() in VARIES:
        return "<varies>" if not isinstance(value, list) else ["<varies>"]
    if isinstance(value, list):
        return [steady(item, name) for item in value]
    if isinstance(value, str) and IMF_DATE.match(value):
        return "<date>"
    if isinstance(value, str) and name.lower() == "host":
        return re.sub(r":\d+$", ":<port>", value)
    if isinstance(value, str) and len(value) > 400:
        return "%s... (%d characters, SHA-256 %s)" % (
            value[:60], len(value),
            hashlib.sha256(value.encode()).hexdigest()[:16])
    return value


def answer_text(answer):
    """An answer as people and files show it."""
    headers = {name: value.split("\n") if "\n" in value else value
               for name, value in sorted(header_map(answer).items())}
    body = text_of(answer.body)
    return steady({"status": answer.status, "headers": headers, "body": body})
