import type { Batch, Collector } from "#core/collector.ts";
import type { Share } from "#core/observation.ts";
import { readCkpoolFile } from "../../../collectors/pools/ckpool-replay.ts";

/** One line of ckpool's share log with its newline, as parse_submit writes it; `fields` replace or add. */
export function shareLine(fields: Record<string, unknown> = {}): string {
  const line = {
    workinfoid: 7711126893885391000,
    clientid: 1,
    enonce1: "0f6d036b",
    nonce2: "0000000000000000",
    nonce: "50eb0800",
    ntime: "6b036d0e",
    diff: 0.001,
    sdiff: 0.0021122672294341211,
    hash: "000001d9",
    result: true,
    errn: 0,
    createdate: "1795386642,569438699",
    createby: "code",
    createcode: "parse_submit",
    createinet: "127.0.0.1:3371",
    workername: "farm.rig1",
    username: "farm",
    address: "127.0.0.1",
    agent: "cpuminer/2.5.1",
    ...fields,
  };
  return `${JSON.stringify(line).replaceAll('":', '": ').replaceAll(',"', ', "')}\n`;
}

/** What a run of batches held, together. */
export interface Gathered {
  shares: Share[];
  refusals: { reason: string; place: string; count: number }[];
  backwards: number;
  cursor?: string;
}

/** Adds up batches. */
export async function gather(batches: AsyncIterable<Batch>): Promise<Gathered> {
  const all: Gathered = { shares: [], refusals: [], backwards: 0 };
  for await (const batch of batches) {
    all.shares.push(...(batch.observations as Share[]));
    for (const { reason, place, count = 1 } of batch.refusals ?? [])
      all.refusals.push({ reason, place, count });
    all.backwards += batch.backwards ?? 0;
    all.cursor = batch.cursor ?? all.cursor;
  }
  return all;
}

/** Reads share logs as a replay does. */
export const replayed = (path: string) => gather(readCkpoolFile(path, { pool: "p", algorithm: "sha256d" }));

/** Runs a collector from a cursor until it first waits; `make` gets the sleep that ends it. */
export async function untilIdle(
  make: (sleep: () => Promise<void>) => Collector,
  cursor?: string,
): Promise<Gathered> {
  const idle = new AbortController();
  const collector = make(async () => idle.abort());
  const gathered = await gather(collector.collect(idle.signal, cursor));
  return { ...gathered, cursor: gathered.cursor ?? cursor };
}
