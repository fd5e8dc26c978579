/** One measured figure, as `npm run bench -- NAME --json` prints it. */
export interface Figure {
  figure: string;
  value: number;
  unit: string;
  /** What it was measured beside, in the same run, and what that reached. */
  peer?: string;
  peerValue?: number;
  ratio?: number;
}

/** Median of several runs: these figures are taken on shared machines. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** CPU-seconds (user and system) that `work` took in this process. */
export async function cpuSeconds(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
