import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFlows, type FlowsOptions } from "../../../collectors/flows/flows.ts";
import type { Batch } from "../../../src/core/collector.ts";
import type { Flow } from "../../../src/core/observation.ts";
import { EXPORT_MS, netflow5, netflow9, PLAIN, plainRecord, set, template } from "./encode.ts";

let folder: string;
let exporter: Socket;
const logged: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "assay-flows-"));
  exporter = createSocket("udp4");
  exporter.bind(0, "127.0.0.1");
  await once(exporter, "listening");
  logged.length = 0;
});
afterEach(async () => {
  exporter.close();
  await rm(folder, { recursive: true });
});

/** A collector on a free port, its batches pulled one at a time. */
async function start(options: Partial<FlowsOptions> = {}) {
  const ending = new AbortController();
  const listening = Promise.withResolvers<number>();
  const collector = createFlows({
    name: "flows",
    host: "127.0.0.1",
    port: 0,
    now: () => EXPORT_MS,
    log: (_level, message) => logged.push(message),
    onListening: ({ port }) => listening.resolve(port),
    ...options,
  });
  const batches = collector.collect(ending.signal)[Symbol.asyncIterator]();
  const first = batches.next();
  first.catch(listening.reject);
  const port = await listening.promise;
  const send = (datagram: Uint8Array) =>
    new Promise<void>((resolve, reject) => {
      exporter.send(datagram, port, "127.0.0.1", (error) => (error ? reject(error) : resolve()));
    });
  let pending: Promise<IteratorResult<Batch>> | undefined = first;
  /** Pulls until so many flows came. */
  const flows = async (count: number) => {
    const all: Flow[] = [];
    while (all.length < count) {
      const { value, done } = await (pending ?? batches.next());
      pending = undefined;
      if (done) throw new Error("ended early");
      all.push(...(value.observations as Flow[]));
    }
    return all;
  };
  const stop = async () => {
    ending.abort();
    return await (pending ?? batches.next());
  };
  return { collector, send, flows, stop, port, first };
}

describe("createFlows", () => {
  it("yields what an exporter sends, in batches without a cursor", async () => {
    const { send, stop, first } = await start();
    await send(netflow5([{}, { srcPort: 40_001 }]));
    const { value } = await first;
    expect(value.cursor).toBeUndefined();
    expect(value.observations).toMatchObject([
      { exporter: "127.0.0.1", srcPort: 40_000 },
      { exporter: "127.0.0.1", srcPort: 40_001 },
    ]);
    await stop();
  });

  it("ends promptly on abort, hands over nothing that waited, and frees its port", async () => {
    const { send, stop, port, flows } = await start();
    await send(netflow5([{}]));
    await flows(1);
    await send(netflow5([{}], { sequence: 1 }));
    expect(await stop()).toEqual({ done: true, value: undefined });
    const again = await start({ port });
    expect(again.port).toBe(port);
    await again.stop();
  });

  it("throws with its name and the cause when it cannot listen", async () => {
    const { port, stop } = await start();
    await expect(start({ port })).rejects.toMatchObject({
      message: expect.stringContaining("flows: cannot listen on 127.0.0.1"),
      cause: { code: "EADDRINUSE" },
    });
    await stop();
  });

  it("refuses exporters that are not on the list, as soon as there is one, and counts them", async () => {
    const { collector, send, stop } = await start({ exporters: ["192.0.2.0/24", "::1"] });
    await send(netflow5([{}]));
    await expect.poll(() => collector.report().refused).toBe(1);
    expect(collector.report().exporters).toEqual([]);
    // The count is shared memory, the message comes from the receiving thread by post: it may be later.
    await expect.poll(() => logged).toEqual(["flows: exporter refused"]);
    await stop();
  });

  it("takes exporters that are on the list", async () => {
    const { send, flows, stop } = await start({ exporters: ["127.0.0.0/8"] });
    await send(netflow5([{}]));
    expect((await flows(1)).length).toBe(1);
    await stop();
  });

  it("says at once that an entry of the list is not an address", () => {
    const options = { name: "flows", host: "127.0.0.1", port: 0, now: Date.now, log: () => {} };
    for (const entry of ["router-1", "10.0.0.0/33", "10.0.0.0/8/8", "::/129", "10.0.0.0/"]) {
      expect(() => createFlows({ ...options, exporters: [entry] }), entry).toThrow(`exporter "${entry}"`);
    }
  });

  it("drops what finds the queue full, counts it, and tells the records as lost", async () => {
    let lost = 0;
    const { collector, send, flows, stop } = await start({
      queueBytes: 1,
      onLost: (_exporter, records) => {
        lost += records;
      },
    });
    await send(netflow5([{}]));
    await flows(1);
    // Nobody pulls now, so the least queue there is, of 256 kB, fills.
    const many = Array.from({ length: 30 }, () => ({}));
    for (let sequence = 1; sequence <= 300 * 30; sequence += 30) await send(netflow5(many, { sequence }));
    await expect.poll(() => collector.report().datagrams).toBe(301);
    const { dropped } = collector.report();
    expect(dropped).toBeGreaterThan(100);
    expect(dropped).toBeLessThan(140);
    await flows((300 - dropped) * 30);
    for (let sequence = 9001; sequence <= 9001 + 30 * 20; sequence += 30) {
      await send(netflow5(many, { sequence }));
      await flows(30);
    }
    expect(lost).toBe(dropped * 30);
    expect(collector.report().exporters[0]?.lost).toBe(dropped * 30);
    await stop();
  });

  it("refuses malformed datagrams by exporter and goes on", async () => {
    const { send, first, flows, stop } = await start();
    await send(Uint8Array.of(0, 77, 1, 0));
    expect((await first).value).toMatchObject({
      observations: [],
      refusals: [{ reason: "export version 77 is not known", place: "127.0.0.1" }],
    });
    await send(netflow5([{}]));
    expect((await flows(1)).length).toBe(1);
    await stop();
  });

  it("reads by the templates it knew before a restart", async () => {
    const stateFile = join(folder, "templates.json");
    const before = await start({ stateFile });
    await before.send(netflow9([set(0, template(256, PLAIN)), set(256, plainRecord())]));
    await before.flows(1);
    await before.stop();
    const after = await start({ stateFile });
    await after.send(netflow9([set(256, plainRecord(9))], { sequence: 1 }));
    expect(await after.flows(1)).toMatchObject([{ packets: 9 }]);
    await after.stop();
  });

  it("starts with a state file that is broken, and says so", async () => {
    const stateFile = join(folder, "templates.json");
    await writeFile(stateFile, '{"version":1,"domains":[{}]}');
    const { send, flows, stop } = await start({ stateFile });
    expect(logged).toEqual(["flows: saved templates could not be read"]);
    await send(netflow9([set(0, template(256, PLAIN)), set(256, plainRecord())]));
    await flows(1);
    await stop();
    expect(JSON.parse(await readFile(stateFile, "utf8")).domains[0].templates.length).toBe(1);
  });

  it("goes on without its templates' file, and says so once", async () => {
    const { send, flows, stop } = await start({ stateFile: join(folder, "missing", "templates.json") });
    await send(netflow9([set(0, template(256, PLAIN)), set(256, plainRecord())]));
    await flows(1);
    await stop();
    expect(logged).toEqual(["flows: templates not saved"]);
  });
});
