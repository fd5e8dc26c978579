import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createReview } from "../src/review/api.ts";
import { opsCalls } from "../src/store/ops-calls.ts";
import { openOps } from "../src/store/ops-sqlite.ts";
import { flagTable } from "../src/store/ops-tables.ts";
import { closeBrowser, openBrowser } from "../test/e2e/browser.ts";
import { buildConsole } from "../test/e2e/build.ts";
import { SEED_DATA, SEED_HEALTH, seedEvidence, seedFlag, seedMetrics } from "../test/review/seed.ts";
import type { Figure } from "./figure.ts";

const FLAGS = 100_000;
const STATES = ["open", "closed", "closed", "closed", "investigating"] as const;
const ROUNDS = 7;
const CHROMIUM = "/usr/bin/chromium";

/** What the queue asks for while somebody works: pages, filters, search, order, and single flags. */
const QUERIES = [
  "/flags?state=open&view=summary&limit=50",
  "/flags?state=open&severity=critical&view=summary&limit=50",
  "/flags?state=closed&typology=relay&view=summary&limit=50",
  "/flags?text=quartz&view=summary&limit=50",
  "/flags?state=open&order=score&view=summary&limit=50",
  "/flags?pool=pool-eu&kind=anomaly&limit=50",
  "/flags/flag_50000",
];

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const p99 = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1] ?? Number.NaN;

/** Fills the store's own tables in one transaction: one durable transaction a flag would take minutes and measure nothing here. */
function fill(file: string, nowMs: number): void {
  const db = new DatabaseSync(file);
  try {
    opsCalls(db);
    const flags = flagTable(db);
    db.exec("BEGIN");
    for (let index = 0; index < FLAGS; index += 1) {
      const state = STATES[index % STATES.length] ?? "open";
      const updatedAt = new Date(nowMs - index * 30_000).toISOString();
      const seed = seedFlag(index, nowMs);
      const flag = { ...seed, account: `${seed.account}-${index}`, state, updatedAt, openedAt: updatedAt };
      const told = { severity: flag.severity, families: flag.families };
      flags.put({ flag, seenMs: nowMs - index * 30_000, told, revision: 1 }, seedEvidence(index, nowMs));
    }
    db.exec("COMMIT");
  } finally {
    db.close();
  }
}

/** Times the queue over 100,000 flags in the real operations store, seen from HTTP and from a browser. */
export async function* run(): AsyncGenerator<Figure> {
  const directory = await mkdtemp(join(tmpdir(), "assay-bench-api-"));
  const nowMs = Date.now();
  const file = join(directory, "ops.sqlite");
  fill(file, nowMs);
  const ops = await openOps({ file });
  const ending = new AbortController();
  const review = createReview({
    ops,
    metrics: { query: seedMetrics },
    health: () => SEED_HEALTH,
    metricsText: async () => "",
    ingest: (_request, response) => void response.end(),
    demo: true,
    users: [],
    version: "bench",
    dataNotices: () => SEED_DATA,
    consoleDirectory: await buildConsole(),
    now: Date.now,
    log: () => {},
  });
  const { promise: listening, resolve } = Promise.withResolvers<AddressInfo>();
  const served = review.serve("127.0.0.1", 0, resolve)(ending.signal);
  try {
    const { port } = await listening;
    const url = `http://127.0.0.1:${port}`;
    yield { figure: "api.p99_ms", value: p99(await timeRequests(url)), unit: "ms" };
    if (!existsSync(CHROMIUM)) throw new Error(`bench api: ${CHROMIUM} is not installed`);
    yield* timeBrowser(url);
  } finally {
    await closeBrowser();
    ending.abort();
    await served;
    await ops.close();
    await rm(directory, { recursive: true });
  }
}

/** Four clients at a time, 560 requests; the first round warms up and is left out. */
async function timeRequests(url: string): Promise<number[]> {
  const times: number[] = [];
  const client = async () => {
    for (let round = 0; round <= 20; round += 1) {
      for (const query of QUERIES) {
        const start = performance.now();
        const response = await fetch(`${url}/api/v1${query}`);
        await response.arrayBuffer();
        if (response.status !== 200) throw new Error(`${query} answered ${response.status}`);
        if (round > 0) times.push(performance.now() - start);
      }
    }
  };
  await Promise.all([client(), client(), client(), client()]);
  return times;
}

/** In the page: resolves with the time at which `wanted` of the table is there and painted. */
const SETTLED = (wanted: string) => `new Promise((resolve) => {
  const look = () => ${wanted}
    ? requestAnimationFrame(() => setTimeout(() => resolve(performance.now())))
    : requestAnimationFrame(look);
  look();
})`;

async function* timeBrowser(url: string): AsyncGenerator<Figure> {
  await using browser = await openBrowser();
  const page = await browser.newPage();
  const paints: number[] = [];
  const filters: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await page.goto(`${url}/?state=all`, { waitUntil: "commit" });
    // performance.now() counts from the start of this navigation.
    paints.push(
      await page.evaluate<number>(SETTLED('document.querySelectorAll(".queue tbody tr").length >= 50')),
    );
    const chosen = round % 2 === 0 ? "critical" : "high";
    const start = await page.evaluate<number>(`(() => {
      const select = [...document.querySelectorAll("select")].find((each) => each.value === "" && each.options[1].value === "critical");
      const now = performance.now();
      select.value = "${chosen}";
      select.dispatchEvent(new Event("change", { bubbles: true }));
      return now;
    })()`);
    const all = `[...document.querySelectorAll(".queue tbody .badge")].filter((each) => each.className.includes("severity")).every((each) => each.textContent === "${chosen}")`;
    filters.push((await page.evaluate<number>(SETTLED(all))) - start);
  }
  yield { figure: "api.queue_first_paint_ms", value: median(paints), unit: "ms" };
  yield { figure: "api.filter_ms", value: median(filters), unit: "ms" };
}
