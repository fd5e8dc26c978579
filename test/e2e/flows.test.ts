import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runMiner } from "../../models/simulate/live/miner.ts";
import { runPool } from "../../models/simulate/live/pool.ts";
import { openMetrics } from "../../src/store/metrics-sqlite.ts";
import { freePort, type Running, startAssay, until } from "../support/assay.ts";
import {
  type Pusher,
  type Softflowd,
  softflowdUnavailable,
  startPusher,
  startSoftflowd,
} from "../support/softflowd.ts";
import { startUdpRelay, type UdpRelay } from "../support/udp-relay.ts";

/** Real mining through a running service's tap, told a second time by Debian's softflowd. */
const why = softflowdUnavailable();
if (why) console.warn(`flows into a running service are not tested: ${why}`);

let place: string;
let ending: AbortController;
let pool: Promise<void>;
let service: Running;
let tapPort: number;
let httpPort: number;
let pusher: Pusher;
let flowsPort: number;
let relay: UdpRelay;
const exporters: Softflowd[] = [];

beforeEach(async () => {
  if (why) return;
  place = mkdtempSync(join(tmpdir(), "assay-flows-"));
  ending = new AbortController();
  const poolPort = await new Promise<number>((resolve) => {
    pool = runPool({ difficulty: 1, onListening: ({ port }) => resolve(port) })(ending.signal);
  });
  [tapPort, httpPort] = [await freePort(), await freePort()];
  flowsPort = await freePort();
  const config = join(place, "assay.yaml");
  writeFileSync(
    config,
    `data: { directory: ${join(place, "data")} }
http: { port: ${httpPort} }
store: { checkpointSeconds: 0.1 }
collectors:
  tap: [{ listen: { port: ${tapPort} }, upstream: { host: 127.0.0.1, port: ${poolPort} }, pool: tapped }]
  flows: [{ name: flows, listen: { port: ${flowsPort} }, exporters: [127.0.0.1] }]
  poolServers: [{ pool: tapped, port: ${tapPort} }]
`,
  );
  pusher = await startPusher();
  relay = await startUdpRelay(flowsPort);
  service = startAssay(["run", "--config", config]);
  await service.said("listening");
  await service.said("tap listening");
  await service.said("flows listening");
});

afterEach(async () => {
  if (why) return;
  for (const exporter of exporters.splice(0)) await exporter.kill();
  await service.end();
  relay.close();
  pusher.close();
  ending.abort();
  await pool;
  rmSync(place, { recursive: true });
});

async function start(version: string, port = flowsPort): Promise<Softflowd> {
  const filter = `tcp port ${tapPort} or tcp port ${pusher.port}`;
  const control = join(place, `softflowd-${exporters.length}`);
  const exporter = await startSoftflowd({ version, port, filter, control, pusher });
  exporters.push(exporter);
  return exporter;
}

/** One miner after the other connects to the tap, has this many shares accepted and hangs up. */
async function mine(miners: number, shares: number): Promise<void> {
  for (let index = 0; index < miners; index += 1) {
    const enough = new AbortController();
    let accepted = 0;
    await runMiner({
      host: "127.0.0.1",
      port: tapPort,
      agent: "cgminer/4.11",
      worker: `farm.rig${index}`,
      hashrateHs: () => 100 * 2 ** 32,
      onAnswer: (good) => {
        if (good) accepted += 1;
        if (accepted === shares) enough.abort();
      },
    })(enough.signal);
  }
}

/** A number of the service's /metrics; NaN while it is not told. */
async function metric(name: string): Promise<number> {
  const text = await fetch(`http://127.0.0.1:${httpPort}/metrics`).then((answer) => answer.text());
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? Number.NaN);
}

const reaches = (name: string, value: number) =>
  until(async () => ((await metric(name)) >= value ? true : undefined));

/** What the metrics store holds of the exporter, whole or up to now; the service goes on. */
async function stored(): Promise<{ flows: number; packets: number; lost: number }> {
  const metrics = await openMetrics({ file: join(place, "data/metrics.db"), rawDays: 7, hourDays: 400 });
  const toMs = Number.MAX_SAFE_INTEGER;
  const query = { measurement: "flow", level: "1m", fromMs: 0, toMs, by: ["exporter"] } as const;
  const rows = (await metrics.query(query)).filter(({ tags }) => tags[0] === "127.0.0.1");
  await metrics.close();
  const sum = (column: number) => rows.reduce((total, { values }) => total + values[column]!, 0);
  return { flows: sum(0), packets: sum(2), lost: sum(3) };
}

describe.skipIf(why)("softflowd exporting to a running service", () => {
  it.each(["5", "9", "10"])(
    "version %s: every flow is stored and every session is joined",
    async (version) => {
      const exporter = await start(version);
      await mine(6, 4);
      const { flows, packets } = await exporter.tellAll();
      await reaches("assay_flow_sessions_joined", 6);
      await reaches("assay_shares_kept", 24);
      await reaches('assay_observations_total{collector="flows"}', flows);
      const told = await fetch(`http://127.0.0.1:${httpPort}/api/v1/network`).then((answer) => answer.json());
      expect(told).toMatchObject({
        exporters: [{ collector: "flows", exporter: "127.0.0.1", flows, lost: 0, malformed: 0 }],
      });
      expect(await service.end()).toBe(0);
      // Two directions of six miners, and of the connection that pushes.
      expect(flows).toBeGreaterThanOrEqual(14);
      expect(await stored()).toEqual({ flows, packets, lost: 0 });
    },
    60_000,
  );

  it.each(["5", "9", "10"])(
    "version %s: a restart of the exporter loses only what the network lost before it, and that is counted",
    async (version) => {
      const taken = 'assay_observations_total{collector="flows"}';
      const first = await start(version, relay.port);
      let before = { flows: 0, packets: 0 };
      // So often that its way of counting is known.
      for (let telling = 0; telling < 6; telling += 1) {
        await mine(1, 1);
        before = await first.tellAll();
      }
      await reaches(taken, before.flows);
      const came = relay.forwarded();
      relay.losing = true;
      await mine(2, 1);
      const unheard = await first.tellAll();
      await until(() => (relay.lost() > 0 ? true : undefined));
      relay.losing = false;
      await mine(1, 1);
      const last = await first.tellAll();
      await first.kill();
      const second = await start(version, relay.port);
      await mine(1, 1);
      const after = await second.tellAll();
      const lost = { flows: unheard.flows - before.flows, packets: unheard.packets - before.packets };
      const flows = last.flows - lost.flows + after.flows;
      const packets = last.packets - lost.packets + after.packets;
      await reaches(taken, flows);
      expect(await service.end()).toBe(0);
      const { lost: counted, ...kept } = await stored();
      expect(kept).toEqual({ flows, packets });
      if (version !== "9") expect(counted).toBe(lost.flows);
      // Version 9 numbers its datagrams: what was in a missing one is taken for the mean of those that came.
      else expect(Math.abs(counted - (relay.lost() * before.flows) / came)).toBeLessThan(1);
    },
    60_000,
  );
});
