/*
 * albatross-runtime.mjs - a client of the Lambda Runtime API for Node 18 and
 * later
 *
 * Usage: node albatross-runtime.mjs file.handler
 *
 * No dependencies.  It behaves like AWS's own client, aws-lambda-ric: async,
 * promise and callback handlers, CommonJS and ES modules.  Everything goes over
 * one connection of our own, which keeps the process alive only while an answer
 * is awaited, so that Node notices when a handler has nothing left to do.  The
 * result of one event and the wish for the next one are sent together.  What a
 * streaming handler writes goes over a second connection, by Node's own http.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import util from 'node:util';

const require = createRequire(import.meta.url);
const ROOT = process.cwd();
const PREFIX = '/2018-06-01/runtime/';
const AGENT = `albatross-node/${process.version}`;
const END_OF_HEAD = Buffer.from('\r\n\r\n');

// ---- errors, with AWS's names ----

function errorClass(name) {
  const made = class extends Error {};
  Object.defineProperty(made, 'name', { value: name });
  made.prototype.name = `Runtime.${name}`;
  return made;
}

const ImportModuleError = errorClass('ImportModuleError');
const HandlerNotFound = errorClass('HandlerNotFound');
const MalformedHandlerName = errorClass('MalformedHandlerName');
const UserCodeSyntaxError = errorClass('UserCodeSyntaxError');
const MalformedStreamingHandler = errorClass('MalformedStreamingHandler');
const InvalidStreamingOperation = errorClass('InvalidStreamingOperation');
const UnhandledPromiseRejection = errorClass('UnhandledPromiseRejection');

const printable = (text) => text.replace(/\x7f/g, '%7F');

function looksLikeError(e) {
  return (
    util.types.isNativeError(e) ||
    (e &&
      [e.name, e.message, e.stack].every((t) => t && typeof t === 'string'))
  );
}

/* What the Runtime API gets for |e|. */
function errorBody(e) {
  try {
    if (looksLikeError(e)) {
      return {
        errorType: printable(String(e.name)),
        errorMessage: printable(String(e.message)),
        trace: printable(String(e.stack)).split('\n'),
      };
    }
    return { errorType: typeof e, errorMessage: e.toString(), trace: [] };
  } catch {
    return {
      errorType: 'handled',
      errorMessage:
        'callback called with Error argument, but there was a problem while ' +
        'retrieving one or more of its message, name, and stack',
    };
  }
}

/* What the log gets: the error with its own members, one line of JSON. */
function errorLine(e) {
  const error = e instanceof Error ? e : new Error(e);
  try {
    return JSON.stringify(error, (_, value) =>
      value instanceof Error
        ? {
            errorType: value.name,
            errorMessage: value.message,
            code: value.code,
            ...value,
            stack:
              typeof value.stack === 'string'
                ? value.stack.split('\n')
                : undefined,
          }
        : value,
    );
  } catch {
    return JSON.stringify(errorBody(error));
  }
}

// ---- the console, as in CloudWatch ----

let currentId;

function patchConsole() {
  const levels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
  const wanted = (process.env.AWS_LAMBDA_LOG_LEVEL || 'TRACE').toUpperCase();
  const least = Math.max(levels.indexOf(wanted), 0);
  const asJson =
    (process.env.AWS_LAMBDA_LOG_FORMAT || '').toUpperCase() === 'JSON';

  levels.forEach((level, at) => {
    console[level.toLowerCase()] = (...args) => {
      if (at < least) return;
      const time = new Date().toISOString();
      const text = util.format(...args);
      process.stdout.write(
        asJson
          ? `${JSON.stringify({
              timestamp: time,
              level,
              requestId: currentId,
              message: text,
            })}\n`
          : `${time}\t${currentId}\t${level}\t${text}\n`,
      );
    };
  });
  console.log = console.info;
}

// ---- the Runtime API ----

class Api {
  constructor(address) {
    const at = address.lastIndexOf(':');
    this.peer = { host: address.slice(0, at), port: +address.slice(at + 1) };
    this.tail = `Host: ${address}\r\nUser-Agent: ${AGENT}\r\n`;
    this.nextRequest = `GET ${PREFIX}invocation/next HTTP/1.1\r\n${this.tail}\r\n`;
    this.waiting = []; // for answers, in order
    this.socket = null;
  }

