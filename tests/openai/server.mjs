// Finds the server under test: AIO_BASE_URL names a running one, else the binary AIO_BINARY is
// started as `aio serve --port 0` (with AIO_SERVE_ARGS, split at spaces, added) with a decision
// log of its own, and the port is read from its output.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 10_000;

async function startBinary(binary, log) {
  const extra = (process.env.AIO_SERVE_ARGS ?? '').split(' ').filter((arg) => arg !== '');
  const child = spawn(binary, ['serve', '--port', '0', '--decision-log', log, ...extra], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${binary} did not say where it listens`)),
      START_TIMEOUT_MS,
    );
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${binary} exited with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /listening on (http:\/\/\S+)/.exec(line);
      if (!found) return;
      clearTimeout(timer);
      resolve(found[1]);
    });
  });
  return { url, child };
}

// SIGTERM asks the server to drain; resolves with its exit status.
function stopBinary(child) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error('the server did not stop on SIGTERM'));
    }, STOP_TIMEOUT_MS);
    child.removeAllListeners('exit');
    child.once('exit', (code) => {
      clearTimeout(timer);
      resolve(code);
    });
    child.kill('SIGTERM');
  });
}

export async function findServer() {
  if (process.env.AIO_BASE_URL) {
    const url = process.env.AIO_BASE_URL.replace(/\/+$/, '').replace(/\/v1$/, '');
    return { url, stop: async () => 0 };
  }
  if (!process.env.AIO_BINARY) {
    throw new Error('set AIO_BASE_URL to a running server or AIO_BINARY to the program `aio`');
  }
  const folder = mkdtempSync(join(tmpdir(), 'aio-openai-'));
  const log = join(folder, 'decisions.db');
  const { url, child } = await startBinary(process.env.AIO_BINARY, log);
  const stop = () => stopBinary(child).finally(() => rmSync(folder, { recursive: true }));
  return { url, log, stop };
}
