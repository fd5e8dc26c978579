import { setTimeout as timer } from "node:timers/promises";
import { deliver } from "../../src/deliver/deliver.ts";
import { webhook } from "../../src/deliver/webhook.ts";
import { openOps } from "../../src/store/ops-sqlite.ts";

/** A child process that delivers to destination `x` until it is killed. */
const [file, url] = process.argv.slice(2);
if (!file || !url) throw new Error("which file, and where to?");
const ops = await openOps({ file });
const secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"];
await deliver({
  ops,
  destinations: [webhook({ name: "x", url, secrets, allowPrivate: true })],
  now: Date.now,
  sleep: (delayMs, signal) => timer(delayMs, undefined, { signal }).catch(() => {}),
  random: Math.random,
  log: () => {},
})(new AbortController().signal);
