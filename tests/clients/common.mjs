// What the clients' tests share: one server a file, and what is asked of it.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { findServer } from './server.mjs';

export const PROMPT = 'Write a Python function that adds two numbers.';
export const SMALL = 'pocket-small';
export const apiKey = process.env.AIO_API_KEY ?? 'unused';
const PATIENCE_MS = 60_000;

// Starts the server before the file's tests and stops it after them; `connect` gets its URL.
export function withServer(connect) {
  let server;
  before(async () => {
    server = await findServer();
    await connect(server.url);
  });
  after(async () => {
    if (server) assert.equal(await server.stop(), 0, 'exit status after SIGTERM');
  });
}

export const clientOptions = { apiKey, maxRetries: 0, timeout: PATIENCE_MS };

export async function collect(stream) {
  const all = [];
  for await (const one of stream) all.push(one);
  return all;
}

// `promise` fails as a `kind` with these members.
export async function refused(promise, kind, expected) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof kind, `${error}`);
    for (const [name, value] of Object.entries(expected)) assert.equal(error[name], value, name);
    return true;
  });
}
