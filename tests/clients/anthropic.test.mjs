// Anthropic's own client.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { PROMPT, SMALL, clientOptions, collect, refused, withServer } from './common.mjs';

let client;
withServer((url) => {
  client = new Anthropic({ ...clientOptions, baseURL: url });
});

const fixed = (overrides = {}) => ({
  model: SMALL,
  max_tokens: 24,
  temperature: 0,
  messages: [{ role: 'user', content: PROMPT }],
  ...overrides,
});

describe('messages', () => {
  test('are answered', async () => {
    const message = await client.messages.create(fixed());
    assert.equal(message.type, 'message');
    assert.equal(message.role, 'assistant');
    assert.equal(message.model, SMALL);
    assert.equal(message.content.length, 1);
    assert.ok(message.content[0].text.length > 0);
    assert.ok(['end_turn', 'max_tokens'].includes(message.stop_reason));
    assert.ok(message.usage.output_tokens > 0);
    assert.ok(message._request_id);
  });

  test('take a system prompt and blocks', async () => {
    const blocks = await client.messages.create(
      fixed({
        system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
        messages: [{ role: 'user', content: [{ type: 'text', text: PROMPT }] }],
      }),
    );
    const plain = await client.messages.create(fixed({ system: 'Be brief.' }));
    assert.equal(blocks.content[0].text, plain.content[0].text);
    // The second time the prompt's KV was there.
    assert.ok(plain.usage.cache_read_input_tokens > 0);
    const prompt = ({ input_tokens, cache_read_input_tokens }) =>
      input_tokens + cache_read_input_tokens;
    assert.equal(prompt(plain.usage), prompt(blocks.usage));
  });

  test('say why they ended', async () => {
    const whole = await client.messages.create(fixed());
    const { text } = whole.content[0];
    const stop = text.slice(3, 6);
    const stopped = await client.messages.create(fixed({ stop_sequences: [stop] }));
    assert.equal(stopped.stop_reason, 'stop_sequence');
    assert.equal(stopped.stop_sequence, stop);
    assert.equal(stopped.content[0].text, text.slice(0, text.indexOf(stop)));
    const cut = await client.messages.create(fixed({ max_tokens: 2 }));
    assert.equal(cut.stop_reason, 'max_tokens');
    assert.equal(cut.stop_sequence, null);
  });

  test('are routed', async () => {
    const message = await client.messages.create(fixed({ model: 'auto', max_tokens: 4 }));
    assert.notEqual(message.model, 'auto');
    assert.equal(message.aio.model, message.model);
  });

  test('stream the same text', async () => {
    const whole = await client.messages.create(fixed());
    const events = await collect(await client.messages.create(fixed({ stream: true })));
    const types = events.map((event) => event.type).filter((type) => type !== 'content_block_delta');
    assert.deepEqual(types, [
      'message_start',
      'content_block_start',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]); // the client keeps the ping to itself
    const stream = client.messages.stream(fixed());
    const final = await stream.finalMessage();
    assert.equal(final.content[0].text, whole.content[0].text);
    assert.equal(final.stop_reason, whole.stop_reason);
    assert.equal(final.usage.output_tokens, whole.usage.output_tokens);
  });
});

describe('tokens', () => {
  test('are counted as they are used', async () => {
    const { max_tokens, temperature, ...question } = fixed({ system: 'Be brief.' });
    const { input_tokens } = await client.messages.countTokens(question);
    const { usage } = await client.messages.create({ ...question, max_tokens: 1 });
    assert.equal(input_tokens, usage.input_tokens + usage.cache_read_input_tokens);
  });
});

describe('errors', () => {
  const create = (overrides) => client.messages.create(fixed(overrides));
  const bad = async (promise, field) =>
    assert.rejects(promise, (error) => {
      assert.ok(error instanceof Anthropic.BadRequestError, `${error}`);
      assert.equal(error.error.type, 'error');
      assert.equal(error.error.error.type, 'invalid_request_error');
      assert.ok(error.error.error.message.includes(`'${field}'`), error.message);
      assert.ok(error.requestID);
      return true;
    });

  test('name the field', async () => {
    await bad(create({ max_tokens: undefined }), 'max_tokens');
    await bad(create({ messages: [] }), 'messages');
    await bad(create({ temperature: 3 }), 'temperature');
    await bad(create({ tools: [{ name: 'f', input_schema: { type: 'object' } }] }), 'tools');
    await bad(create({ thinking: { type: 'enabled', budget_tokens: 1024 } }), 'thinking');
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: '' } };
    await bad(create({ messages: [{ role: 'user', content: [image] }] }), 'messages[0].content[0].type');
    const prefill = { role: 'assistant', content: 'def' };
    await bad(create({ messages: [...fixed().messages, prefill] }), 'messages[1].role');
  });

  test('unknown models are not found', async () => {
    await refused(create({ model: 'no-such-model' }), Anthropic.NotFoundError, { status: 404 });
    await refused(create({ model: 'no-such-model', stream: true }), Anthropic.NotFoundError, {
      status: 404,
    });
  });

  test('prompts beyond the context are refused', async () => {
    const messages = [{ role: 'user', content: 'word '.repeat(20_000) }];
    await refused(create({ messages }), Anthropic.BadRequestError, { status: 400 });
  });
});
