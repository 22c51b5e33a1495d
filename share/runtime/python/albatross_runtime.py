"""A client of the Lambda Runtime API for Python 3.9 and later.

Usage: albatross_runtime.py module.function

Standard library only.  It behaves like AWS's own client, awslambdaric, and
hands over to that one when Python can find it.  Everything goes over one
connection; the answer to an event and the wish for the next one are sent
together, which saves a system call and a wake-up on both sides.
"""

import importlib
import importlib.util
import json
import logging
import os
import socket
import sys
import time
import traceback

NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n"
POST = "POST /2018-06-01/runtime/%s HTTP/1.1\r\n"
AGENT = "albatross-python/%d.%d" % sys.version_info[:2]
# The managed runtimes write UTF-8 from Python 3.12 on, ASCII before.
ASCII = sys.version_info < (3, 12)


class Fault(Exception):
    """What goes wrong around the handler, with AWS's name for it."""

    def __init__(self, kind, message, trace=None):
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.trace = trace


class Api:
    """One keep-alive connection to the Runtime API."""

    def __init__(self, address):
        host, _, port = address.partition(":")
        self.peer = (host, int(port or 80))
        self.tail = (
            "Host: %s\r\nUser-Agent: %s\r\nAccept: */*\r\n" % (address, AGENT)
        ).encode()
        self.next_request = NEXT + self.tail + b"\r\n"
        self.sock = None
        self.buffer = b""

    def connect(self):
        self.sock = socket.create_connection(self.peer)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def close(self):
        if self.sock is not None:
            self.sock.close()
        self.sock = None

    def fill(self):
        data = self.sock.recv(262144)
        if not data:
            raise ConnectionError("the Runtime API closed the connection")
        return data

    def read_response(self):
        """Status, headers with lower-case names, body."""
        buffer = self.buffer
        while True:
            end = buffer.find(b"\r\n\r\n")
            if end >= 0:
                break
            buffer += self.fill()
        lines = buffer[:end].decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", 0))
        start = end + 4
        if len(buffer) - start < length:
            pieces = [buffer[start:]]
            missing = length - len(pieces[0])
            while missing > 0:
                piece = self.fill()
                pieces.append(piece)
                missing -= len(piece)
            body = b"".join(pieces)
        else:
            body = buffer[start:]
        self.buffer = body[length:]
        if headers.get("connection", "").lower() == "close":
            self.close()
        return int(lines[0].split(" ", 2)[1]), headers, body[:length]

    def post(self, path, body, headers="", then=b""):
        """Send |body|, and |then| behind it; the status of the answer."""
        head = (POST % path).encode() + self.tail + (
            "Content-Type: application/json\r\nContent-Length: %d\r\n%s\r\n"
            % (len(body), headers)
        ).encode("latin-1", "replace")
        if self.sock is None:
            self.connect()
        self.sock.sendall(b"".join((head, body, then)))
        status, _, _ = self.read_response()
        return status

    def poll(self, asked):
        """The next event: headers and body.  |asked|: it was asked for."""
        if self.sock is None or not asked:
            if self.sock is None:
                self.connect()
            self.sock.sendall(self.next_request)
        status, headers, body = self.read_response()
        if status != 200:
            raise ConnectionError(
                "the Runtime API answered %d: %s"
                % (status, body.decode("utf-8", "replace").strip())
            )
        return headers, body


# ---- the context ----


class CognitoIdentity:
    __slots__ = ["cognito_identity_id", "cognito_identity_pool_id"]

    def __init__(self, given):
        self.cognito_identity_id = given.get("cognitoIdentityId")
        self.cognito_identity_pool_id = given.get("cognitoIdentityPoolId")


class Client:
    __slots__ = [
        "installation_id",
        "app_title",
        "app_version_name",
        "app_version_code",
        "app_package_name",
    ]

    def __init__(self, given):
        for name in self.__slots__:
            setattr(self, name, given.get(name))


class ClientContext:
    __slots__ = ["custom", "env", "client"]

    def __init__(self, given):
        client = given.get("client")
        self.custom = given.get("custom")
        self.env = given.get("env")
        self.client = Client(client) if client is not None else None


