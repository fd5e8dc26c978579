import { closeSync, openSync, readSync } from "node:fs";
import { appendFile, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** One file of a spool: whole lines, under the number it is handed over with. */
export interface Segment {
  sequence: number;
  bytes: number;
  lines: number;
}

/** How a spool is kept. */
export interface SpoolOptions {
  directory: string;
  /** Kept at most; the oldest segments go first. */
  limitBytes: number;
  /** A segment is closed when it reaches this size: it is what is posted at once. */
  segmentBytes: number;
  /** First number of a spool that has no files, above all that an earlier, lost one can have used. */
  firstSequence: number;
}

const NAME = /^(\d{1,16})\.ndjson$/;
const NEWLINE = 0x0a;

/**
 * Lines on disk that wait to be handed over, in numbered segments. Invariant: the highest number is the one open
 * segment, everything below it is sealed and never changes again, so a number always stands for the same lines,
 * however often the process dies. Survives the death of the process (not of the machine: lines are not synced).
 * One process at a time.
 */
export class Spool {
  droppedLines = 0;
  readonly #options: SpoolOptions;
  #sealed: Segment[] = [];
  #open: Segment = { sequence: 0, bytes: 0, lines: 0 };
  #held: number | null = null;

  private constructor(options: SpoolOptions) {
    this.#options = options;
  }

  /** Opens a spool and repairs what a death in the middle of a write left: half a line at the end of the open segment. */
  static async open(options: SpoolOptions): Promise<Spool> {
    const spool = new Spool(options);
    await mkdir(options.directory, { recursive: true });
    const sequences = (await readdir(options.directory))
      .map((file) => Number(NAME.exec(file)?.[1] ?? Number.NaN))
      .filter((sequence) => Number.isSafeInteger(sequence))
      .sort((one, other) => one - other);
    for (const sequence of sequences) spool.#sealed.push(await spool.#measure(sequence));
    const last = spool.#sealed.pop();
    if (last) spool.#open = last;
    else await spool.#start(options.firstSequence);
    return spool;
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#sealed.reduce((sum, segment) => sum + segment.bytes, this.#open.bytes);
  }

  /** Lines that wait. */
  get lines(): number {
    return this.#sealed.reduce((sum, segment) => sum + segment.lines, this.#open.lines);
  }

  /** Adds whole lines. Throws when the disk refuses; what it took is then cut off again. */
  async append(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const text = Buffer.from(`${lines.join("\n")}\n`);
    if (this.#open.bytes > 0 && this.#open.bytes + text.length > this.#options.segmentBytes)
      await this.#seal();
    const { sequence, bytes } = this.#open;
    try {
      await appendFile(this.#file(sequence), text);
    } catch (cause) {
      await truncate(this.#file(sequence), bytes).catch(() => this.#seal());
      throw cause;
    }
    this.#open.bytes += text.length;
    this.#open.lines += lines.length;
    await this.#makeRoom();
  }

  /** The oldest lines, sealed, or null when nothing waits. They stay until `done`. */
  async take(): Promise<{ sequence: number; body: Buffer; lines: number } | null> {
    if (this.#sealed.length === 0 && this.#open.bytes > 0) await this.#seal();
    const segment = this.#sealed[0];
    if (!segment) return null;
    this.#held = segment.sequence;
    return {
      sequence: segment.sequence,
      body: await readFile(this.#file(segment.sequence)),
      lines: segment.lines,
    };
  }

  /** Forgets a segment that was handed over or refused. */
  async done(sequence: number): Promise<void> {
    this.#held = null;
    this.#sealed = this.#sealed.filter((segment) => segment.sequence !== sequence);
    await rm(this.#file(sequence), { force: true });
  }

  /** Seals the open segment by starting the next one. */
  async #seal(): Promise<void> {
    const sealed = this.#open;
    await this.#start(sealed.sequence + 1);
    this.#sealed.push(sealed);
  }

  async #start(sequence: number): Promise<void> {
    await writeFile(this.#file(sequence), "");
    this.#open = { sequence, bytes: 0, lines: 0 };
  }

  /** Drops the oldest sealed segments beyond the limit, but not the one that is being posted. */
  async #makeRoom(): Promise<void> {
    while (this.bytes > this.#options.limitBytes) {
      const oldest = this.#sealed.find((segment) => segment.sequence !== this.#held);
      if (!oldest) return;
      this.droppedLines += oldest.lines;
      this.#sealed = this.#sealed.filter((segment) => segment !== oldest);
      await rm(this.#file(oldest.sequence), { force: true });
    }
  }

  async #measure(sequence: number): Promise<Segment> {
    const file = this.#file(sequence);
    const { size } = await stat(file);
    const { lines, end } = countLines(file);
    if (end < size) await truncate(file, end);
    return { sequence, bytes: end, lines };
  }

  #file(sequence: number): string {
    return join(this.#options.directory, `${String(sequence).padStart(16, "0")}.ndjson`);
  }
}

function countLines(file: string): { lines: number; end: number } {
  const chunk = Buffer.alloc(65_536);
  const descriptor = openSync(file, "r");
  try {
    let lines = 0;
    let end = 0;
    let at = 0;
    for (let read = readSync(descriptor, chunk); read > 0; read = readSync(descriptor, chunk)) {
      for (
        let next = chunk.indexOf(NEWLINE);
        next >= 0 && next < read;
        next = chunk.indexOf(NEWLINE, next + 1)
      ) {
        lines += 1;
        end = at + next + 1;
      }
      at += read;
    }
    return { lines, end };
  } finally {
    closeSync(descriptor);
  }
}
