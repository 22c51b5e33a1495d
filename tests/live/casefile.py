"""Case files, areas, comparison: what the live runners have in common."""
import json


class Unsound(Exception):
    """The case itself is wrong or of a kind that is not built."""


LATER = {"authorizer", "authorizationType", "apiKeyRequired", "apiKeys"}


def area_of(case):
    if isinstance(case.get("config"), dict) and LATER & set(case["config"]):
        return "authorizer"
    area = case.get("area") or case.get("api") or "alb"
    if area == "runtime-api" and str(case.get("rule", "")).startswith("R3."):
        return "extensions"
    return area


def read(files, areas, complaints):
    """The counted cases of |files|: (file:line, case) pairs.  What cannot be
    read goes to |complaints|; of several runners one counts it."""
    wanted = areas.split()
    for name in files:
        try:
            with open(name, encoding="utf-8") as lines:
                lines = lines.read().split("\n")
        except (OSError, UnicodeDecodeError) as error:
            complaints.append(("?", name, [str(error)]))
            continue
        for number, line in enumerate(lines, 1):
            place = "%s:%d" % (name, number)
            if not line.strip():
                continue
            try:
                case = json.loads(line)
                if not isinstance(case, dict):
                    raise ValueError("no object")
            except ValueError as error:
                complaints.append(("?", place, ["no JSON object: %s" % error]))
                continue
            if not wanted or area_of(case) in wanted:
                yield place, case


def check_keys(what, given, known):
    if not isinstance(given, dict):
        raise Unsound("%s is no object" % what)
    for key in given:
        if key not in known:
            raise Unsound('unknown key "%s" in %s' % (key, what))


def same(a, b):
    """Equal as JSON: 1 is not true, member order is free."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def differences(expected, got, path=""):
    """Where |got| lacks or changes what |expected| gives (objects recurse)."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for key, value in expected.items():
            here = "%s/%s" % (path, key)
            if key not in got:
                yield here, value, "(nothing)"
            else:
                yield from differences(value, got[key], here)
    elif not same(expected, got):
        yield path, expected, got


def shown(value):
    text = value if isinstance(value, str) else json.dumps(
        value, ensure_ascii=False) if not isinstance(value, bytes) else repr(
        value)
    return text if len(text) <= 400 else "%s... (%d)" % (text[:400], len(text))


def differs(what, expected, got):
    return "%s\n    expected: %s\n    got:      %s" % (
        what, shown(expected), shown(got))


def strict_json(data):
    """Parse |data| (bytes); a name that stands twice is an error."""
    def members(pairs):
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise ValueError("a name stands twice")
        return dict(pairs)
    return json.loads(data.decode("utf-8"), object_pairs_hook=members)


def close(passed, complaints):
    """Print what failed and the closing line; the exit status."""
    for name, place, texts in complaints:
        print("not ok %s (%s)" % (name, place))
        for text in texts:
            print("  " + text)
    print("%d passed, %d failed" % (passed, len(complaints)))
    return 1 if complaints else 0