  connect() {
    const socket = net.connect({ ...this.peer, noDelay: true });
    this.buffer = [];
    this.have = 0;
    this.need = 0; // bytes until the next answer can be whole; 0: unknown
    socket.on('data', (data) => this.onData(socket, data));
    socket.on('error', () => {});
    socket.on('close', () => this.onClose(socket));
    this.socket = socket;
  }

  /* Send |bytes|; |answers| are called with the answers to what is in it. */
  send(bytes, ...answers) {
    if (this.socket === null) this.connect();
    this.socket.ref();
    this.waiting.push(...answers);
    this.socket.write(bytes);
  }

  onClose(socket) {
    if (socket !== this.socket) return;
    const waiting = this.waiting;
    this.socket = null;
    this.waiting = [];
    for (const answer of waiting) answer(null);
  }

  onData(socket, data) {
    if (socket !== this.socket) return;
    this.buffer.push(data);
    this.have += data.length;
    while (this.have > 0 && this.have >= this.need && this.takeAnswer());
    if (this.waiting.length === 0 && this.socket !== null) this.socket.unref();
  }

  takeAnswer() {
    const all =
      this.buffer.length === 1 ? this.buffer[0] : Buffer.concat(this.buffer);
    this.buffer = [all];
    const end = all.indexOf(END_OF_HEAD);
    if (end < 0) return false;
    const [first, ...lines] = all.latin1Slice(0, end).split('\r\n');
    const headers = {};
    for (const line of lines) {
      const colon = line.indexOf(':');
      headers[line.slice(0, colon).toLowerCase()] = line
        .slice(colon + 1)
        .trim();
    }
    const total = end + 4 + (+headers['content-length'] || 0);
    if (all.length < total) {
      this.need = total;
      return false;
    }
    this.need = 0;
    this.have = all.length - total;
    this.buffer = this.have > 0 ? [all.subarray(total)] : [];
    const answer = this.waiting.shift();
    const closing = headers.connection === 'close';
    if (closing) {
      const socket = this.socket;
      this.onClose(socket); // nothing behind it is answered
      socket.destroy();
    }
    if (answer) {
      answer({
        status: +first.split(' ')[1],
        headers,
        body: all.utf8Slice(end + 4, total),
      });
    }
    return !closing;
  }

  post(where, text, headers = '') {
    return (
      `POST ${PREFIX}${where} HTTP/1.1\r\n${this.tail}` +
      'Content-Type: application/json\r\n' +
      `Content-Length: ${Buffer.byteLength(text)}\r\n${headers}\r\n${text}`
    );
  }

  /* Ask for the next event. */
  poll(take) {
    this.send(this.nextRequest, take);
  }

  postResult(id, text, take) {
    this.send(
      this.post(`invocation/${id}/response`, text) + this.nextRequest,
      () => {},
      take,
    );
  }

  postError(id, e, then) {
    this.send(
      this.post(`invocation/${id}/error`, JSON.stringify(errorBody(e))),
      then,
    );
  }

  postErrorAndPoll(id, e, take) {
    this.send(
      this.post(`invocation/${id}/error`, JSON.stringify(errorBody(e))) +
        this.nextRequest,
      () => {},
      take,
    );
  }

  postInitError(e, then) {
    const body = errorBody(e);
    const type = body.errorType.replace(/[^\x20-\x7e]/g, '?');
    this.send(
      this.post(
        'init/error',
        JSON.stringify(body),
        `Lambda-Runtime-Function-Error-Type: ${type}\r\n`,
      ),
      then,
    );
  }
}

// ---- streamed responses ----

const STREAMS = Symbol.for('aws.lambda.runtime.handler.streaming');
const HIGH_WATER = Symbol.for(
  'aws.lambda.runtime.handler.streaming.highWaterMark',
);
const ERROR_TYPE = 'Lambda-Runtime-Function-Error-Type';
const ERROR_BODY = 'Lambda-Runtime-Function-Error-Body';

/* What a handler sees of the request that its stream is. */
const METHODS = `cork destroy end uncork write addListener emit eventNames
  getMaxListeners listenerCount listeners off on once prependListener
  prependOnceListener rawListeners removeAllListeners removeListener
  setMaxListeners setContentType`.split(/\s+/);
