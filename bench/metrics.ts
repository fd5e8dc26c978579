import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FieldType, InfluxDB, type IPoint } from "influx";
import { type MetricRow, MINUTE_MS } from "../src/core/metrics.ts";
import { type InfluxStore, openInflux } from "../src/store/influx.ts";
import { openMetrics } from "../src/store/metrics-sqlite.ts";
import { hasInfluxd, startInfluxd, WITHOUT_INFLUXD } from "../test/store/influxd.ts";

const SERIES = 1_000;
const MINUTES = 30;
const BATCH = 5_000;
const ROUNDS = 15;
const T0 = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 86_400_000;

/** One round's rows: every series in every minute, shares and difficulties as various as a pool's, the same each time. */
function makeRows(round: number): MetricRow[] {
  let state = round + 1;
  const below = (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  return Array.from({ length: SERIES * MINUTES }, (_, index) => {
    const shares = below(2_000);
    const work = shares * (512 + below(65_536)) * 2 ** 32;
    return {
      measurement: "hashrate",
      tags: [`pool-${index % SERIES}`, "sha256d"],
      level: "1m",
      bucketMs: T0 + (round * MINUTES + Math.floor(index / SERIES)) * MINUTE_MS,
      values: [shares, work, below(20), below(5)],
    };
  });
}

const toPoint = ({ measurement, tags, bucketMs, values }: MetricRow): IPoint => ({
  measurement,
  tags: { pool: tags[0] ?? "", algorithm: tags[1] ?? "" },
  fields: {
    shares: values[0] ?? 0,
    work: values[1] ?? 0,
    stale: values[2] ?? 0,
    rejected: values[3] ?? 0,
  },
  timestamp: bucketMs,
});

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const round2 = (value: number): number => Math.round(value * 100) / 100;

/** Calls `send` for each batch, two of them in flight at once: as the writer does it. */
async function inBatches(rows: MetricRow[], send: (batch: MetricRow[]) => Promise<unknown>): Promise<void> {
  let at = 0;
  const lane = async () => {
    while (at < rows.length) {
      at += BATCH;
      await send(rows.slice(at - BATCH, at));
    }
  };
  await Promise.all([lane(), lane()]);
}

function makeClient(url: string): InfluxDB {
  const { FLOAT } = FieldType;
  return new InfluxDB({
    host: "127.0.0.1",
    port: Number(new URL(url).port),
    database: "peer",
    schema: [
      {
        measurement: "hashrate",
        tags: ["pool", "algorithm"],
        fields: { shares: FLOAT, work: FLOAT, stale: FLOAT, rejected: FLOAT },
      },
    ],
  });
}

const openStore = (url: string, directory: string): Promise<InfluxStore> =>
  openInflux({
    url,
    database: "own",
    version: 1,
    rawDays: 7,
    hourDays: 400,
    spoolDirectory: join(directory, "spool"),
    spoolBytes: 1_000_000_000,
    maxAccountSeries: 20_000,
    consoleUrl: "http://127.0.0.1:7070",
    sleep: async () => {},
    log: () => {},
  });

/** Bytes of one round's requests, of both, at a server that only counts. */
async function countBytes(directory: string): Promise<{ own: number; peer: number }> {
  let bytes = 0;
  const server = createServer((request, response) => {
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on("end", () => response.writeHead(204).end());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const store = await openStore(url, directory);
  try {
    const rows = makeRows(0);
    await store.write(rows);
    const own = bytes;
    bytes = 0;
    const client = makeClient(url);
    await inBatches(rows, (batch) => client.writePoints(batch.map(toPoint), { precision: "ms" }));
    return { own, peer: bytes };
  } finally {
    await store.close();
    server.closeAllConnections();
    server.close();
  }
}

/** Points per second into a real influxd, turn by turn with the `influx` client, and bytes on the wire. */
async function* intoInflux(directory: string) {
  const influxd = await startInfluxd();
  const store = await openStore(influxd.url, directory);
  const client = makeClient(influxd.url);
  try {
    await client.createDatabase("peer");
    await client.createDatabase("own");
    await client.createRetentionPolicy("1m", {
      database: "own",
      duration: "7d",
      replication: 1,
      isDefault: true,
    });
    const rates = { own: [] as number[], peer: [] as number[] };
    /** Points per second of the sender's own CPU: what other work on the machine hardly disturbs. */
    const cpuRates = { own: [] as number[], peer: [] as number[] };
    const measure = async (of: "own" | "peer", points: number, work: () => Promise<unknown>) => {
      const from = performance.now();
      const before = process.cpuUsage();
      await work();
      const { user, system } = process.cpuUsage(before);
      rates[of].push(points / ((performance.now() - from) / 1000));
      cpuRates[of].push(points / ((user + system) / 1e6));
    };
    for (let round = 0; round < ROUNDS; round += 1) {
      const rows = makeRows(round);
      const own = () => measure("own", rows.length, () => store.write(rows));
      const peer = () =>
        measure("peer", rows.length, () =>
          inBatches(rows, (batch) => client.writePoints(batch.map(toPoint), { precision: "ms" })),
        );
      // Who comes second finds the server warm: they take turns.
      for (const turn of round % 2 === 0 ? [own, peer] : [peer, own]) await turn();
    }
    const { written } = store.state();
    if (written !== ROUNDS * SERIES * MINUTES) throw new Error(`influxd took ${written} points`);
    // The median of the rounds' own ratios: what disturbs a round disturbs both that share it.
    for (const [figure, unit, { own, peer }] of [
      ["metrics.points_over_influx_client", "points/s", rates],
      ["metrics.sender_cpu_over_influx_client", "points/CPU-s", cpuRates],
    ] as const) {
      const ratios = own.map((value, index) => value / (peer[index] ?? Number.NaN));
      yield {
        figure,
        value: Math.round(median([...own])),
        unit,
        peer: "influx 5.12.0",
        peerValue: Math.round(median([...peer])),
        ratio: round2(median(ratios)),
      };
    }
  } finally {
    await store.close();
    await influxd.close();
  }
  const { own, peer } = await countBytes(directory);
  yield {
    figure: "metrics.bytes_over_influx_client",
    value: round2(own / (SERIES * MINUTES)),
    unit: "bytes/point",
    peer: "influx 5.12.0",
    peerValue: round2(peer / (SERIES * MINUTES)),
    ratio: round2(peer / own),
  };
}

/** Rows per second of checkpoints, both levels counted, through the thread and on disk. */
async function* intoSqlite(directory: string) {
  const store = await openMetrics({ file: join(directory, "metrics.db"), rawDays: 7, hourDays: 400 });
  try {
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const deltas = makeRows(round).map(({ level: _, ...delta }) => delta);
      const from = performance.now();
      const changed = await store.commit({ cursors: new Map(), accounts: new Map(), deltas });
      rates.push(changed.length / ((performance.now() - from) / 1000));
    }
    yield { figure: "metrics.sqlite_rows_per_second", value: Math.round(median(rates)), unit: "rows/s" };
  } finally {
    await store.close();
  }
}

/** Metrics into InfluxDB beside its own client, and into SQLite. */
export async function* run() {
  const directory = mkdtempSync(join(tmpdir(), "assay-bench-"));
  try {
    if (hasInfluxd()) yield* intoInflux(directory);
    else process.stderr.write(`${WITHOUT_INFLUXD}: no figures for it\n`);
    yield* intoSqlite(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
