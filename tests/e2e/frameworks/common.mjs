// What the applications share: data, and a recorder of events and results.
import { appendFileSync } from 'node:fs';
import { createHash } from 'node:crypto';

// The smallest PNG: one transparent pixel.
export const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA' +
  '60e6kgAAAABJRU5ErkJggg==', 'base64');

// Every byte value, and pairs that are no UTF-8.
export const bytes = Buffer.from(
  Array.from({ length: 512 }, (_, n) => (n < 256 ? n : 511 - n)));

export const large = 'a line of text, 32 bytes long.\r\n'.repeat(8192);

export const html = '<!doctype html>\n<p>caf\u00e9 \u20ac \u{1f600}</p>\n';

export const digest = (data) =>
  createHash('sha256').update(data).digest('hex');

/** Headers that the client sent and every server passes on. */
export const shown = (get) => Object.fromEntries(
  ['accept-language', 'authorization', 'content-type', 'user-agent', 'x-empty',
    'x-list', 'x-text'].map((name) => [name, get(name) ?? null]));

/**
 * The handler, and one line in $RECORD for each event and its result.
 * Frameworks change events, so the line is made before they see them.
 */
export const recorded = (handler) => async (event, context) => {
  const entry = { event: structuredClone(event) };
  try {
    entry.result = await handler(event, context);
    return entry.result;
  } catch (error) {
    entry.error = String(error);
    throw error;
  } finally {
    if (process.env.RECORD) {
      appendFileSync(process.env.RECORD, JSON.stringify(entry) + '\n');
    }
  }
};

/** Run by hand, an application serves itself and says where. */
export const isMain = (url) =>
  process.argv[1] && url.endsWith('/' + process.argv[1].split('/').pop());

export const listening = (port) => console.log('listening ' + port);
