import type { InfluxDB } from "influx";
import type { Flag } from "#core/flag.ts";
import type { MetricRow } from "#core/metrics.ts";
import type { Store } from "#core/store.ts";
import type { Task } from "#core/task.ts";
import { prepareInflux, type Retention } from "./influx-admin.ts";
import { formatFlag, formatRows, type LineBatch } from "./influx-lines.ts";
import { influxClient, queryInflux } from "./influx-query.ts";
import { openSpool } from "./influx-spool.ts";
import { type InfluxAddress, lineWriter, packBatch, type WriteOutcome } from "./influx-write.ts";

/** InfluxDB as a follower of the embedded store. */
export interface InfluxOptions extends InfluxAddress, Retention {
  /** Where batches wait while the server is away, and how many bytes of them. */
  spoolDirectory: string;
  spoolBytes: number;
  /** Distinct accounts a process writes series of at most; the points of others are left out and counted. */
  maxAccountSeries: number;
  /** Where annotations of flags lead. */
  consoleUrl: string;
  sleep: (delayMs: number, signal: AbortSignal) => Promise<void>;
  log: (level: "info" | "warn" | "error", message: string, fields?: Record<string, unknown>) => void;
}

/** What moved since the start, in points; and what waits. */
interface InfluxState {
  written: number;
  /** Dropped by InfluxDB (400), or unfit to be a point at all. */
  refused: number;
  /** Dropped by InfluxDB because they were older than its retention. */
  expired: number;
  /** Points of accounts beyond `maxAccountSeries`. */
  leftOut: number;
  /** Lost because the spool was full. */
  dropped: number;
  spoolPoints: number;
  spoolBytes: number;
}

/**
 * The InfluxDB store: what it misses when the process dies between a commit and its `write` is given to it by
 * `copyMetrics`. `write` resolves when the rows are in InfluxDB or safe in the spool.
 */
export interface InfluxStore extends Store {
  /** Creates what is missing and empties the spool whenever the server is there, until aborted. */
  run: Task;
  /** Shows a flag on the time line of the charts. */
  annotate(flag: Flag): Promise<void>;
  state(): InfluxState;
}

const IN_FLIGHT = 2;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;
const PREPARE_MS = 5_000;

/** Opens the store; it does not need the server for that. Whoever opens it closes it, after `run` has ended. */
export async function openInflux(options: InfluxOptions): Promise<InfluxStore> {
  const { log, sleep } = options;
  const spool = await openSpool(options.spoolDirectory, options.spoolBytes);
  const writer = lineWriter(options);
  const client: InfluxDB = influxClient(options);
  const moved = { written: 0, refused: 0, expired: 0, leftOut: 0 };
  const accounts = new Set<string>();
  let turn: Promise<void> = Promise.resolve();
  let wake = new AbortController();
  let told = "";

  function tell(level: "info" | "warn" | "error", message: string, reason: string): void {
    if (told === message + reason) return;
    told = message + reason;
    log(level, message, { reason });
  }

  function count(outcome: WriteOutcome, points: number): void {
    if (outcome.outcome === "unavailable") return;
    const lost = outcome.outcome === "partial" ? outcome : { refused: 0, expired: 0, reason: "" };
    moved.written += points - lost.refused - lost.expired;
    moved.refused += lost.refused;
    moved.expired += lost.expired;
    if (lost.refused > 0) tell("error", "InfluxDB refused points", lost.reason);
  }

  /** Straight to the server, or behind what waits already: absolute rows must arrive in the order they were made. */
  async function send(batch: LineBatch): Promise<void> {
    const packed = await packBatch(batch);
    if (spool.state().points === 0) {
      const outcome = await writer.write(packed);
      count(outcome, packed.points);
      if (outcome.outcome !== "unavailable") return;
      tell("warn", "InfluxDB is away: points wait in the spool", outcome.reason);
    }
    const before = spool.state().dropped;
    await spool.put(packed);
    if (spool.state().dropped > before) tell("error", "the spool is full: the oldest points are dropped", "");
    wake.abort();
  }

  /** One call after the other; a failure is its own caller's. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    const mine = turn.then(work);
    turn = mine.catch(() => {});
    return mine;
  }

  /** Lanes that pull: the next batch is formatted and compressed while the server is busy with the one before. */
  async function sendAll(batches: Iterator<LineBatch>): Promise<void> {
    const lane = async () => {
      for (let next = batches.next(); !next.done; next = batches.next()) await send(next.value);
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  }

  function admitted(rows: readonly MetricRow[]): readonly MetricRow[] {
    return rows.filter(({ measurement, tags }) => {
      if (!measurement.startsWith("account_")) return true;
      const account = JSON.stringify(tags.slice(0, 2));
      if (accounts.size >= options.maxAccountSeries && !accounts.has(account)) {
        moved.leftOut += 1;
        return false;
      }
      accounts.add(account);
      return true;
    });
  }

  const write = (rows: readonly MetricRow[]) =>
    inTurn(() =>
      sendAll(
        formatRows(admitted(rows), () => {
          moved.refused += 1;
        }),
      ),
    );

  /** Makes what is missing. The client never settles a request whose server dies over it: hence the limit. */
  async function prepare(signal: AbortSignal): Promise<void> {
    const limit = new AbortController();
    const late = sleep(PREPARE_MS, AbortSignal.any([signal, limit.signal])).then(() => {
      throw new Error(`no answer within ${PREPARE_MS} ms`);
    });
    late.catch(() => {});
    try {
      await Promise.race([prepareInflux(client, options, options), late]);
    } finally {
      limit.abort();
    }
  }

  /** Sends the oldest batch that waits. False: the server is away. */
  async function drainOne(signal: AbortSignal): Promise<boolean> {
    const next = await spool.oldest();
    if (!next) return true;
    const outcome = await writer.write(next.batch, signal);
    if (signal.aborted && outcome.outcome === "unavailable") return false;
    if (outcome.outcome === "unavailable") {
      tell("warn", "InfluxDB is away: points wait in the spool", outcome.reason);
      // A server that came back empty must be told its databases again.
      await prepare(signal).catch(() => {});
      return false;
    }
    count(outcome, next.batch.points);
    await next.remove();
    if (spool.state().points === 0) tell("info", "InfluxDB is there: the spool is empty", "");
    return true;
  }

  return {
    name: "influx",
    write,
    query: (query) => queryInflux(client, options, query),
    annotate: (flag) => inTurn(() => send(formatFlag(flag, options.consoleUrl))),
    async run(signal) {
      let waitMs = FIRST_WAIT_MS;
      await prepare(signal).catch((error: Error) =>
        tell(
          "warn",
          "InfluxDB could not be prepared",
          (error as NodeJS.ErrnoException).code ?? error.message,
        ),
      );
      while (!signal.aborted) {
        wake = new AbortController();
        if (await drainOne(signal)) {
          waitMs = FIRST_WAIT_MS;
          if (spool.state().points === 0)
            await sleep(LONGEST_WAIT_MS, AbortSignal.any([signal, wake.signal]));
        } else {
          await sleep(waitMs, signal);
          waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
        }
      }
    },
    state() {
      const { bytes: spoolBytes, points: spoolPoints, dropped } = spool.state();
      return { ...moved, dropped, spoolPoints, spoolBytes };
    },
    async close() {
      await turn;
      writer.close();
    },
  };
}
