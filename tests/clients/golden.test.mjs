// Streams that call tools, byte for byte as the encoders' own tests have them: the clients must make
// of them what was meant. (The bundled models call no tools.)
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { clientOptions } from './common.mjs';

const golden = (name) => readFileSync(`${process.env.AIO_GOLDEN}/${name}`);

let server;
let url;
before(async () => {
  server = createServer((request, response) => {
    const name = request.url.endsWith('/responses') ? 'response' : 'message';
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(golden(`${name}_tool_events.txt`));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());

test('Anthropic: text, then two calls', async () => {
  const client = new Anthropic({ ...clientOptions, baseURL: url });
  const stream = client.messages.stream({
    model: 'auto',
    max_tokens: 9,
    messages: [{ role: 'user', content: 'x' }],
  });
  const message = await stream.finalMessage();
  assert.equal(message.stop_reason, 'tool_use');
  assert.deepEqual(
    message.content.map(({ type, text, id, name, input }) => ({ type, text, id, name, input })),
    [
      { type: 'text', text: 'Hm', id: undefined, name: undefined, input: undefined },
      { type: 'tool_use', text: undefined, id: '1', name: 'f', input: { a: 1 } },
      { type: 'tool_use', text: undefined, id: '2', name: 'g', input: {} },
    ],
  );
});

test('OpenAI responses: text, then two calls', async () => {
  const client = new OpenAI({ ...clientOptions, baseURL: `${url}/v1` });
  const stream = client.responses.stream({ model: 'auto', input: 'x' });
  const deltas = [];
  stream.on('response.function_call_arguments.delta', (event) => deltas.push(event.delta));
  const response = await stream.finalResponse();
  assert.deepEqual(deltas, ['{"a":1}', '{}']);
  assert.equal(response.output_text, 'Hm');
  assert.deepEqual(
    response.output.map(({ type, call_id, name }) => ({ type, call_id, name })),
    [
      { type: 'message', call_id: undefined, name: undefined },
      { type: 'function_call', call_id: '1', name: 'f' },
      { type: 'function_call', call_id: '2', name: 'g' },
    ],
  );
});
