// A function of middy with its http middlewares.  Middy has no server of its
// own: what it answers by its documentation stands in middy.expected.json.
import middy from '@middy/core';
import contentEncoding from '@middy/http-content-encoding';
import contentNegotiation from '@middy/http-content-negotiation';
import cors from '@middy/http-cors';
import errorHandler from '@middy/http-error-handler';
import eventNormalizer from '@middy/http-event-normalizer';
import headerNormalizer from '@middy/http-header-normalizer';
import jsonBodyParser from '@middy/http-json-body-parser';
import multipartBodyParser from '@middy/http-multipart-body-parser';
import responseSerializer from '@middy/http-response-serializer';
import router from '@middy/http-router';
import securityHeaders from '@middy/http-security-headers';
import urlencodeBodyParser from '@middy/http-urlencode-body-parser';
import urlencodePathParser from '@middy/http-urlencode-path-parser';
import {
  bytes, digest, html, large, png, recorded, shown,
} from './common.mjs';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const json = (value, statusCode = 200, headers = {}) =>
  ({ statusCode, headers: { ...JSON_TYPE, ...headers },
    body: JSON.stringify(value) });
const text = (body, statusCode = 200, headers = {}) =>
  ({ statusCode, headers: { 'Content-Type': 'text/plain', ...headers }, body });
const binary = (data, type) =>
  ({ statusCode: 200, headers: { 'Content-Type': type },
    body: data.toString('base64'), isBase64Encoded: true });
const bodyOf = (event) => Buffer.from(event.body ?? '',
  event.isBase64Encoded ? 'base64' : 'utf8');
const location = (statusCode, to) =>
  ({ statusCode, headers: { Location: to }, body: '' });

// A list where the event has one; 2.0 has one text with commas.
const query = ({ version, queryStringParameters: one,
  multiValueQueryStringParameters: all }) =>
  version === '2.0' ? one : { ...one, ...all };

const route = (method, path, handler, ...uses) => ({ method, path,
  handler: uses.length
    ? uses.reduce((all, use) => all.use(use), middy()).handler(handler)
    : handler });

const routes = [
  route('GET', '/', async () => text('hello middy')),
  route('GET', '/json', async () =>
    json({ framework: 'middy', list: [1, 'two', null] })),
  route('GET', '/html', async () => ({ statusCode: 200, body: html,
    headers: { 'Content-Type': 'text/html; charset=utf-8' } }),
  securityHeaders()),
  route('GET', '/empty', async () => ({ statusCode: 200, body: '' })),
  route('GET', '/large', async () => text(large)),
  route('GET', '/users/{id}', async (event) =>
    json({ id: event.pathParameters.id }), urlencodePathParser()),
  route('GET', '/query', async (event) => json(query(event))),
  route('GET', '/headers', async (event) =>
    json(shown((name) => event.headers[name]))),
  route('GET', '/cookies', async (event) =>
    json({ cookie: event.cookies?.join('; ') ?? event.headers.cookie })),
  route('GET', '/login', async (event) => {
    const cookies = ['session=a%20b; HttpOnly', 'theme=dark; SameSite=Lax'];
    return event.version === '2.0' ? { ...text('welcome'), cookies }
      : event.version === '1.0' || event.requestContext.stage
        ? { ...text('welcome'), multiValueHeaders: { 'Set-Cookie': cookies } }
        : text('welcome', 200, { 'Set-Cookie': cookies[0] });
  }),
  route('GET', '/image.png', async () => binary(png, 'image/png')),
  route('GET', '/bytes', async () => binary(bytes, 'application/octet-stream')),
  route('POST', '/upload', async (event) => json(
    { size: bodyOf(event).length, sha256: digest(bodyOf(event)) }, 201)),
  route('POST', '/json', async (event) => json({ received: event.body }),
    jsonBodyParser()),
  route('POST', '/form', async (event) => json(event.body),
    urlencodeBodyParser()),
  route('POST', '/multipart', async (event) => json({ note: event.body.note,
    name: event.body.file.filename, type: event.body.file.mimetype,
    sha256: digest(event.body.file.content) }), multipartBodyParser()),
  route('GET', '/redirect', async () => location(302, '/json?from=redirect')),
  route('GET', '/moved', async () => location(301, '/json')),
  route('POST', '/submit', async () => location(303, '/json')),
  route('GET', '/error', async () => {
    throw new Error('a bug of the application');
  }),
  route('GET', '/teapot', async () => {
    throw Object.assign(new Error('short and stout'), { statusCode: 418 });
  }),
  route('PUT', '/items/{id}', async (event) => json(
    { id: event.pathParameters.id, text: bodyOf(event).toString() }, 201,
    { Location: '/items/' + event.pathParameters.id })),
  route('PATCH', '/items/{id}', async (event) => json({ patched: event.body }),
    jsonBodyParser()),
  route('DELETE', '/items/{id}', async () => ({ statusCode: 204 })),
  route('GET', '/cors', async () => json({ shared: true })),
  route('GET', '/gzip', async () => text(large), contentNegotiation(),
    contentEncoding()),
  route('GET', '/serialized', async () => ({ statusCode: 200, body: { a: 1 } }),
    responseSerializer({ defaultContentType: 'application/json', serializers: [
      { regex: /^application\/json$/, serializer: ({ body }) =>
        JSON.stringify(body) },
      { regex: /^application\/xml$/, serializer: ({ body }) =>
        `<a>${body.a}</a>` }] }), contentNegotiation({ parseCharsets: false,
      parseEncodings: false, parseLanguages: false,
      availableMediaTypes: ['application/xml', 'application/json'] })),
];

export const handler = recorded(middy()
  .use(eventNormalizer())
  .use(headerNormalizer())
  .use(cors({ disableBeforePreflightResponse: false,
    origins: ['https://shop.example'], methods: 'GET,PUT', maxAge: 600 }))
  .use(errorHandler({ fallbackMessage: 'Server error', logger: false }))
  .handler(router(routes)));

// The same without an error handler: what is thrown is the function's error.
export const bare = recorded(middy().use(headerNormalizer())
  .handler(router(routes)));
