/** Uniform numbers in [0, 1). */
export type Random = () => number;

/** What stands between a pool and a miner. */
export interface Path {
  /** Round trip of the way to whoever ends the TCP connection, ms, without any queue. */
  baseMs: number;
  /** Round trip from there to the machine, ms; 0 when nothing stands between. */
  hiddenMs: number;
  /** Mean of the delay that routers add to one round trip, ms; exponential. */
  jitterMs: number;
  /** The queue of a line that uploads: it waxes and wanes over minutes up to `bloatMs`, and may never be empty. */
  bloatMs: number;
  bloatFloorMs: number;
  /** Mean of the delay of a busy pool, ms; exponential. It adds to application round trips alone. */
  loadMs: number;
  /** Time the machine takes to answer: constant part and mean of the rest, ms. */
  machineMs: number;
  machineJitterMs: number;
}

/** Kinds of direct miners, as parts of the population the false-positive rate is taken over. */
export const CONDITIONS = [
  "clean",
  "jitter",
  "bufferbloat",
  "constant bufferbloat",
  "loaded pool",
  "slow machine",
] as const;
/** The name of one of them. */
export type Condition = (typeof CONDITIONS)[number];

/** Draws a path. Every range is stated here; bases are log-uniform between 2 and 250 ms. */
export function drawPath(condition: Condition, hiddenMs: number, random: Random): Path {
  const between = (low: number, high: number) => low + (high - low) * random();
  const path: Path = {
    baseMs: 2 * 125 ** random(),
    hiddenMs,
    jitterMs: between(0.2, 1.5),
    bloatMs: 0,
    bloatFloorMs: 0,
    loadMs: between(0.1, 0.5),
    machineMs: between(0.3, 3),
    machineJitterMs: between(0.2, 2),
  };
  switch (condition) {
    case "clean":
      return path;
    case "jitter":
      return { ...path, jitterMs: between(3, 15) };
    case "bufferbloat":
      return { ...path, bloatMs: between(50, 500) };
    case "constant bufferbloat":
      return { ...path, bloatMs: between(100, 500), bloatFloorMs: between(20, 100) };
    case "loaded pool":
      return { ...path, loadMs: between(3, 15) };
    case "slow machine":
      return { ...path, machineMs: between(3, 12), machineJitterMs: between(2, 10) };
  }
}

/** What a pool sees of a path for a while: one TCP and one application round trip every `everyMs`, at moments of their own. */
export function observe(
  path: Path,
  { durationMs, everyMs }: { durationMs: number; everyMs: number },
  random: Random,
): { tcp: number[]; app: number[] } {
  const exponential = (mean: number) => -Math.log(1 - random()) * mean;
  const phase = random() * 2 * Math.PI;
  const waveMs = 60_000 + random() * 240_000;
  // The queue's size is the wave's; what one packet meets of it varies by half, as traffic comes in bursts.
  const queue = (atMs: number) => {
    if (path.bloatMs === 0) return 0;
    const wave = Math.max(0, Math.sin((2 * Math.PI * atMs) / waveMs + phase));
    const size = Math.max(path.bloatFloorMs, path.bloatMs * wave);
    return size * (0.5 + random());
  };
  const way = (atMs: number) => path.baseMs + exponential(path.jitterMs) + queue(atMs);
  const tcp: number[] = [];
  const app: number[] = [];
  for (let startMs = 0; startMs < durationMs; startMs += everyMs) {
    tcp.push(way(startMs + random() * everyMs));
    const hidden = path.hiddenMs === 0 ? 0 : path.hiddenMs + exponential(path.jitterMs);
    const machine = path.machineMs + exponential(path.machineJitterMs);
    app.push(way(startMs + random() * everyMs) + hidden + machine + exponential(path.loadMs));
  }
  return { tcp, app };
}
