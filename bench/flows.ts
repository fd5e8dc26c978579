import { fork } from "node:child_process";
import { once } from "node:events";
import { createDecoder } from "../collectors/flows/decoder.ts";
import type { Flow } from "../src/core/observation.ts";
import { cpuSeconds, type Figure, median } from "./figure.ts";
import { FLOWS_A_DATAGRAM, makeReplay } from "./flows/datagrams.ts";
import { type Receiver, startAssay, startNfcapd } from "./flows/receivers.ts";
import { startService } from "./flows/service.ts";

/**
 * How many flow records a second end in a store without one lost, for as long as one likes, beside Debian's nfcapd: the
 * same datagrams from the same sender over loopback, in turns. Assay looks up every address's origin and commits sums to
 * its own store; nfcapd writes its records to a file.
 *
 * Both get the same socket buffer, and Assay's ring is made no larger than it. A trial sends ten times what both of these
 * hold, so that a rate which is not sustained cannot hide in them: it would have to be within a tenth of one that is.
 *
 * In the service a flow also passes the journal, the join to sessions and the analysis; what that costs is told apart.
 */
const BUFFER_BYTES = 4 * 1024 * 1024;
/** The kernel takes twice what is asked for and charges a datagram of these sizes with 2,304 bytes; the ring holds it as it is. */
const BUFFERED_DATAGRAMS = (2 * BUFFER_BYTES) / 2304 + BUFFER_BYTES / 1220;
const TRIAL_DATAGRAMS = Math.ceil(10 * BUFFERED_DATAGRAMS);
/** Datagrams a second to begin with, and how far up or down the next try goes until the rate is between two. */
const FIRST_RATE = 30_000;
const STEP = 1.5;
/** Then the interval is halved so often: 1.5^(1/4) leaves a tenth. */
const HALVINGS = 2;
const TURNS = 2;
/** Datagrams a second, and in all, for the whole service. */
const SERVICE_RATE = 500;
const SERVICE_DATAGRAMS = 5000;
/** Replays decoded for one measurement of the decoder. */
const ROUNDS = 100;

type Version = "v5" | "v9";

export async function* run(): AsyncGenerator<Figure> {
  for (const version of ["v9", "v5"] as const) {
    const ours = search(version, () => startAssay(BUFFER_BYTES));
    const theirs = search(version, () => startNfcapd(BUFFER_BYTES));
    const packaged = search(version, () => startNfcapd());
    // In turns, so that what else the machine does meets both alike.
    for (let turn = 0; turn < TURNS; turn += 1) {
      await ours.turn();
      await theirs.turn();
      await packaged.turn();
    }
    const peer = "nfcapd, same buffer";
    for (const [name, unit, of] of [
      ["lossless_per_second", "flows/s", "perSecond"],
      ["stored_per_cpu_second", "flows/CPU-s", "perCpuSecond"],
    ] as const) {
      const value = ours.median(of);
      const peerValue = theirs.median(of);
      yield { figure: `flows.${version}_${name}`, value, unit, peer, peerValue, ratio: value / peerValue };
    }
    const ratio = ours.median("perSecond") / theirs.median("perSecond");
    yield { figure: `flows.${version}_over_nfcapd`, value: ratio, unit: "×", peer, peerValue: 1, ratio };
    const value = ours.median("perSecond") / packaged.median("perSecond");
    yield {
      figure: `flows.${version}_over_nfcapd_as_packaged`,
      value,
      unit: "×",
      peer: "nfcapd, the system's buffer",
      peerValue: 1,
      ratio: value,
    };
  }
  // At a rate far below its limit, for what it costs and not for how far it goes.
  const whole = await send("v9", SERVICE_RATE, startService, SERVICE_DATAGRAMS);
  if (!whole.lossless) throw new Error(`the service lost flows at ${SERVICE_RATE} datagrams a second`);
  yield { figure: "flows.v9_service_per_cpu_second", value: whole.perCpuSecond, unit: "flows/CPU-s" };
  for (const version of ["v9", "v5"] as const) {
    const value = await decodeRate(version);
    yield { figure: `flows.${version}_decode_per_cpu_second`, value, unit: "flows/CPU-s" };
  }
}