class LambdaContext:
    def __init__(self, headers):
        env = os.environ.get
        identity = headers.get("lambda-runtime-cognito-identity")
        client = headers.get("lambda-runtime-client-context")
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.log_group_name = env("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = env("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = env("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = env("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = headers.get(
            "lambda-runtime-invoked-function-arn"
        )
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        self.client_context = (
            ClientContext(json.loads(latin_to_text(client)))
            if client
            else None
        )
        self.identity = CognitoIdentity(
            json.loads(latin_to_text(identity)) if identity else {}
        )
        self._deadline_ms = int(headers.get("lambda-runtime-deadline-ms", 0))

    def get_remaining_time_in_millis(self):
        left = self._deadline_ms - int(time.time() * 1000)
        return left if left > 0 else 0

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        return "LambdaContext([%s])" % ",".join(
            "%s=%s" % (name, getattr(self, name))
            for name in (
                "aws_request_id",
                "log_group_name",
                "log_stream_name",
                "function_name",
                "memory_limit_in_mb",
                "function_version",
                "invoked_function_arn",
                "client_context",
                "identity",
                "tenant_id",
            )
        )


def latin_to_text(value):
    """Header bytes are UTF-8 when they carry JSON."""
    return value.encode("latin-1").decode("utf-8", "replace")


# ---- logs ----


class RequestIdFilter(logging.Filter):
    request_id = ""

    def filter(self, record):
        record.aws_request_id = RequestIdFilter.request_id
        return True


def set_up_logging():
    handler = logging.StreamHandler(sys.stdout)
    formatter = logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t"
        "%(message)s",
        "%Y-%m-%dT%H:%M:%S",
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(RequestIdFilter())
    root = logging.getLogger()
    root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL")
    names = {"TRACE": "DEBUG", "WARN": "WARNING", "FATAL": "CRITICAL"}
    if level:
        try:
            root.setLevel(names.get(level.upper(), level.upper()))
        except ValueError:
            pass


def set_up_output():
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(
            encoding="utf-8", errors="backslashreplace", line_buffering=True
        )


def log_error(error):
    """As the managed runtime shows it, one line each."""
    lines = ["[ERROR] %s" % error["errorType"]]
    if error["errorMessage"]:
        lines[0] += ": " + error["errorMessage"]
    if error["stackTrace"]:
        lines.append("Traceback (most recent call last):")
        lines.extend(frame.rstrip("\n") for frame in error["stackTrace"])
    print("\n".join(lines), flush=True)


# ---- errors ----


def error_of(kind, message, trace, request_id=""):
    return {
        "errorMessage": message or "",
        "errorType": kind or "",
        "requestId": request_id,
        "stackTrace": trace or [],
    }


def error_of_exception(request_id=""):
    """The exception being handled, without the frames of this file."""
    kind, value, tb = sys.exc_info()
    frames = traceback.extract_tb(tb)
    first = 0
    while first < len(frames) and frames[first].filename == __file__:
        first += 1
    if first == len(frames):
        first = 0
    return error_of(
        kind.__name__,
        str(value),
        traceback.format_list(frames[first:]),
        request_id,
    )


def to_bytes(error):
    return json.dumps(error, ensure_ascii=ASCII).encode("utf-8", "replace")


# ---- the handler ----


def load_handler(name):
    module, dot, function = name.rpartition(".")
    if not dot:
        raise Fault(
            "Runtime.MalformedHandlerName",
            "Bad handler '%s': not enough values to unpack (expected 2, got 1)"
            % name,
        )
    if module.split(".")[0] in sys.builtin_module_names:
        raise Fault(
            "Runtime.BuiltInModuleConflict",
            "Cannot use built-in module %s as a handler module" % module,
        )
    try:
        loaded = importlib.import_module(module.replace("/", "."))
    except ImportError as e:
        raise Fault(
            "Runtime.ImportModuleError",
            "Unable to import module '%s': %s" % (module, e),
        ) from e
    except SyntaxError as e:
        raise Fault(
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module '%s': %s" % (module, e),
            ['  File "%s" Line %s\n    %s' % (e.filename, e.lineno, e.text)],
        ) from e
    try:
        return getattr(loaded, function)
    except AttributeError:
        raise Fault(
            "Runtime.HandlerNotFound",
            "Handler '%s' missing on module '%s'" % (function, module),
        ) from None


def encode_other(value):
    """Decimal, as DynamoDB gives it, is a number."""
    if type(value).__module__ == "decimal":
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(
        "Object of type %s is not JSON serializable" % type(value).__name__
    )


def call(handler, headers, body):
    """(error, payload): the payload of the answer, or of the error."""
    request_id = headers["lambda-runtime-aws-request-id"]
    try:
        try:
            event = json.loads(body)
        except ValueError as e:
            raise Fault(
                "Runtime.UnmarshalError", "Unable to unmarshal input: %s" % e
            ) from None
        result = handler(event, LambdaContext(headers))
        try:
            text = json.dumps(
                result, ensure_ascii=ASCII, default=encode_other
            )
            return None, text.encode("utf-8")
        except Exception as e:
            raise Fault(
                "Runtime.MarshalError", "Unable to marshal response: %s" % e
            ) from None
    except Fault as e:
        error = error_of(e.kind, e.message, e.trace, request_id)
    except Exception:
        error = error_of_exception(request_id)
    return error, to_bytes(error)


def set_trace_id(headers):
    trace = headers.get("lambda-runtime-trace-id")
    if trace is not None:
        os.environ["_X_AMZN_TRACE_ID"] = trace
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)


def serve(api, handler):
    asked = False
    while True:
        headers, body = api.poll(asked)
        request_id = headers["lambda-runtime-aws-request-id"]
        RequestIdFilter.request_id = request_id
        set_trace_id(headers)
        error, payload = call(handler, headers, body)
        if error is not None:
            log_error(error)
        sys.stdout.flush()
        api.post(
            "invocation/%s/%s"
            % (request_id, "response" if error is None else "error"),
            payload,
            then=api.next_request,
        )
        asked = api.sock is not None


def load(api, name):
    try:
        return load_handler(name)
    except Fault as e:
        error = error_of(e.kind, e.message, e.trace)
    except Exception:
        error = error_of_exception()
    log_error(error)
    api.post(
        "init/error",
        to_bytes(error),
        "Lambda-Runtime-Function-Error-Type: %s\r\n" % error["errorType"],
    )
    sys.exit(1)


def hand_over(name):
    """AWS's own client is there: let it do the work."""
    if importlib.util.find_spec("awslambdaric") is not None:
        os.execv(sys.executable, [sys.executable, "-m", "awslambdaric", name])


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: albatross_runtime.py module.function")
    name = sys.argv[1]
    # The function's folder in place of our own.
    if sys.path and sys.path[0] == os.path.dirname(os.path.abspath(__file__)):
        del sys.path[0]
    sys.path.insert(0, os.getcwd())
    hand_over(name)
    set_up_output()
    set_up_logging()
    api = Api(os.environ["AWS_LAMBDA_RUNTIME_API"])
    serve(api, load(api, name))


if __name__ == "__main__":
    main()
