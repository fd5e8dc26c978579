import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import type { Batch, Collector } from "#core/collector.ts";
import type { Log } from "#core/log.ts";
import { writeObservation } from "#core/observation.ts";
import { runAll, type Task } from "#core/task.ts";
import { pause } from "./pause.ts";
import { Spool } from "./spool.ts";

/** What is counted of a hand-over; each only ever rises but `waiting`. */
export interface HandOverCounters {
  /** Observations on disk that the service does not have yet. */
  waiting: number;
  delivered: number;
  /** The service said it will never take them. */
  refused: number;
  /** The spool was full, or the disk refused them. */
  dropped: number;
  /** Posts that have to be made again. */
  retries: number;
}

/** Where observations come from, wait, and go to. */
export interface HandOverOptions {
  collector: Collector;
  /** Base address of the running service. */
  url: string;
  token?: string;
  /** Of the spool; made when missing. One process at a time. */
  directory: string;
  spoolBytes: number;
  log: Log;
  /** What is posted at once at most; 1 MiB unless said. */
  segmentBytes?: number;
  /** How often an empty spool is looked at; 100 ms unless said. */
  pollMs?: number;
  /** How long one post may take; 30 s unless said. */
  timeoutMs?: number;
  now?: () => number;
  /** In [0, 1). */
  random?: () => number;
  sleep?: (delayMs: number, signal: AbortSignal) => Promise<void>;
  onCounters?: (counters: HandOverCounters) => void;
}

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 30_000;

/** What became of one post. */
type Posted = { outcome: "delivered" } | { outcome: "refused" | "retry"; reason: string };

/**
 * Hands a collector's observations to a service in another process, by `POST /api/v1/observations`. They wait on disk
 * while the service is away, in numbered batches: `Assay-Source` and `Assay-Sequence` let the service drop one it has
 * already. A 2xx means that the service has the batch durably; 408, 429, 5xx and a broken connection are tried again;
 * any other answer is a refusal, counted, said in the log, and not repeated. Trouble with the service or the disk never
 * ends this task, because the collector's connections end with it. Throws when the spool cannot be opened.
 */
export function handOver(options: HandOverOptions): Task {
  const { collector, log, random = Math.random, now = Date.now, sleep = pause } = options;
  const counters: HandOverCounters = { waiting: 0, delivered: 0, refused: 0, dropped: 0, retries: 0 };
  const source = collector.name;
  const target = new URL("/api/v1/observations", options.url);
  let failure = "";

  return async (signal) => {
    const spool = await Spool.open({
      directory: options.directory,
      limitBytes: options.spoolBytes,
      segmentBytes: options.segmentBytes ?? 1024 * 1024,
      firstSequence: Math.floor(now()),
    });
    // Seen by both loops: a segment is sealed by the poster while the writer must not append to it.
    const exclusive = createMutex();
    await runAll([(all) => write(spool, exclusive, all), (all) => post(spool, exclusive, all)], signal);
  };

  async function write(spool: Spool, exclusive: Exclusive, signal: AbortSignal): Promise<void> {
    for await (const batch of collector.collect(signal)) {
      const before = spool.droppedLines;
      try {
        await exclusive(() => spool.append(batch.observations.map(writeObservation)));
      } catch (error) {
        counters.dropped += batch.observations.length;
        complain(`spool: ${(error as Error).message}`);
      }
      tellRefusals(batch);
      if (spool.droppedLines > before) {
        counters.dropped += spool.droppedLines - before;
        complain("the spool is full; its oldest observations are dropped");
      }
      tell(spool);
    }
  }

  async function post(spool: Spool, exclusive: Exclusive, signal: AbortSignal): Promise<void> {
    let delayMs = FIRST_DELAY_MS;
    while (!signal.aborted) {
      const posted = await postOldest(spool, exclusive, signal);
      tell(spool);
      if (posted === "retry") {
        counters.retries += 1;
        await sleep(delayMs * (0.5 + random() / 2), signal);
        delayMs = Math.min(2 * delayMs, MAX_DELAY_MS);
      } else {
        delayMs = FIRST_DELAY_MS;
        if (posted === "empty") await sleep(options.pollMs ?? 100, signal);
      }
    }
  }

  async function postOldest(spool: Spool, exclusive: Exclusive, signal: AbortSignal) {
    try {
      const taken = await exclusive(() => spool.take());
      if (!taken) return "empty";
      const posted = await send(taken.sequence, taken.body, signal);
      if (signal.aborted && posted.outcome !== "delivered") return "empty";
      if (posted.outcome === "retry") {
        complain(posted.reason);
        return "retry";
      }
      await exclusive(() => spool.done(taken.sequence));
      counters[posted.outcome] += taken.lines;
      if (posted.outcome === "refused") {
        const fields = { sequence: taken.sequence, observations: taken.lines, reason: posted.reason };
        log("error", `${source}: the service refused observations`, fields);
      } else if (failure !== "") {
        failure = "";
        log("info", `${source}: handing over again`, { waiting: spool.lines });
      }
      return "posted";
    } catch (error) {
      complain(`spool: ${(error as Error).message}`);
      return "retry";
    }
  }

  async function send(sequence: number, body: Buffer, signal: AbortSignal): Promise<Posted> {
    const headers: Record<string, string> = {
      "content-type": "application/x-ndjson",
      "content-encoding": "gzip",
      "assay-source": source,
      "assay-sequence": String(sequence),
    };
    if (options.token !== undefined) headers.authorization = `Bearer ${options.token}`;
    try {
      const packed = await promisify(gzip)(body, { level: constants.Z_BEST_SPEED });
      const response = await fetch(target, {
        method: "POST",
        headers,
        body: new Uint8Array(packed),
        redirect: "manual",
        signal: AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs ?? 30_000)]),
      });
      await response.body?.cancel();
      const { status } = response;
      if (status >= 200 && status < 300) return { outcome: "delivered" };
      const again = status === 408 || status === 429 || status >= 500;
      return { outcome: again ? "retry" : "refused", reason: `the service answered ${status}` };
    } catch (error) {
      const cause = (error as Error).cause as NodeJS.ErrnoException | undefined;
      return {
        outcome: "retry",
        reason: `the service cannot be reached: ${cause?.code ?? (error as Error).message}`,
      };
    }
  }

  function complain(reason: string): void {
    if (reason === failure) return;
    failure = reason;
    log("warn", `${source}: ${reason}`);
  }

  function tellRefusals({ refusals }: Batch): void {
    for (const { reason, place, count } of refusals ?? [])
      log("debug", `${source}: ${reason}`, { place, count });
  }

  function tell(spool: Spool): void {
    counters.waiting = spool.lines;
    options.onCounters?.(counters);
  }
}

type Exclusive = <T>(work: () => Promise<T>) => Promise<T>;

/** Runs pieces of work one after the other. */
function createMutex(): Exclusive {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work);
    last = next.catch(() => {});
    return next;
  };
}