const STATES = `writableFinished writableObjectMode writableBuffer writableEnded
  writableNeedDrain writableHighWaterMark writableCorked writableLength`.split(
  /\s+/,
);
const SETTINGS = ['destroyed', 'writable', '_onBeforeFirstWrite'];

function handlersView(request) {
  const view = {};
  for (const name of METHODS) view[name] = request[name].bind(request);
  for (const name of [...STATES, ...SETTINGS]) {
    const set = SETTINGS.includes(name)
      ? (value) => (request[name] = value)
      : undefined;
    Object.defineProperty(view, name, { get: () => request[name], set });
  }
  return view;
}

/* A POST of a response that is not known yet: what the handler writes goes out
 * in chunks, an error behind the last one. */
class ResponseStream {
  static agent = null;

  static connect(highWaterMark) {
    const http = require('node:http'); // others start without it
    if (ResponseStream.agent === null) {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      agent.createConnection = (options, then) =>
        net.createConnection({ ...options, highWaterMark }, then);
      ResponseStream.agent = agent;
    }
    return http;
  }

  constructor(api, id, highWaterMark) {
    const http = ResponseStream.connect(highWaterMark);
    this.request = http.request({
      ...api.peer,
      agent: ResponseStream.agent,
      method: 'POST',
      path: `${PREFIX}invocation/${id}/response`,
      headers: {
        'Lambda-Runtime-Function-Response-Mode': 'streaming',
        'Content-Type': 'application/octet-stream',
        Trailer: [ERROR_TYPE, ERROR_BODY],
      },
    });
    /* It was taken by the Runtime API; fails when the connection does. */
    this.taken = new Promise((resolve, reject) => {
      this.request.on('response', (response) => {
        response.resume();
        response.on('end', resolve);
        response.on('aborted', reject);
      });
      this.request.on('error', reject);
    });
    this.taken.catch(() => {});
    this.wrap();
    this.view = handlersView(this.request);
  }

  wrap() {
    const { request } = this;
    const write = request.write.bind(request);
    const end = request.end.bind(request);
    let written = false;

    request.end = (then) => {
      end(then);
    };
    request.setContentType = (type) => {
      if (written) {
        throw new InvalidStreamingOperation(
          'Cannot set content-type, too late.',
        );
      }
      request.setHeader('Content-Type', type);
    };
    request.write = (chunk, encoding, then) => {
      const first = !written && request._onBeforeFirstWrite;
      const plain =
        typeof chunk === 'string' ||
        Buffer.isBuffer(chunk) ||
        (chunk && chunk.constructor === Uint8Array);
      if (typeof first === 'function') first((head) => write(head));
      written = true;
      return write(plain ? chunk : JSON.stringify(chunk), encoding, then);
    };
  }

  fail(e, then) {
    const body = errorBody(e);
    this.request.addTrailers({
      [ERROR_TYPE]: body.errorType.replace(/[^\x20-\x7e]/g, '?'),
      [ERROR_BODY]: Buffer.from(JSON.stringify(body)).toString('base64'),
    });
    this.request.end(then);
  }
}

/* What AWS puts into the global scope of a handler's module. */
const awslambda = {
  streamifyResponse(handler, options) {
    handler[STREAMS] = 'response';
    if (options && typeof options.highWaterMark === 'number') {
      handler[HIGH_WATER] = Math.trunc(options.highWaterMark);
    }
    return handler;
  },
  HttpResponseStream: class HttpResponseStream {
    static from(stream, prelude) {
      const text = JSON.stringify(prelude);
      stream.setContentType(
        'application/vnd.awslambda.http-integration-response',
      );
      stream._onBeforeFirstWrite = (write) => {
        write(text);
        write(Buffer.alloc(8));
      };
      return stream;
    }
  },
};

/* Is |handler| one of those that get a stream? */
function streams(handler) {
  const mark = handler[STREAMS];
  if (mark === undefined || mark === null || mark === false) return false;
  if (mark === 'response') return true;
  throw new MalformedStreamingHandler('Only response streaming is supported.');
}

// ---- the handler ----

function isEsFolder(folder) {
  for (;;) {
    if (folder.endsWith('/node_modules')) return false;
    const file = path.join(folder, 'package.json');
    if (fs.existsSync(file)) {
      try {
        return JSON.parse(fs.readFileSync(file, 'utf8')).type === 'module';
      } catch (e) {
        console.warn(`${file} cannot be read, it is taken for CommonJS`, e);
        return false;
      }
    }
    if (folder === '/') return false;
    folder = path.dirname(folder);
  }
}

