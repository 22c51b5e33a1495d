// An application of hono: on AWS behind hono/aws-lambda, by itself on
// @hono/node-server.
import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';
import { compress } from 'hono/compress';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { cors } from 'hono/cors';
import { etag } from 'hono/etag';
import { HTTPException } from 'hono/http-exception';
import { streamText } from 'hono/streaming';
import { serve } from '@hono/node-server';
import {
  bytes, digest, html, isMain, large, listening, png, recorded, shown,
} from './common.mjs';

const app = new Hono();

app.get('/', (c) => c.text('Hello Hono!'));
app.get('/json', (c) => c.json({ framework: 'hono', list: [1, 'two', null] }));
app.get('/html', (c) => c.html(html));
app.get('/empty', (c) => c.body(null));
app.get('/large', (c) => c.text(large));
app.get('/users/:id', (c) => c.json({ id: c.req.param('id') }));
app.get('/files/*', (c) => c.json({ path: c.req.path }));
app.get('/query', (c) => c.json(c.req.queries()));
app.get('/headers', (c) => c.json(shown((name) => c.req.header(name))));
app.get('/cookies', (c) => c.json(getCookie(c)));
app.get('/login', (c) => {
  setCookie(c, 'session', 'a b', { httpOnly: true, path: '/' });
  setCookie(c, 'theme', 'dark', { maxAge: 60, sameSite: 'Lax' });
  return c.text('welcome');
});
app.get('/logout', (c) => {
  deleteCookie(c, 'session');
  return c.text('bye');
});
app.get('/image.png', (c) => c.body(png, 200, { 'Content-Type': 'image/png' }));
app.get('/bytes', (c) => c.body(bytes, 200,
  { 'Content-Type': 'application/octet-stream' }));
app.post('/upload', async (c) => {
  const body = Buffer.from(await c.req.arrayBuffer());
  return c.json({ size: body.length, sha256: digest(body) }, 201);
});
app.post('/echo', async (c) => c.body(await c.req.arrayBuffer(), 200, {
  'Content-Type': c.req.header('content-type') }));
app.post('/json', async (c) => c.json({ received: await c.req.json() }));
app.post('/form', async (c) => c.json(await c.req.parseBody({ all: true })));
app.post('/multipart', async (c) => {
  const { note, file } = await c.req.parseBody();
  const data = Buffer.from(await file.arrayBuffer());
  return c.json({ note, name: file.name, type: file.type,
    sha256: digest(data) });
});
app.get('/redirect', (c) => c.redirect('/json?from=redirect'));
app.get('/moved', (c) => c.redirect('/json', 301));
app.post('/submit', (c) => c.redirect('/json', 303));
app.get('/error', () => { throw new Error('a bug of the application'); });
app.get('/teapot', () => {
  throw new HTTPException(418, { message: 'short and stout' });
});
app.put('/items/:id', async (c) => {
  c.header('Location', '/items/' + c.req.param('id'));
  return c.json({ id: c.req.param('id'), text: await c.req.text() }, 201);
});
app.patch('/items/:id', async (c) => c.json({ patched: await c.req.json() }));
app.delete('/items/:id', (c) => c.body(null, 204));
app.use('/cors', cors({ origin: 'https://shop.example', maxAge: 600,
  allowMethods: ['GET', 'PUT'], credentials: true }));
app.get('/cors', (c) => c.json({ shared: true }));
app.use('/etag', etag());
app.get('/etag', (c) => c.text('the same for ever'));
app.use('/gzip', compress());
app.get('/gzip', (c) => c.text(large));
app.get('/pieces', (c) => streamText(c, async (stream) => {
  for (const piece of ['one ', 'two ', 'three']) {
    await stream.write(piece);
    await stream.sleep(40);
  }
}));

export default app;
export const handler = recorded(handle(app));

if (isMain(import.meta.url)) {
  serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 },
    (info) => listening(info.port));
}
