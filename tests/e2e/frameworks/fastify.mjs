// An application of fastify: on AWS behind @fastify/aws-lambda, by itself with
// listen().
import Fastify from 'fastify';
import awsLambdaFastify from '@fastify/aws-lambda';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import {
  bytes, digest, html, isMain, large, listening, png, recorded, shown,
} from './common.mjs';

const app = Fastify();

// Any type that has no parser of its own is bytes.
app.addContentTypeParser('*', { parseAs: 'buffer' }, async (_, body) => body);
app.addContentTypeParser('application/x-www-form-urlencoded',
  { parseAs: 'string' }, async (_, body) =>
    Object.fromEntries(new URLSearchParams(body)));

app.get('/', async () => 'hello world');
app.get('/json', async () =>
  ({ framework: 'fastify', list: [1, 'two', null] }));
app.get('/html', (request, reply) =>
  reply.type('text/html; charset=utf-8').send(html));
app.get('/empty', (request, reply) => reply.send());
app.get('/large', async () => large);
app.get('/users/:id', async (request) => ({ id: request.params.id }));
app.get('/files/*', async (request) => ({ path: request.params['*'] }));
app.get('/query', async (request) => request.query);
app.get('/headers', async (request) => shown((name) => request.headers[name]));
app.get('/cookies', async (request) => ({ cookie: request.headers.cookie }));
app.get('/login', (request, reply) => reply
  .header('Set-Cookie', 'session=a%20b; Path=/; HttpOnly')
  .header('Set-Cookie', 'theme=dark; Path=/; SameSite=Lax')
  .send('welcome'));
app.get('/logout', (request, reply) =>
  reply.header('Set-Cookie', 'session=; Max-Age=0').send('bye'));
app.get('/image.png', (request, reply) => reply.type('image/png').send(png));
app.get('/bytes', (request, reply) =>
  reply.type('application/octet-stream').send(bytes));
app.post('/upload', (request, reply) => reply.code(201).send(
  { size: request.body.length, sha256: digest(request.body) }));
app.post('/echo', (request, reply) =>
  reply.type(request.headers['content-type']).send(request.body));
app.post('/json', async (request) => ({ received: request.body }));
app.post('/form', async (request) => request.body);
app.get('/redirect', (request, reply) => reply.redirect('/json?from=redirect'));
app.get('/moved', (request, reply) => reply.redirect('/json', 301));
app.post('/submit', (request, reply) => reply.redirect('/json', 303));
app.get('/error', async () => { throw new Error('a bug of the application'); });
app.get('/teapot', async () => {
  throw Object.assign(new Error('short and stout'), { statusCode: 418 });
});
app.put('/items/:id', (request, reply) => reply
  .header('Location', '/items/' + request.params.id).code(201)
  .send({ id: request.params.id, text: String(request.body) }));
app.patch('/items/:id', async (request) => ({ patched: request.body }));
app.delete('/items/:id', (request, reply) => reply.code(204).send());
app.options('/cors', (request, reply) => reply.headers({
  'Access-Control-Allow-Origin': 'https://shop.example',
  'Access-Control-Allow-Methods': 'GET,PUT',
  'Access-Control-Max-Age': 600 }).code(204).send());
app.get('/cors', (request, reply) => reply
  .header('Access-Control-Allow-Origin', 'https://shop.example')
  .header('Vary', 'Origin').send({ shared: true }));
app.get('/etag', (request, reply) => {
  reply.header('ETag', '"for-ever"');
  return request.headers['if-none-match']?.includes('"for-ever"')
    ? reply.code(304).send() : reply.send('the same for ever');
});
app.get('/gzip', (request, reply) => reply.header('Content-Encoding', 'gzip')
  .type('text/plain; charset=utf-8').send(gzipSync(large)));
async function* pieces() {
  for (const piece of ['one ', 'two ', 'three']) {
    yield piece;
    await new Promise((done) => { setTimeout(done, 40); });
  }
}
app.get('/pieces', (request, reply) =>
  reply.type('text/plain; charset=utf-8').send(Readable.from(pieces())));

const binaryMimeTypes = ['application/octet-stream', 'image/png'];

export default app;
const serves = isMain(import.meta.url);
export const handler = serves ? undefined
  : recorded(awsLambdaFastify(app, { binaryMimeTypes }));

// Behind an ALB with multi-value headers the adapter wants to be told.
let decorated;
export const multi = recorded((event, context) => {
  decorated ??= awsLambdaFastify(app, { binaryMimeTypes,
    decorateRequest: false, albMultiValueHeaders: true });
  return decorated(event, context);
});

if (serves) {
  await app.listen({ host: '127.0.0.1', port: 0 });
  listening(app.server.address().port);
}
