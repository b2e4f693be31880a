// OpenAI's own client: what tests/openai does not ask. Responses, embeddings, several choices.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import OpenAI from 'openai';
import { PROMPT, SMALL, clientOptions, collect, refused, withServer } from './common.mjs';

let client;
withServer((url) => {
  client = new OpenAI({ ...clientOptions, baseURL: `${url}/v1` });
});

const messages = [{ role: 'user', content: PROMPT }];
const bad = (promise, param) => refused(promise, OpenAI.BadRequestError, { param });

describe('responses', () => {
  const fixed = (overrides = {}) => ({
    model: SMALL,
    input: PROMPT,
    temperature: 0,
    max_output_tokens: 24,
    ...overrides,
  });

  test('answer a text', async () => {
    const response = await client.responses.create(fixed({ metadata: { purpose: 'test' } }));
    assert.equal(response.object, 'response');
    assert.equal(response.model, SMALL);
    assert.ok(response.output_text.length > 0);
    assert.deepEqual(response.metadata, { purpose: 'test' });
    assert.equal(response.store, false);
    const { input_tokens, output_tokens, total_tokens } = response.usage;
    assert.equal(total_tokens, input_tokens + output_tokens);
  });

  test('answer as chats do', async () => {
    const chat = await client.chat.completions.create({
      model: SMALL,
      messages: [{ role: 'system', content: 'Be brief.' }, ...messages],
      temperature: 0,
      max_tokens: 24,
    });
    const response = await client.responses.create(
      fixed({
        instructions: 'Be brief.',
        input: [{ role: 'user', content: [{ type: 'input_text', text: PROMPT }] }],
      }),
    );
    assert.equal(response.output_text, chat.choices[0].message.content);
    assert.equal(response.usage.input_tokens, chat.usage.prompt_tokens);
  });

  test('say that they are cut off', async () => {
    const response = await client.responses.create(
      fixed({ max_output_tokens: 2, ignore_eos: true }),
    );
    assert.equal(response.status, 'incomplete');
    assert.equal(response.incomplete_details.reason, 'max_output_tokens');
  });

  test('are routed', async () => {
    const { data, response } = await client.responses
      .create(fixed({ model: 'auto', max_output_tokens: 4 }))
      .withResponse();
    assert.notEqual(data.model, 'auto');
    assert.equal(data.aio.model, data.model);
    assert.equal(response.headers.get('x-aio-model'), data.model);
  });

  test('stream the same text', async () => {
    const whole = await client.responses.create(fixed());
    const events = await collect(await client.responses.create(fixed({ stream: true })));
    assert.equal(events[0].type, 'response.created');
    assert.deepEqual(
      events.map((event) => event.sequence_number),
      events.map((_, i) => i),
    );
    const deltas = events.filter((event) => event.type === 'response.output_text.delta');
    assert.equal(deltas.map((event) => event.delta).join(''), whole.output_text);
    const last = events.at(-1);
    assert.equal(last.type, `response.${whole.status}`);
    assert.equal(last.response.output[0].content[0].text, whole.output_text);
    assert.equal(last.response.usage.output_tokens, whole.usage.output_tokens);
  });

  test('are put together by the stream helper', async () => {
    const whole = await client.responses.create(fixed());
    const stream = client.responses.stream(fixed());
    assert.equal((await stream.finalResponse()).output_text, whole.output_text);
  });

  test('have log-probabilities when asked', async () => {
    const response = await client.responses.create(
      fixed({ include: ['message.output_text.logprobs'], top_logprobs: 2, max_output_tokens: 3 }),
    );
    const { logprobs } = response.output[0].content[0];
    assert.ok(logprobs.length > 0 && logprobs.length <= 3);
    assert.equal(logprobs[0].top_logprobs.length, 2);
  });

  test('refuse what is not kept or not supported, by name', async () => {
    const create = (overrides) => client.responses.create(fixed(overrides));
    await bad(create({ store: true }), 'store');
    await bad(create({ previous_response_id: 'resp_1' }), 'previous_response_id');
    await bad(create({ tools: [{ type: 'web_search' }] }), 'tools[0].type');
    await bad(create({ text: { format: { type: 'xml' } } }), 'text.format.type');
    await bad(create({ max_tokens: 3 }), 'max_tokens');
    await bad(create({ input: [] }), 'input');
    await bad(create({ input: 'word '.repeat(20_000) }), 'input');
    await refused(create({ model: 'no-such-model' }), OpenAI.NotFoundError, {
      code: 'model_not_found',
    });
    await refused(client.responses.retrieve('resp_1'), OpenAI.NotFoundError, { status: 404 });
  });
});

