// An application of express: on AWS behind @codegenie/serverless-express, by
// itself with listen().  Other adapters of the kind serve it, too.
import express from 'express';
import serverlessExpress from '@codegenie/serverless-express';
import { gzipSync } from 'node:zlib';
import {
  bytes, digest, html, isMain, large, listening, png, recorded, shown,
} from './common.mjs';

const app = express();
const whole = { type: '*/*', limit: '1mb' };

app.get('/', (req, res) => res.send('Hello World!'));
app.get('/json', (req, res) =>
  res.json({ framework: 'express', list: [1, 'two', null] }));
app.get('/html', (req, res) => res.type('html').send(html));
app.get('/empty', (req, res) => res.end());
app.get('/large', (req, res) => res.type('text').send(large));
app.get('/users/:id', (req, res) => res.json({ id: req.params.id }));
app.get('/files/*path', (req, res) => res.json({ path: req.path }));
app.get('/query', (req, res) => res.json(req.query));
app.get('/headers', (req, res) => res.json(shown((name) => req.get(name))));
app.get('/cookies', (req, res) => res.json({ cookie: req.get('cookie') }));
app.get('/login', (req, res) => res
  .cookie('session', 'a b', { httpOnly: true })
  .cookie('theme', 'dark', { sameSite: 'lax' })
  .send('welcome'));
app.get('/logout', (req, res) => res.clearCookie('session').send('bye'));
app.get('/image.png', (req, res) => res.type('png').send(png));
app.get('/bytes', (req, res) =>
  res.type('application/octet-stream').send(bytes));
app.post('/upload', express.raw(whole), (req, res) =>
  res.status(201).json({ size: req.body.length, sha256: digest(req.body) }));
app.post('/echo', express.raw(whole), (req, res) =>
  res.set('Content-Type', req.get('content-type')).send(req.body));
app.post('/json', express.json(), (req, res) =>
  res.json({ received: req.body }));
app.post('/form', express.urlencoded({ extended: true }), (req, res) =>
  res.json(req.body));
app.get('/redirect', (req, res) => res.redirect('/json?from=redirect'));
app.get('/moved', (req, res) => res.redirect(301, '/json'));
app.post('/submit', (req, res) => res.redirect(303, '/json'));
app.get('/error', () => { throw new Error('a bug of the application'); });
app.get('/teapot', (req, res, next) =>
  next(Object.assign(new Error('short and stout'), { status: 418 })));
app.put('/items/:id', express.text(), (req, res) =>
  res.location('/items/' + req.params.id).status(201)
    .json({ id: req.params.id, text: req.body }));
app.patch('/items/:id', express.json(), (req, res) =>
  res.json({ patched: req.body }));
app.delete('/items/:id', (req, res) => res.status(204).end());
app.options('/cors', (req, res) => res.set({
  'Access-Control-Allow-Origin': 'https://shop.example',
  'Access-Control-Allow-Methods': 'GET,PUT',
  'Access-Control-Max-Age': '600' }).status(204).end());
app.get('/cors', (req, res) => res
  .set('Access-Control-Allow-Origin', 'https://shop.example')
  .vary('Origin').json({ shared: true }));
app.get('/etag', (req, res) => res.send('the same for ever'));
app.get('/gzip', (req, res) => res.set('Content-Encoding', 'gzip')
  .type('text').send(gzipSync(large)));

app.get('/pieces', async (req, res) => {
  res.type('text');
  for (const piece of ['one ', 'two ', 'three']) {
    res.write(piece);
    await new Promise((done) => { setTimeout(done, 40); });
  }
  res.end();
});

// As express's FAQ has it.  Its final handler waits for the end of a socket,
// which serverless-express does not have.
app.use((req, res) => res.status(404).send("Sorry can't find that!"));
app.use((error, req, res, next) =>
  res.status(error.status ?? 500).send('Something broke!'));

export default app;
export const handler = recorded(serverlessExpress({ app, binarySettings: {
  contentTypes: ['application/octet-stream', 'image/*'],
  contentEncodings: ['gzip'] } }));

if (isMain(import.meta.url)) {
  const server = app.listen(0, '127.0.0.1',
    () => listening(server.address().port));
}
