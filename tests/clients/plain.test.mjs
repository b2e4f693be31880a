// What llama-server's and vLLM's users ask over plain HTTP.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SMALL, apiKey, withServer } from './common.mjs';

let url;
withServer((found) => {
  url = found;
});

const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
async function post(path, body) {
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, ...(await response.json()) };
}
const get = async (path) => (await fetch(url + path, { headers })).json();

const messages = [{ role: 'user', content: 'Hello <|im_end|>' }];

describe('the tokenizer', () => {
  test('goes both ways', async () => {
    const content = 'Grüße, 世界! <|im_end|>';
    const { tokens, count } = await post('/tokenize', { content });
    assert.equal(tokens.length, count);
    assert.equal((await post('/detokenize', { tokens })).content, content);
    const { tokens: pieces } = await post('/tokenize', { content, with_pieces: true });
    assert.deepEqual(
      pieces.map((token) => token.id),
      tokens,
    );
    const bytes = pieces.flatMap(({ piece }) =>
      typeof piece === 'string' ? [...Buffer.from(piece)] : piece,
    );
    assert.equal(Buffer.from(bytes).toString(), content);
    const plain = await post('/tokenize', { content: '<|im_end|>', parse_special: false });
    assert.ok(plain.count > 1);
  });

  test('speaks as vLLM does', async () => {
    const answer = await post('/tokenize', {
      model: SMALL,
      prompt: 'Hello',
      return_token_strs: true,
    });
    assert.equal(answer.token_strs.join(''), 'Hello');
    assert.ok(answer.max_model_len > 0);
    const chat = await post('/tokenize', { model: 'auto', messages });
    const counted = await post('/v1/messages/count_tokens', { model: SMALL, messages });
    assert.equal(chat.count, counted.input_tokens);
    assert.equal(chat.model, SMALL);
  });

  test('renders templates as prompts are', async () => {
    const { prompt } = await post('/apply-template', { messages });
    assert.ok(prompt.includes('Hello'));
    const without = await post('/apply-template', { messages, add_generation_prompt: false });
    assert.ok(prompt.startsWith(without.prompt) && prompt.length > without.prompt.length);
  });

  test('refuses by name', async () => {
    for (const [path, body, param] of [
      ['/tokenize', {}, 'content'],
      ['/detokenize', { tokens: [1e9] }, 'tokens[0]'],
      ['/apply-template', { messages: [] }, 'messages'],
    ]) {
      const { status, error } = await post(path, body);
      assert.equal(status, 400);
      assert.equal(error.param, param);
    }
  });
});

describe('the server', () => {
  test('tells its properties', async () => {
    const props = await get('/props');
    assert.equal(props.model_alias, SMALL);
    assert.ok(props.default_generation_settings.n_ctx > 0);
    assert.ok(props.chat_template.length > 0);
    const large = await get('/props?model=large');
    assert.notEqual(large.model_alias, SMALL);
  });

  test('tells its slots', async () => {
    const slots = await get(`/slots?model=${SMALL}`);
    const { total_slots } = await get('/props');
    assert.equal(slots.length, total_slots);
    assert.ok(slots.every((slot) => slot.is_processing === false));
  });
});