describe('embeddings', () => {
  const embed = (input, overrides = {}) =>
    client.embeddings.create({ model: SMALL, input, ...overrides });
  const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

  test('have length one and do not depend on their form', async () => {
    const [asBase64] = (await embed('a river')).data; // the client's own choice
    const [asFloats] = (await embed('a river', { encoding_format: 'float' })).data;
    assert.equal(asBase64.embedding.length, asFloats.embedding.length);
    assert.ok(Math.abs(dot(asBase64.embedding, asBase64.embedding) - 1) < 1e-5);
    for (const [i, value] of asFloats.embedding.entries()) {
      assert.equal(Math.fround(value), asBase64.embedding[i]);
    }
  });

  test('come in batches, each as it is alone', async () => {
    const texts = Array.from({ length: 40 }, (_, i) => `text number ${i % 7}`);
    const batch = await embed(texts);
    assert.deepEqual(
      batch.data.map((one) => one.index),
      texts.map((_, i) => i),
    );
    const alone = await embed(texts[3]);
    assert.deepEqual(batch.data[3].embedding, alone.data[0].embedding);
    assert.deepEqual(batch.data[10].embedding, alone.data[0].embedding);
    assert.equal(batch.usage.total_tokens, batch.usage.prompt_tokens);
    assert.ok(batch.usage.prompt_tokens > texts.length);
  });

  test('tell texts apart', async () => {
    const { data } = await embed([PROMPT, 'Write a Python function that adds three numbers.', 'Elsby']);
    const [adds, alsoAdds, town] = data.map((one) => one.embedding);
    assert.ok(dot(adds, alsoAdds) > dot(adds, town));
  });

  test('are refused by name', async () => {
    await bad(embed(''), 'input');
    await bad(embed(['a', '']), 'input[1]');
    await bad(embed('a', { dimensions: 8 }), 'dimensions');
    await bad(embed('word '.repeat(20_000)), 'input');
    await refused(embed('a', { model: 'no-such-model' }), OpenAI.NotFoundError, {
      code: 'model_not_found',
    });
  });
});

describe('several choices', () => {
  const ask = (overrides) =>
    client.chat.completions.create({
      model: SMALL,
      messages,
      max_tokens: 12,
      temperature: 1,
      seed: 5,
      ignore_eos: true,
      ...overrides,
    });

  test('are those of the seeds that follow', async () => {
    const together = await ask({ n: 3 });
    assert.deepEqual(
      together.choices.map((choice) => choice.index),
      [0, 1, 2],
    );
    assert.equal(together.usage.completion_tokens, 36);
    for (const [i, choice] of together.choices.entries()) {
      const alone = await ask({ seed: 5 + i });
      assert.equal(choice.message.content, alone.choices[0].message.content);
      assert.equal(together.usage.prompt_tokens, alone.usage.prompt_tokens);
    }
  });

  test('stream interleaved', async () => {
    const whole = await ask({ n: 3, model: 'auto' });
    const chunks = await collect(
      await ask({ n: 3, model: 'auto', stream: true, stream_options: { include_usage: true } }),
    );
    const texts = ['', '', ''];
    for (const { choices } of chunks) {
      for (const { index, delta } of choices) texts[index] += delta.content ?? '';
    }
    assert.deepEqual(
      texts,
      whole.choices.map((choice) => choice.message.content),
    );
    const ends = chunks.flatMap(({ choices }) => choices.filter((c) => c.finish_reason));
    assert.deepEqual(ends.map((end) => end.index).sort(), [0, 1, 2]);
    assert.equal(chunks.at(-1).usage.completion_tokens, 36);
  });

  test('have log-probabilities of their own', async () => {
    const { choices } = await ask({ n: 2, logprobs: true, top_logprobs: 1 });
    for (const choice of choices) assert.equal(choice.logprobs.content.length, 12);
  });

  test('of completions too', async () => {
    const answer = await client.completions.create({
      model: SMALL,
      prompt: 'def add(a, b):',
      n: 2,
      best_of: 2,
      max_tokens: 4,
    });
    assert.equal(answer.choices.length, 2);
    const create = (overrides) => client.completions.create({ model: SMALL, prompt: 'x', ...overrides });
    await bad(create({ best_of: 2 }), 'best_of');
    await bad(create({ n: 1000 }), 'n');
    await bad(create({ echo: true }), 'echo');
    await bad(create({ suffix: 'end' }), 'suffix');
  });
});
