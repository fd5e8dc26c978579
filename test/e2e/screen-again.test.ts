import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Flag } from "../../src/core/flag.ts";
import { writeObservation } from "../../src/core/observation.ts";
import { freePort, type Running, startAssay, until } from "../support/assay.ts";
import { shareOf } from "../support/shares.ts";

const WALLET = "12QtD5BFwRsdNsAZY76UVE1xyCGNTojH9h";
const OTHER = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT";
/** So many that one entry less is no shrinking list. */
const FILLER = Array.from({ length: 40 }, (_, index) => `filler-${index}`);
let place: string;
let running: Running | undefined;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "assay-screen-again-"));
});
afterEach(async () => {
  if (running?.child.exitCode === null && running.child.signalCode === null) await running.kill();
  rmSync(place, { recursive: true });
});

test.each(["killed", "ended"] as const)(
  "a service that was %s screens again what changed while it did not run",
  async (how) => {
    const port = await freePort();
    const write = (name: string, content: string) => {
      writeFileSync(join(place, `${name}.new`), content);
      renameSync(join(place, `${name}.new`), join(place, name));
    };
    const list = (...addresses: string[]) => write("ours.txt", [...FILLER, ...addresses].join("\n"));
    const tiers = (tier: string) =>
      write(
        "tiers.json",
        JSON.stringify({ name: "tiers", version: "1", tiers: [{ place: "DE", tier, source: "test" }] }),
      );
    list(WALLET);
    tiers("watch");
    write(
      "assay.yaml",
      `data: { directory: ${join(place, "data")} }
http: { port: ${port} }
store: { checkpointSeconds: 0.1 }
origin: { tiers: tiers.json }
screening: { lists: [{ name: ours, file: ours.txt, format: text }] }
`,
    );
    const start = async () => {
      running = startAssay(["run", "--config", join(place, "assay.yaml")]);
      await running.said("listening");
    };
    const stop = () => (how === "killed" ? running?.kill() : running?.end());
    const flagsOf = async (account: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/flags?text=${account}`);
      return ((await answer.json()) as { flags: Flag[] }).flags;
    };
    const codes = async (account: string) =>
      (await flagsOf(account)).flatMap(({ reasons }) => reasons.map(({ code }) => code)).sort();
    /** Waits until an account has exactly these reasons. */
    const settled = (account: string, ...wanted: string[]) =>
      until(async () => ((await codes(account)).join() === wanted.join() ? true : undefined));

    await start();
    const atMs = Date.now();
    const payout = (account: string, address: string) => ({
      type: "payout" as const,
      atMs: atMs + 1,
      pool: "pool",
      coin: "BTC",
      account,
      address,
      amount: 0.1,
    });
    const observations = [
      shareOf({ atMs, account: "ann", ip: "5.9.1.1" }),
      shareOf({ atMs, account: "ben", ip: "5.9.1.2" }),
      payout("ann", WALLET),
      payout("ben", OTHER),
    ];
    const sent = await fetch(`http://127.0.0.1:${port}/api/v1/observations`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: observations.map(writeObservation).join("\n"),
    });
    expect(sent.status).toBe(200);
    await settled("ann", "SCREENING_ADDRESS");
    await stop();

    // One address goes, another comes; the tier of everybody's country becomes comprehensive.
    list(OTHER);
    tiers("comprehensive");
    await start();
    await settled("ann", "SCREENING_ADDRESS", "SCREENING_GROUND_GONE", "SCREENING_ORIGIN");
    await settled("ben", "SCREENING_ADDRESS", "SCREENING_ORIGIN");
    await stop();

    tiers("watch");
    await start();
    await until(async () => {
      const [flag] = await flagsOf("ben");
      const gone = flag?.reasons.find(({ code }) => code === "SCREENING_GROUND_GONE");
      return gone?.text.startsWith("5.9.1.2 no longer meets DE of tiers") ? true : undefined;
    });
    expect(await running?.end()).toBe(0);
  },
  90_000,
);
