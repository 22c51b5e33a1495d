// What the frameworks' documentations show of Lambda itself, in our words: the
// event and the context inside an application, ways to make a handler.
import express from 'express';
import Fastify from 'fastify';
import middy from '@middy/core';
import { Hono } from 'hono';
import awsLambdaFastify from '@fastify/aws-lambda';
import errorHandler from '@middy/http-error-handler';
import jsonBodyParser from '@middy/http-json-body-parser';
import serverlessExpress, { getCurrentInvoke }
  from '@codegenie/serverless-express';
import serverless from 'serverless-http';
import { handle } from 'hono/aws-lambda';

const about = (event, context) => ({
  method: event.httpMethod ?? event.requestContext.http.method,
  stage: event.requestContext.stage ?? null,
  base64: event.isBase64Encoded,
  requestId: context.awsRequestId,
  name: context.functionName,
  left: context.getRemainingTimeInMillis() > 0,
});

// hono.dev, AWS Lambda: access to Lambda's object.
const hono = new Hono();
hono.all('/about', (c) => c.json(about(c.env.event, c.env.lambdaContext)));
export const honoAbout = handle(hono);

// hono.dev, routing: a base path; the name of an HTTP API's stage is one.
const staged = new Hono().basePath('/dev');
staged.all('/about', (c) => c.json(about(c.env.event, c.env.lambdaContext)));
export const honoStaged = handle(staged);

// serverless-express, README: the current invocation, an asynchronous setup.
const later = express();
later.all('/about', (req, res) => {
  const { event, context } = getCurrentInvoke();
  res.json(about(event, context));
});
let instance;
export const expressAbout = async (event, context) => {
  if (!instance) {
    await new Promise((done) => { setTimeout(done, 20); });
    instance = serverlessExpress({ app: later });
  }
  return instance(event, context);
};

// aws-lambda-fastify, README: the decorated request, ready() ahead of events,
// and a handler with a callback.
const fastify = Fastify();
fastify.all('/about', async ({ awsLambda: { event, context } }) =>
  about(event, context));
const proxy = awsLambdaFastify(fastify);
export const fastifyAbout = (event, context, callback) => {
  proxy(event, context, callback);
};
await fastify.ready();

// serverless-http, its advanced options: the same.
const named = serverless(later, { basePath: '/dev', request:
  (request, event, context) => Object.assign(request, { event, context }) });
later.all('/event', ({ event, context }, res) =>
  res.json(about(event, context)));
export const httpStaged = (event, context) => named(event, context);

// middy.js.org, the first example: a parsed body, checked, errors as answers.
const valid = () => ({ before: async ({ event }) => {
  if (!/^\d{12,19}$/.test(event.body?.card?.number)) {
    throw Object.assign(new Error('the card has no number'),
      { statusCode: 400 });
  }
} });
export const middyPayment = middy()
  .use(jsonBodyParser())
  .use(valid())
  .use(errorHandler({ logger: false }))
  .handler(async ({ body: { card, amount } }) => ({
    statusCode: 200,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ paid: amount, card: card.number.slice(-4) }),
  }));
