// Streaming doors: functions that write as they go.  Only a client that has
// awslambda.streamifyResponse() can load this.
import middy from '@middy/core';
import headerNormalizer from '@middy/http-header-normalizer';
import { appendFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { streamHandle } from 'hono/aws-lambda';
import app from './hono.mjs';

// As recorded() of common.mjs; the result is what goes ahead of the body, and
// the line is written before it does.
let event = null;
const { from } = awslambda.HttpResponseStream;
awslambda.HttpResponseStream.from = (stream, result) => {
  if (process.env.RECORD) {
    appendFileSync(process.env.RECORD,
      JSON.stringify({ event, result }) + '\n');
  }
  return from(stream, result);
};
const recorded = (handler) => awslambda.streamifyResponse(
  (received, stream, context) => {
    event = structuredClone(received);
    return handler(received, stream, context);
  });

export const hono = recorded(streamHandle(app));

// Middy hands a body on that is a stream.
export const stream = middy({ streamifyResponse: true })
  .use(headerNormalizer())
  .handler(async (event) => ({
    statusCode: 203,
    headers: { 'Content-Type': 'text/plain',
      'X-Agent': event.headers['user-agent'] },
    body: Readable.from((async function* pieces() {
      for (const piece of ['one ', 'two ', 'three']) {
        yield piece;
        await new Promise((done) => { setTimeout(done, 40); });
      }
    })()),
  }));
