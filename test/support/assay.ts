import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";

const MAIN = join(import.meta.dirname, "../../src/main.ts");

/** What a finished command left. */
export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `assay …` to its end, under the runtime that runs the tests. */
export async function assay(
  args: readonly string[],
  options: { cwd?: string; input?: string } = {},
): Promise<Finished> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: options.cwd,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk) => out.push(chunk));
  child.stderr.on("data", (chunk) => err.push(chunk));
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
}

/** A running `assay …`: its output so far, and ways to end it. */
export interface Running {
  child: ChildProcess;
  output(): string;
  /** Resolves when the output holds `text`; rejects when the process ends first. */
  said(text: string): Promise<void>;
  /** SIGKILL, as a power cut would. */
  kill(): Promise<void>;
  /** SIGTERM; answers the exit code. */
  end(): Promise<number | null>;
}

/** Starts `assay …` and leaves it running. Whoever starts it ends it. */
export function startAssay(args: readonly string[], options: { cwd?: string } = {}): Running {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: options.cwd,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const listeners = new Set<() => void>();
  const take = (chunk: Buffer) => {
    output += chunk;
    for (const listener of listeners) listener();
  };
  child.stdout?.on("data", take);
  child.stderr?.on("data", take);
  const closed = once(child, "close");
  return {
    child,
    output: () => output,
    said(text) {
      return new Promise((resolve, reject) => {
        const look = () => {
          if (!output.includes(text)) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        closed.then(() => reject(new Error(`assay ended without saying "${text}":\n${output}`)));
        look();
      });
    },
    async kill() {
      child.kill("SIGKILL");
      await closed;
    },
    async end() {
      child.kill("SIGTERM");
      const [code] = (await closed) as [number | null];
      return code;
    },
  };
}

/** A port nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** Asks `ready` again and again until it answers something, at most for `deadlineMs`. */
export async function until<T>(
  ready: () => Promise<T | undefined> | T | undefined,
  deadlineMs = 30_000,
): Promise<T> {
  const endMs = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ready();
    if (answer !== undefined) return answer;
    if (Date.now() > endMs) throw new Error(`not within ${deadlineMs} ms: ${ready}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
