// The application of express behind other adapters of this kind, and a
// framework that is its own adapter.
import { createRequire } from 'node:module';
import lambdaApi from 'lambda-api';
import serverless from 'serverless-http';
import vendia from '@vendia/serverless-express';
import { ServerlessAdapter } from '@h4ad/serverless-adapter';
import {
  AlbAdapter, ApiGatewayV1Adapter, ApiGatewayV2Adapter,
} from '@h4ad/serverless-adapter/adapters/aws';
import { ExpressFramework } from '@h4ad/serverless-adapter/frameworks/express';
import { DefaultHandler } from '@h4ad/serverless-adapter/handlers/default';
import { PromiseResolver } from '@h4ad/serverless-adapter/resolvers/promise';
import app from './express.mjs';
import { bytes, png, recorded } from './common.mjs';

const awsServerlessExpress = createRequire(import.meta.url)(
  'aws-serverless-express');
const types = ['application/octet-stream', 'image/png'];

export const http = recorded(serverless(app, { binary: types }));

export const vendor = recorded(vendia({ app,
  binarySettings: { contentTypes: types, contentEncodings: ['gzip'] } }));

const server = awsServerlessExpress.createServer(app, null, types);
export const old = recorded((event, context) =>
  awsServerlessExpress.proxy(server, event, context, 'PROMISE').promise);

// serverless-adapter, put together as its documentation has it.
export const adapter = recorded(ServerlessAdapter.new(app)
  .setFramework(new ExpressFramework())
  .setHandler(new DefaultHandler())
  .setResolver(new PromiseResolver())
  .setBinarySettings({ contentTypes: types, contentEncodings: ['gzip'] })
  .addAdapter(new AlbAdapter())
  .addAdapter(new ApiGatewayV1Adapter({
    lowercaseRequestHeaders: true }))
  .addAdapter(new ApiGatewayV2Adapter())
  .build());

// lambda-api is a framework of its own, without a server: the same answers as
// the application of express gives, by its means.
const api = lambdaApi({ isBase64: false });
const parsed = (req) => typeof req.body === 'string'
  ? JSON.parse(req.body) : req.body;
api.get('/', (req, res) => res.html('Hello World!'));
api.get('/json', (req, res) =>
  res.json({ framework: 'express', list: [1, 'two', null] }));
api.get('/users/:id', (req, res) => res.json({ id: req.params.id }));
api.get('/query', (req, res) => res.json(Object.fromEntries(
  Object.entries(req.multiValueQuery).map(([name, values]) =>
    [name, values.length > 1 ? values : values[0]]))));
api.get('/image.png', (req, res) => res.type('png')
  .sendFile(png, {}));
api.get('/bytes', (req, res) => res.type('application/octet-stream')
  .sendFile(bytes, {}));
api.put('/items/:id', (req, res) => res.status(201)
  .header('Location', '/items/' + req.params.id)
  .json({ id: req.params.id, text: req.body }));
api.post('/json', (req, res) => res.json({ received: parsed(req) }));
api.post('/form', (req, res) => res.json(req.body));
api.delete('/items/:id', (req, res) => res.status(204).send(''));
export const lambda = recorded((event, context) => api.run(event, context));
