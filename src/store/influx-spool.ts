import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Packed } from "./influx-write.ts";

/** A batch that waits on disk. */
interface Waiting extends Omit<Packed, "gzipped"> {
  file: string;
  bytes: number;
}

/** Batches kept on disk while the server is away: first in, first out, bounded, and there again after a restart. */
export interface Spool {
  /** Bytes and points that wait, and points dropped since the start because the bound was reached. */
  state(): { bytes: number; points: number; dropped: number };
  /** Resolves when the batch is safe on disk. Drops the oldest where there is no room. */
  put(batch: Packed): Promise<void>;
  /** The oldest batch; it stays until it is removed. */
  oldest(): Promise<{ batch: Packed; remove: () => Promise<void> } | null>;
}

const NAME = /^(\d{12})-(1m|1h)-(ms|u)-(\d+)\.lp\.gz$/;

/** Opens a spool. A batch that was half written when the process died is not one and is removed. */
export async function openSpool(directory: string, maxBytes: number): Promise<Spool> {
  await mkdir(directory, { recursive: true });
  const waiting: Waiting[] = [];
  let dropped = 0;
  let next = 0;
  for (const file of (await readdir(directory)).sort()) {
    const [, number, level, precision, points] = NAME.exec(file) ?? [];
    if (number === undefined) {
      await rm(join(directory, file), { recursive: true });
      continue;
    }
    const { size: bytes } = await stat(join(directory, file));
    next = Number(number) + 1;
    waiting.push({ file, bytes, points: Number(points), level: level as "1m", precision: precision as "ms" });
  }

  const total = (field: "bytes" | "points") => waiting.reduce((sum, batch) => sum + batch[field], 0);
  async function remove(batch: Waiting): Promise<boolean> {
    const index = waiting.indexOf(batch);
    if (index >= 0) waiting.splice(index, 1);
    await rm(join(directory, batch.file), { force: true });
    return index >= 0;
  }

  return {
    state: () => ({ bytes: total("bytes"), points: total("points"), dropped }),
    async put({ gzipped, ...batch }) {
      const { level, precision, points } = batch;
      const bytes = gzipped.byteLength;
      if (bytes > maxBytes) {
        dropped += points;
        return;
      }
      while (waiting[0] && total("bytes") + bytes > maxBytes) {
        const [first] = waiting;
        if (await remove(first)) dropped += first.points;
      }
      const file = `${String(next).padStart(12, "0")}-${level}-${precision}-${points}.lp.gz`;
      next += 1;
      const handle = await open(join(directory, `${file}.new`), "w");
      try {
        await handle.writeFile(gzipped);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(join(directory, `${file}.new`), join(directory, file));
      waiting.push({ ...batch, file, bytes });
    },
    async oldest() {
      const [first] = waiting;
      if (!first) return null;
      const { level, precision, points, file } = first;
      const gzipped = await readFile(join(directory, file));
      return { batch: { level, precision, points, gzipped }, remove: async () => void (await remove(first)) };
    },
  };
}
