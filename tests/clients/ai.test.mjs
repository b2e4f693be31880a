// Vercel's AI SDK, by its provider for servers that speak OpenAI's API.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, embedMany, generateText, streamText } from 'ai';
import { PROMPT, SMALL, apiKey, withServer } from './common.mjs';

let aio;
withServer((url) => {
  aio = createOpenAICompatible({ name: 'aio', baseURL: `${url}/v1`, apiKey, includeUsage: true });
});

const fixed = (overrides = {}) => ({
  model: aio(SMALL),
  prompt: PROMPT,
  temperature: 0,
  maxOutputTokens: 24,
  maxRetries: 0,
  ...overrides,
});

describe('ai', () => {
  test('generates text', async () => {
    const { text, usage, response } = await generateText(fixed({ system: 'Be brief.' }));
    assert.ok(text.length > 0);
    assert.equal(usage.totalTokens, usage.inputTokens + usage.outputTokens);
    assert.equal(response.modelId, SMALL);
  });

  test('streams the same text', async () => {
    const whole = await generateText(fixed());
    const result = streamText(fixed());
    let text = '';
    for await (const part of result.textStream) text += part;
    assert.equal(text, whole.text);
    assert.equal(await result.finishReason, whole.finishReason);
    assert.deepEqual((await result.usage).outputTokens, whole.usage.outputTokens);
  });

  test('embeds', async () => {
    const { embeddings, usage } = await embedMany({
      model: aio.textEmbeddingModel(SMALL),
      values: ['a river', 'a town'],
      maxRetries: 0,
    });
    assert.equal(embeddings.length, 2);
    assert.ok(usage.tokens > 0);
  });

  test('raises errors with their message', async () => {
    await assert.rejects(generateText(fixed({ model: aio('no-such-model') })), (error) => {
      assert.ok(APICallError.isInstance(error), `${error}`);
      assert.equal(error.statusCode, 404);
      assert.ok(error.message.includes('no-such-model'), error.message);
      return true;
    });
    await assert.rejects(generateText(fixed({ temperature: 3 })), /'temperature'/);
  });
});
