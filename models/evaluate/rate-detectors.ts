import { FOCUS_CELLS, focusStatistic, resetFocus, updateFocus } from "#core/focus.ts";

/** A detector of a change of rate as the comparison drives it. Time is operational: expected shares. */
export interface RateDetector {
  readonly name: string;
  reset(): void;
  /** Lets silence pass. */
  advance(operationalTime: number): void;
  share(): void;
  /** Grows with the evidence for a change in either direction. */
  statistic(): number;
}

/** Assay's own. */
export function focus(): RateDetector {
  const cells = new Float64Array(FOCUS_CELLS);
  resetFocus(cells, 0);
  return {
    name: "FOCuS",
    reset: () => resetFocus(cells, 0),
    advance: (operationalTime) => updateFocus(cells, 0, 0, operationalTime),
    share: () => updateFocus(cells, 0, 1, 0),
    statistic: () => focusStatistic(cells, 0),
  };
}

/** What a pool's dashboard does: the hashrate over the last `size` shares, as a log-likelihood ratio. */
export function shareWindow(size: number): RateDetector {
  const gaps = new Float64Array(size);
  let filled = 0;
  let next = 0;
  let sum = 0;
  let open = 0;
  const ratio = (events: number, expected: number) =>
    events === 0 || expected === 0 ? expected : events * Math.log(events / expected) - events + expected;
  return {
    name: `${size}-share window`,
    reset: () => {
      gaps.fill(0);
      filled = 0;
      next = 0;
      sum = 0;
      open = 0;
    },
    advance: (operationalTime) => {
      open += operationalTime;
    },
    share: () => {
      sum += open - gaps[next]!;
      gaps[next] = open;
      next = (next + 1) % size;
      filled = Math.min(size, filled + 1);
      open = 0;
    },
    // It says nothing before it is full; the time since the last share counts where it makes the window slower.
    statistic: () =>
      filled < size ? 0 : Math.max(ratio(size, sum), sum + open > size ? ratio(size, sum + open) : 0),
  };
}

/** Exponentially weighted mean of the gaps, as the distance of its logarithm from that of the baseline. */
export function ewma(weight: number): RateDetector {
  let mean = 1;
  let open = 0;
  return {
    name: `EWMA (λ = ${weight})`,
    reset: () => {
      mean = 1;
      open = 0;
    },
    advance: (operationalTime) => {
      open += operationalTime;
    },
    share: () => {
      mean += weight * (open - mean);
      open = 0;
    },
    statistic: () => Math.max(Math.abs(Math.log(mean)), Math.log(mean + weight * (open - mean))),
  };
}

/** Page's CUSUM, one for each direction, tuned to rates `low` and `high` times the baseline's. */
export function cusum(low: number, high: number): RateDetector {
  let down = 0;
  let up = 0;
  return {
    name: `CUSUM (ρ = ${low}, ${high})`,
    reset: () => {
      down = 0;
      up = 0;
    },
    advance: (operationalTime) => {
      down += (1 - low) * operationalTime;
      up = Math.max(0, up - (high - 1) * operationalTime);
    },
    share: () => {
      down = Math.max(0, down + Math.log(low));
      up += Math.log(high);
    },
    statistic: () => Math.max(down, up),
  };
}
