// OpenAI's own client against a real server. What is asked of the models' text is only that
// it is the same where it must be the same.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import OpenAI from 'openai';
import { findServer } from './server.mjs';

const PATIENCE_MS = 60_000;
const CODE_PROMPT = 'Write a Python function that adds two numbers.';

let server;
let client;
let models; // as /v1/models lists them
let concrete; // the name of a model that answers without routing

const user = (content) => [{ role: 'user', content }];

// A request that gives the same text each time: greedy, of a fixed length.
function fixed(overrides = {}) {
  return {
    model: concrete,
    messages: user(CODE_PROMPT),
    temperature: 0,
    max_tokens: 24,
    ignore_eos: true,
    ...overrides,
  };
}

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

const textOf = (chunks) =>
  chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? chunk.choices[0]?.text ?? '').join('');

// Outside of what the client knows.
const apiKey = process.env.AIO_API_KEY ?? 'unused';
const http = (path, options = {}) =>
  fetch(server.url + path, { headers: { authorization: `Bearer ${apiKey}` }, ...options });

// The sum of a metric's readings over those of its labels that `labels` leaves open.
async function metric(name, labels = '') {
  const text = await (await http('/metrics')).text();
  const lines = text.matchAll(new RegExp(`^${name}\\{.*${labels}.*\\} (\\S+)$`, 'gm'));
  return [...lines].reduce((sum, line) => sum + Number(line[1]), 0);
}

const runningRequests = () => metric('aio_num_requests_running');

// Runs `abort`, which leaves a stream that would go on to the end of the context, and expects
// the server to stop generating it.
async function expectAborted(abort) {
  const gone = () => metric('aio_requests_total', 'code="499"');
  const generated = () => metric('aio_generation_tokens_total');
  const [goneBefore, generatedBefore] = [await gone(), await generated()];
  await abort(fixed({ stream: true, max_tokens: undefined }));
  await eventually(async () => (await gone()) === goneBefore + 1, 'the client was seen to leave');
  await eventually(async () => (await runningRequests()) === 0, 'nothing runs');
  // Tokens are counted at the end of an answer, be it one that nobody heard.
  assert.equal(await generated(), generatedBefore);
}