async function loadModule(folder, name) {
  const stem = path.resolve(ROOT, folder, name);
  const esm = (file) => import(pathToFileURL(file).href);
  if (fs.existsSync(stem) && fs.statSync(stem).isFile()) return require(stem);
  if (fs.existsSync(`${stem}.js`)) {
    return isEsFolder(path.dirname(stem))
      ? esm(`${stem}.js`)
      : require(`${stem}.js`);
  }
  if (fs.existsSync(`${stem}.mjs`)) return esm(`${stem}.mjs`);
  if (fs.existsSync(`${stem}.cjs`)) return require(`${stem}.cjs`);
  return require(require.resolve(name, { paths: [ROOT, folder || ROOT] }));
}

async function loadHandler(full) {
  if (full.includes('..')) {
    throw new MalformedHandlerName(
      `'${full}' is not a valid handler name. Use absolute paths when ` +
        'specifying root directories in handler names.',
    );
  }
  const base = path.basename(full);
  const folder = full.slice(0, full.indexOf(base));
  const dot = base.indexOf('.');
  if (dot < 0) throw new MalformedHandlerName('Bad handler');
  let loaded;
  if (!/^(1|true)$/.test(process.env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA)) {
    globalThis.awslambda = awslambda;
  }
  try {
    loaded = await loadModule(folder, base.slice(0, dot));
  } catch (e) {
    if (e instanceof SyntaxError) throw new UserCodeSyntaxError(e);
    if (e && e.code === 'MODULE_NOT_FOUND') throw new ImportModuleError(e);
    throw e;
  }
  let found = loaded;
  for (const key of base.slice(dot + 1).split('.')) found = found && found[key];
  if (!found) throw new HandlerNotFound(`${full} is undefined or not exported`);
  if (typeof found !== 'function') {
    throw new HandlerNotFound(`${full} is not a function`);
  }
  return found;
}

// ---- one event after another ----

const NOTHING = () => {};
let atEmptyLoop = NOTHING; // what is done when a handler has nothing left
let onFatal; // where errors go that nobody caught

function parseHeader(value, name) {
  if (value === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(value, 'latin1').toString());
  } catch (e) {
    throw new Error(`Cannot parse ${name} as json: ${e}`);
  }
}

