// The application of express behind other adapters of this kind.
import { createRequire } from 'node:module';
import serverless from 'serverless-http';
import vendia from '@vendia/serverless-express';
import app from './express.mjs';
import { recorded } from './common.mjs';

const awsServerlessExpress = createRequire(import.meta.url)(
  'aws-serverless-express');
const types = ['application/octet-stream', 'image/png'];

export const http = recorded(serverless(app, { binary: types }));

export const vendor = recorded(vendia({ app,
  binarySettings: { contentTypes: types, contentEncodings: ['gzip'] } }));

const server = awsServerlessExpress.createServer(app, null, types);
export const old = recorded((event, context) =>
  awsServerlessExpress.proxy(server, event, context, 'PROMISE').promise);