async function eventually(condition, what) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `not within ${PATIENCE_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function refused(promise, kind, expected) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof kind, `${error}`);
    for (const [name, value] of Object.entries(expected)) assert.equal(error[name], value, name);
    return true;
  });
}

before(async () => {
  server = await findServer();
  client = new OpenAI({
    baseURL: `${server.url}/v1`,
    apiKey,
    maxRetries: 0,
    timeout: PATIENCE_MS,
  });
  await eventually(async () => (await http('/ready')).ok, 'ready');
  models = (await client.models.list()).data;
  concrete = models.find((model) => model.aio.role === 'small')?.id;
  assert.ok(concrete, 'no model of role "small" is listed');
});

after(async () => {
  if (server) assert.equal(await server.stop(), 0, 'exit status after SIGTERM');
});

describe('models', () => {
  test('are listed with what aio knows of them', async () => {
    for (const model of models) {
      assert.equal(model.object, 'model');
      assert.equal(model.owned_by, 'aio');
      assert.equal(typeof model.created, 'number');
      assert.ok('context_length' in model.aio);
    }
    assert.ok(models.some((model) => model.id === 'auto'));
  });

  test('are retrieved by name', async () => {
    assert.deepEqual(await client.models.retrieve(concrete), models.find((m) => m.id === concrete));
    await refused(client.models.retrieve('no-such-model'), OpenAI.NotFoundError, {
      code: 'model_not_found',
    });
  });
});

describe('chat', () => {
  test('answers with usage and timings', async () => {
    const answer = await client.chat.completions.create(fixed());
    assert.equal(answer.object, 'chat.completion');
    assert.equal(answer.model, concrete);
    const [choice] = answer.choices;
    assert.equal(choice.message.role, 'assistant');
    assert.equal(typeof choice.message.content, 'string');
    assert.equal(choice.finish_reason, 'length');
    assert.equal(answer.usage.completion_tokens, 24);
    assert.equal(
      answer.usage.total_tokens,
      answer.usage.prompt_tokens + answer.usage.completion_tokens,
    );
    assert.equal(typeof answer.usage.prompt_tokens_details.cached_tokens, 'number');
    assert.equal(typeof answer.timings.predicted_per_second, 'number');
  });

  test('says in headers and body why it went where it went', async () => {
    const { data, response } = await client.chat.completions
      .create({ model: 'auto', messages: user(CODE_PROMPT), max_tokens: 4 })
      .withResponse();
    const header = (name) => response.headers.get(name);
    assert.ok(header('x-request-id'));
    assert.ok(header('x-aio-model'));
    assert.ok(header('x-aio-reason'));
    assert.equal(header('x-aio-model'), data.aio.model);
    assert.equal(header('x-aio-strategy'), data.aio.strategy);
    assert.equal(header('x-aio-intent'), data.aio.intent);
    assert.ok(Math.abs(Number(header('x-aio-entropy')) - data.aio.entropy) < 1e-3);
    const sum = Object.values(data.aio.probabilities).reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(sum - 1) < 1e-6);
    assert.notEqual(data.model, 'auto');
  });

  test('takes text parts and the developer role', async () => {
    const answer = await client.chat.completions.create(
      fixed({
        messages: [
          { role: 'developer', content: 'Be brief.' },
          { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
        ],
      }),
    );
    assert.equal(answer.choices.length, 1);
  });

  test('keeps the request id it is given', async () => {
    const { response } = await client.chat.completions
      .create(fixed({ max_tokens: 1 }), { headers: { 'x-request-id': 'test-1' } })
      .withResponse();
    assert.equal(response.headers.get('x-request-id'), 'test-1');
  });
});

describe('streams', () => {
  test('have the same text as whole answers', async () => {
    const whole = await client.chat.completions.create(fixed());
    const chunks = await collect(await client.chat.completions.create(fixed({ stream: true })));
    assert.equal(chunks[0].choices[0].delta.role, 'assistant');
    assert.equal(textOf(chunks), whole.choices[0].message.content);
    assert.equal(chunks.at(-1).choices[0].finish_reason, 'length');
    assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
    assert.ok(chunks.every((chunk) => !('usage' in chunk)));
  });

  test('end with the usage when asked', async () => {
    const { data: stream, response } = await client.chat.completions
      .create({
        model: 'auto',
        messages: user(CODE_PROMPT),
        max_tokens: 8,
        stream: true,
        stream_options: { include_usage: true },
      })
      .withResponse();
    assert.match(response.headers.get('content-type'), /^text\/event-stream/);
    const chunks = await collect(stream);
    const usage = chunks.at(-1);
    assert.deepEqual(usage.choices, []);
    const { total_tokens, prompt_tokens, completion_tokens } = usage.usage;
    assert.equal(total_tokens, prompt_tokens + completion_tokens);
    assert.ok(chunks.slice(0, -1).every((chunk) => chunk.usage === null));
    assert.equal(chunks[0].aio.model, response.headers.get('x-aio-model'));
    const { accounting, ...decision } = usage.aio;
    assert.deepEqual(decision, chunks[0].aio);
    assert.equal(accounting.tokens.generated, completion_tokens);
    assert.ok(usage.timings);
  });

  test('carry the decision in the last chunk when no usage was asked for', async () => {
    const chunks = await collect(
      await client.chat.completions.create({
        model: 'auto',
        messages: user(CODE_PROMPT),
        max_tokens: 4,
        stream: true,
      }),
    );
    assert.ok(chunks[0].aio);
    assert.ok(chunks.at(-1).choices[0].finish_reason);
    const { accounting, ...decision } = chunks.at(-1).aio;
    assert.deepEqual(decision, chunks[0].aio);
    assert.equal(accounting.tokens.generated, 4);
  });

  test('may be aborted, and the server goes on', async () => {
    await expectAborted(async (body) => {
      let seen = 0;
      for await (const chunk of await client.chat.completions.create(body)) {
        assert.ok(chunk);
        if (++seen === 3) break; // aborts the request
      }
    });
    const answer = await client.chat.completions.create(fixed());
    assert.equal(answer.usage.completion_tokens, 24);
  });

  test('may be aborted by the controller', async () => {
    await expectAborted(async (body) => {
      const controller = new AbortController();
      const stream = await client.chat.completions.create(body, { signal: controller.signal });
      for await (const chunk of stream) {
        assert.ok(chunk);
        controller.abort();
      }
    });
  });
});

describe('completions', () => {
  test('answer a string', async () => {
    const answer = await client.completions.create({
      model: concrete,
      prompt: 'def add(a, b):',
      temperature: 0,
      ignore_eos: true,
    });
    assert.equal(answer.object, 'text_completion');
    assert.equal(typeof answer.choices[0].text, 'string');
    assert.equal(answer.usage.completion_tokens, 16); // OpenAI's default
  });

  test('answer token ids', async () => {
    const answer = await client.completions.create({
      model: concrete,
      prompt: [1, 2, 3],
      max_tokens: 2,
      ignore_eos: true,
    });
    assert.equal(answer.usage.prompt_tokens >= 3, true);
  });

  test('stream', async () => {
    const body = {
      model: concrete,
      prompt: 'one two three',
      temperature: 0,
      max_tokens: 8,
      ignore_eos: true,
    };
    const whole = await client.completions.create(body);
    const chunks = await collect(await client.completions.create({ ...body, stream: true }));
    assert.equal(textOf(chunks), whole.choices[0].text);
  });
});

describe('log-probabilities', () => {
  test('of chats spell the answer in bytes', async () => {
    const answer = await client.chat.completions.create(fixed({ logprobs: true, top_logprobs: 3 }));
    const { content } = answer.choices[0].logprobs;
    assert.equal(content.length, 24);
    for (const token of content) {
      assert.ok(token.logprob <= 0);
      assert.equal(token.top_logprobs.length, 3);
      assert.equal(token.top_logprobs[0].logprob, token.logprob); // greedy takes the best
    }
    const bytes = Buffer.from(content.flatMap((token) => token.bytes));
    // The last character may be cut by max_tokens.
    const whole = answer.choices[0].message.content.replace(/\uFFFD+$/, '');
    assert.ok(bytes.toString().startsWith(whole));
  });

  test('of completions come in their own shape', async () => {
    const answer = await client.completions.create({
      model: concrete,
      prompt: 'one two three',
      max_tokens: 4,
      logprobs: 2,
      ignore_eos: true,
    });
    const { tokens, token_logprobs, top_logprobs, text_offset } = answer.choices[0].logprobs;
    for (const list of [tokens, token_logprobs, top_logprobs, text_offset]) {
      assert.equal(list.length, 4);
    }
    assert.equal(text_offset[0], 0);
    tokens.forEach((token, i) => assert.ok(token in top_logprobs[i]));
  });

  test('are streamed too', async () => {
    const chunks = await collect(
      await client.chat.completions.create(fixed({ stream: true, logprobs: true })),
    );
    const tokens = chunks.flatMap((chunk) => chunk.choices[0]?.logprobs?.content ?? []);
    assert.equal(tokens.length, 24);
  });
});

describe('sampling', () => {
  const sampled = (overrides) => fixed({ temperature: 1, seed: 42, ...overrides });
  const answer = async (body) =>
    (await client.chat.completions.create(body)).choices[0].message.content;

  test('with a seed repeats itself', async () => {
    assert.equal(await answer(sampled()), await answer(sampled()));
    assert.equal(await answer(sampled({ seed: -7 })), await answer(sampled({ seed: -7 })));
  });

  test('does not depend on the decoding strategy', async () => {
    const plain = await answer(sampled({ aio: { strategy: 'plain' } }));
    const lookup = { kind: 'prompt_lookup', prompt_lookup_max: 3, num_speculative_tokens: 4 };
    assert.equal(await answer(sampled({ aio: { strategy: lookup } })), plain);
  });

  test('ends before a stop string', async () => {
    const whole = await answer(fixed());
    const characters = [...whole];
    const middle = Math.floor(characters.length / 2);
    const stop = characters.slice(middle, middle + 3).join('');
    assert.ok(stop.length > 0);
    const stopped = await client.chat.completions.create(fixed({ stop: ['\u0001never', stop] }));
    assert.equal(stopped.choices[0].message.content, whole.slice(0, whole.indexOf(stop)));
    assert.equal(stopped.choices[0].finish_reason, 'stop');
  });
});

describe('speculation', () => {
  // Long enough for prompt lookup to find what it may copy.
  const asked = (overrides) =>
    client.chat.completions.create(
      fixed({ messages: user(`Repeat: ${'one two three '.repeat(8)}`), ...overrides }),
    );

  test('is chosen by the names of other servers', async () => {
    const plain = await asked({ disable_spec_decode: true });
    assert.equal(plain.aio.strategy, 'plain');
    assert.ok(!('completion_tokens_details' in plain.usage));
    for (const [fields, strategy, number] of [
      [{ prompt_lookup_num_tokens: 5 }, 'prompt_lookup', 5],
      [{ num_speculative_tokens: 3 }, 'auto', 3],
      [{ 'speculative.n_max': 3 }, 'auto', 3],
      [{ speculative: { n_max: 3 } }, 'auto', 3],
      [{ num_speculative_tokens: 3, aio: { strategy: 'prompt_lookup' } }, 'prompt_lookup', 3],
    ]) {
      const answer = await asked(fields);
      assert.equal(answer.aio.strategy, strategy);
      assert.equal(answer.aio.strategy_options.num_speculative_tokens, number);
      assert.equal(answer.choices[0].message.content, plain.choices[0].message.content);
    }
    const off = await asked({ num_speculative_tokens: 0 });
    assert.equal(off.aio.strategy, 'plain');
  });

  test('accounts for what it took', async () => {
    const answer = await asked({ prompt_lookup_num_tokens: 8 });
    const { tokens, accepted_per_step, ms, bytes } = answer.aio.accounting;
    assert.equal(tokens.prompt, answer.usage.prompt_tokens);
    assert.equal(tokens.cached, answer.usage.prompt_tokens_details.cached_tokens);
    assert.equal(tokens.generated, answer.usage.completion_tokens);
    assert.ok(tokens.drafted > 0 && tokens.accepted <= tokens.drafted);
    const details = answer.usage.completion_tokens_details;
    assert.equal(details.accepted_prediction_tokens, tokens.accepted);
    assert.equal(details.rejected_prediction_tokens, tokens.drafted - tokens.accepted);
    assert.equal(answer.timings.draft_n, tokens.drafted);
    assert.equal(answer.timings.draft_n_accepted, tokens.accepted);
    const kept = accepted_per_step.reduce((sum, steps, guesses) => sum + steps * guesses, 0);
    if (accepted_per_step.length > 0) assert.equal(kept, tokens.accepted);
    for (const name of ['queue', 'probe', 'prefill', 'decode']) {
      assert.equal(typeof ms[name], 'number', name);
    }
    if (bytes) assert.equal(bytes.total, bytes.weights + bytes.kv);
    const drafted = await metric(
      'aio_spec_decode_num_draft_tokens_total',
      'strategy="prompt_lookup"',
    );
    assert.ok(drafted >= tokens.drafted);
  });

  test('said in two ways that differ is refused', async () => {
    const bad = (fields, param) => refused(asked(fields), OpenAI.BadRequestError, { param });
    await bad({ disable_spec_decode: true, num_speculative_tokens: 4 }, 'disable_spec_decode');
    await bad(
      { num_speculative_tokens: 4, aio: { strategy: 'plain' } },
      'num_speculative_tokens',
    );
    await bad({ num_speculative_tokens: 17 }, 'num_speculative_tokens');
    await bad({ 'speculative.n_max': '4' }, 'speculative.n_max');
    await bad({ disable_spec_decode: 'yes' }, 'disable_spec_decode');
  });
});

describe('errors', () => {
  const chat = (body) => client.chat.completions.create(body);

  test('name the parameter', async () => {
    const bad = (overrides, param) =>
      refused(chat(fixed(overrides)), OpenAI.BadRequestError, { param });
    await bad({ messages: [] }, 'messages');
    await bad({ temperature: 3 }, 'temperature');
    await bad({ temperature: 'hot' }, 'temperature');
    await bad({ n: 0 }, 'n');
    await bad({ tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools');
    await bad({ response_format: { type: 'xml' } }, 'response_format.type');
    await bad({ aio: { stratgy: 'plain' } }, 'aio.stratgy');
    await bad({ messages: [{ role: 'user', content: null }] }, 'messages[0].content');
    const image = { type: 'image_url', image_url: { url: 'data:' } };
    await bad({ messages: user([image]) }, 'messages[0].content[0].type');
  });

  test('unknown models are not found', async () => {
    await refused(chat(fixed({ model: 'no-such-model' })), OpenAI.NotFoundError, {
      code: 'model_not_found',
    });
    await refused(chat(fixed({ model: 'no-such-model', stream: true })), OpenAI.NotFoundError, {
      status: 404,
    });
  });

  test('prompts beyond the context are refused', async () => {
    const length = models.find((model) => model.id === concrete).aio.context_length;
    const messages = user('word '.repeat(length + 1));
    await refused(chat(fixed({ messages })), OpenAI.BadRequestError, {
      code: 'context_length_exceeded',
    });
  });

  test('broken JSON, unknown paths and methods', async () => {
    const path = '/v1/chat/completions';
    const broken = await http(path, { method: 'POST', body: '{"model": ' });
    assert.equal(broken.status, 400);
    assert.equal((await broken.json()).error.type, 'invalid_request_error');
    assert.equal((await http(path)).status, 405);
    await refused(client.get('/no/such/path'), OpenAI.NotFoundError, { status: 404 });
  });
});

describe('the server', () => {
  test('decides without generating', async () => {
    const decision = await client.post('/decision', {
      body: { model: 'auto', messages: user(CODE_PROMPT) },
    });
    assert.equal(typeof decision.model, 'string');
    assert.equal(typeof decision.reason, 'string');
    assert.ok('intent' in decision && 'entropy' in decision && 'probed' in decision);
  });

  test('answers eight at once as it answers one', async () => {
    const bodies = Array.from({ length: 8 }, (_, i) => fixed({ seed: i, temperature: i % 2 }));
    const text = async (body) =>
      (await client.chat.completions.create(body)).choices[0].message.content;
    const together = await Promise.all(bodies.map(text));
    for (const [i, body] of bodies.entries()) assert.equal(await text(body), together[i]);
    await eventually(async () => (await runningRequests()) === 0, 'nothing runs');
  });

  test('takes feedback and replays what it decided', async (t) => {
    const answer = await client.chat.completions.create(fixed({ model: 'auto' }));
    const feedback = (id, score) => client.post('/feedback', { body: { id, score } });
    if (!server.log) {
      t.skip('whether the running server keeps a log is not known');
      return;
    }
    assert.equal((await feedback(answer._request_id, 0.5)).id, answer._request_id);
    await assert.rejects(feedback('nobody', 1), { status: 404, param: 'id' });
    await assert.rejects(feedback(answer._request_id, 2), { status: 400, param: 'score' });

    const { stdout } = await promisify(execFile)(process.env.AIO_BINARY, [
      'replay',
      server.log,
      '--json',
    ]);
    const report = JSON.parse(stdout);
    assert.equal(report.unreadable_rows, 0);
    assert.equal(report.scored, 1);
    assert.equal(report.checks.length, 1);
    assert.ok(report.checks[0].requests >= 1);
    assert.equal(report.checks[0].same, report.checks[0].requests);
  });

  test('tells its health and metrics', async () => {
    const health = await http('/health');
    assert.deepEqual(await health.json(), { status: 'ok' });
    const metrics = await (await http('/metrics')).text();
    for (const name of [
      'aio_requests_total',
      'aio_num_requests_running',
      'aio_time_to_first_token_seconds_bucket',
      'aio_time_per_output_token_seconds_bucket',
      'aio_routing_latency_seconds_bucket',
      'aio_generation_tokens_total',
      'aio_spec_decode_num_drafts_total',
      'aio_spec_decode_num_draft_tokens_total',
      'aio_spec_decode_num_accepted_tokens_total',
      'aio_weight_bytes_read_total',
    ]) {
      assert.ok(metrics.includes(`\n${name}{`), name);
    }
  });
});