function describe(context, headers) {
  const env = process.env;
  const deadline = +headers['lambda-runtime-deadline-ms'];
  return Object.assign(context, {
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parseHeader(
      headers['lambda-runtime-client-context'],
      'ClientContext',
    ),
    identity: parseHeader(
      headers['lambda-runtime-cognito-identity'],
      'CognitoIdentity',
    ),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    tenantId: headers['lambda-runtime-aws-tenant-id'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  });
}

class Runtime {
  constructor(api, handler) {
    this.api = api;
    this.handler = handler;
    this.streams = streams(handler);
    this.take = (answer) => this.onAnswer(answer);
  }

  onAnswer(answer) {
    if (answer === null) {
      // The connection went, with our wish for an event: ask again.
      if (++this.lost > 10) process.exit(1);
      setTimeout(() => this.api.poll(this.take), 10);
      return;
    }
    this.lost = 0;
    if (answer.status !== 200) {
      console.error(`the Runtime API answered ${answer.status}: ${answer.body}`);
      process.exit(1);
    }
    this.run(answer);
  }

  /* callback, context.done and their kin; only the first call counts. */
  answers(id) {
    let answered = false;
    let finished = false;
    let waits = true;
    const fail = (e) => {
      console.error('Invoke Error', `\t${errorLine(e)}`);
      this.api.postErrorAndPoll(id, e, this.take);
    };
    const complete = (result) => {
      if (answered) {
        console.error(
          'Invocation has already been reported as done. Cannot call complete ' +
            'more than once per invocation.',
        );
        return;
      }
      answered = true;
      let text;
      try {
        text = JSON.stringify(result === undefined ? null : result);
      } catch {
        fail(new Error('Unable to stringify response body'));
        return;
      }
      if (text === undefined) {
        fail(new TypeError('Wrong arguments')); // a function, a symbol
        return;
      }
      this.api.postResult(id, text, this.take);
    };
    const first = (f) => (...args) => {
      if (finished) return;
      f(...args);
      finished = true;
    };
    const done = (e, result) => {
      atEmptyLoop = NOTHING;
      if (e !== undefined && e !== null) fail(e);
      else complete(result);
    };
    const callback = (e, result) => {
      atEmptyLoop = NOTHING;
      if (e !== undefined && e !== null) fail(e);
      else if (!waits) complete(result);
      else atEmptyLoop = () => setImmediate(() => complete(result));
    };
    const context = {
      get callbackWaitsForEmptyEventLoop() {
        return waits;
      },
      set callbackWaitsForEmptyEventLoop(value) {
        waits = value;
      },
      succeed: first((result) => done(null, result)),
      fail: first((e) => done(e === undefined || e === null ? 'handled' : e)),
      done: first(done),
    };
    // A handler that is not async and never calls back: null, at the end.
    atEmptyLoop = () => complete(null);
    return [first(callback), context];
  }

  async runStream(id, headers, body) {
    const stream = new ResponseStream(this.api, id, this.handler[HIGH_WATER]);
    let waits = true;
    const context = {
      get callbackWaitsForEmptyEventLoop() {
        return waits;
      },
      set callbackWaitsForEmptyEventLoop(value) {
        waits = value;
      },
    };
    const next = () => {
      const poll = () => this.api.poll(this.take);
      atEmptyLoop = NOTHING;
      if (waits) atEmptyLoop = () => setImmediate(poll);
      else poll();
    };
    const fail = (e) => {
      console.error('Invoke Error', `\t${errorLine(e)}`);
      stream.fail(e, next);
    };
    atEmptyLoop = () => this.api.poll(this.take);
    try {
      describe(context, headers);
      const result = this.handler(JSON.parse(body), stream.view, context);
      if (!result || typeof result.then !== 'function') {
        fail('Streaming does not support non-async handlers.');
        return;
      }
      if ((await result) !== undefined) {
        console.warn('Streaming handlers ignore return values.');
      }
      await stream.taken;
      if (stream.request.writableFinished) next();
      else fail('Response stream is not finished.');
    } catch (e) {
      fail(e);
    }
  }

  run({ headers, body }) {
    const id = headers['lambda-runtime-aws-request-id'];
    const trace = headers['lambda-runtime-trace-id'];
    currentId = id;
    onFatal = (e, status) =>
      this.api.postError(id, e, () => process.exit(status));
    if (trace) process.env._X_AMZN_TRACE_ID = trace;
    else delete process.env._X_AMZN_TRACE_ID;
    if (this.streams) {
      this.runStream(id, headers, body);
      return;
    }
    const [callback, context] = this.answers(id);
    try {
      describe(context, headers);
      const result = this.handler(JSON.parse(body), context, callback);
      if (result && typeof result.then === 'function') {
        result.then(context.succeed, context.fail).catch(context.fail);
      }
    } catch (e) {
      callback(e);
    }
  }
}

async function main() {
  if (process.argv.length !== 3) {
    process.stderr.write('usage: albatross-runtime.mjs file.handler\n');
    process.exit(2);
  }
  patchConsole();
  const api = new Api(process.env.AWS_LAMBDA_RUNTIME_API);
  onFatal = (e, status) => api.postInitError(e, () => process.exit(status));
  process.on('uncaughtException', (e) => {
    console.error('Uncaught Exception', `\t${errorLine(e)}`);
    onFatal(e, 129);
  });
  process.on('unhandledRejection', (reason) => {
    const e = new UnhandledPromiseRejection(reason);
    e.reason = reason;
    console.error('Unhandled Promise Rejection', `\t${errorLine(e)}`);
    onFatal(e, 128);
  });
  process.on('beforeExit', () => {
    const work = atEmptyLoop;
    atEmptyLoop = NOTHING;
    work();
  });
  let handler;
  try {
    handler = await loadHandler(process.argv[2]);
  } catch (e) {
    console.error('Uncaught Exception', `\t${errorLine(e)}`);
    onFatal(e, 129);
    return;
  }
  let runtime;
  try {
    runtime = new Runtime(api, handler);
  } catch (e) {
    console.error('Uncaught Exception', `\t${errorLine(e)}`);
    onFatal(e, 129);
    return;
  }
  runtime.lost = 0;
  api.poll(runtime.take);
}

main();