interface Trial {
  lossless: boolean;
  /** Flows a second as they were sent, and by the receiver's own time. */
  perSecond: number;
  perCpuSecond: number;
}

/** The best lossless trial of each turn; later turns begin where the one before came to. */
function search(version: Version, start: () => Promise<Receiver>) {
  const best: Trial[] = [];
  let first = FIRST_RATE;
  return {
    async turn() {
      const found = await highest(version, first, start);
      best.push(found);
      first = found.perSecond / FLOWS_A_DATAGRAM[version];
    },
    median: (of: "perSecond" | "perCpuSecond") => median(best.map((trial) => trial[of])),
  };
}

/** Steps up from a rate that holds or down from one that does not, then halves what is between. */
async function highest(version: Version, first: number, start: () => Promise<Receiver>): Promise<Trial> {
  let best: Trial | undefined;
  let holds = 0;
  let fails = Number.POSITIVE_INFINITY;
  const attempt = async (rate: number) => {
    // One loss may be this machine's, two are the receiver's.
    for (let chance = 0; chance < 2; chance += 1) {
      const trial = await send(version, rate, start);
      if (!trial.lossless) continue;
      holds = rate;
      if (!best || trial.perSecond > best.perSecond) best = trial;
      // The sender is at its own end: what it reached is a lower bound, and no more can be learned.
      if (trial.perSecond < rate * FLOWS_A_DATAGRAM[version] * 0.9) fails = rate;
      return;
    }
    fails = rate;
  };
  for (let rate = first; holds === 0 || fails === Number.POSITIVE_INFINITY; ) {
    await attempt(rate);
    rate = holds === 0 ? rate / STEP : rate * STEP;
  }
  for (let halving = 0; halving < HALVINGS && holds < fails; halving += 1)
    await attempt(Math.sqrt(holds * fails));
  return best!;
}

/** What the sender says it sent. */
interface Sent {
  /** Sent at the rate, and how long that took. */
  datagrams: number;
  elapsedMs: number;
  /** In all, the warm-up's too. */
  flows: number;
}

async function send(
  version: Version,
  rate: number,
  start: () => Promise<Receiver>,
  datagrams = TRIAL_DATAGRAMS,
): Promise<Trial> {
  const receiver = await start();
  const before = await receiver.cpuSeconds();
  const settings = [version, `${receiver.port}`, `${rate}`, `${datagrams}`];
  const child = fork(new URL("./flows/sender.ts", import.meta.url), settings);
  const [sent] = (await once(child, "message")) as [Sent];
  await once(child, "exit");
  await receiver.settled();
  const seconds = (await receiver.cpuSeconds()) - before;
  const stored = await receiver.stop();
  const perSecond = (sent.datagrams / (sent.elapsedMs / 1000)) * FLOWS_A_DATAGRAM[version];
  return { lossless: stored === sent.flows, perSecond, perCpuSecond: stored / seconds };
}

/** Records decoded per CPU-second, the flows thrown away. */
async function decodeRate(version: Version): Promise<number> {
  const { datagrams, flows, number } = makeReplay(version);
  const decoder = createDecoder();
  const rates: number[] = [];
  for (let run = 0; run < 7; run += 1) {
    const seconds = await cpuSeconds(() => {
      for (let round = run * ROUNDS; round < (run + 1) * ROUNDS; round += 1) {
        const decoded: Flow[] = [];
        datagrams.forEach((datagram, index) => {
          number(index, round);
          decoder.decode(datagram, "127.0.0.1", 1, Number.NaN, decoded);
        });
      }
    });
    rates.push((flows * ROUNDS) / seconds);
  }
  return median(rates);
}
