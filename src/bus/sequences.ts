/** Gaps remembered for a source; what lies below the oldest of more is too old to tell. */
const MAX_INTERVALS = 32;
/** Sources remembered; the one not heard of for longest is forgotten first. */
const MAX_SOURCES = 4096;

interface Numbers {
  /** Nothing is known of numbers up to this one. */
  floor: number;
  /** Runs of numbers appended, ascending, apart: [first, last]. */
  runs: [number, number][];
}

/** Plain form, for the head of a journal segment. */
export type SequencesSnapshot = [source: string, floor: number, runs: [number, number][]][];

/**
 * Which (source, sequence) pairs were appended. A source that counts up costs one run, however long it lives; memory is
 * bounded by forgetting the oldest gaps, and such numbers are then "too old" rather than guessed at.
 */
export class Sequences {
  readonly #sources = new Map<string, Numbers>();

  constructor(snapshot: SequencesSnapshot = []) {
    for (const [source, floor, runs] of snapshot) this.#sources.set(source, { floor, runs });
  }

  look(source: string, sequence: number): "new" | "known" | "too old" {
    const numbers = this.#sources.get(source);
    if (numbers === undefined) return "new";
    if (sequence <= numbers.floor) return "too old";
    return numbers.runs.some(([first, last]) => sequence >= first && sequence <= last) ? "known" : "new";
  }

  add(source: string, sequence: number): void {
    const numbers = this.#sources.get(source) ?? { floor: -1, runs: [] };
    this.#sources.delete(source);
    this.#sources.set(source, numbers);
    const { runs } = numbers;
    let at = runs.findIndex(([first]) => first > sequence);
    if (at < 0) at = runs.length;
    runs.splice(at, 0, [sequence, sequence]);
    if (at + 1 < runs.length && runs[at + 1]![0] === sequence + 1) join(runs, at);
    if (at > 0 && runs[at - 1]![1] >= sequence - 1) join(runs, at - 1);
    if (runs.length > MAX_INTERVALS) numbers.floor = runs.shift()![1];
    if (this.#sources.size > MAX_SOURCES) this.#sources.delete(this.#sources.keys().next().value!);
  }

  snapshot(): SequencesSnapshot {
    return [...this.#sources].map(([source, { floor, runs }]) => [source, floor, runs]);
  }
}

/** Makes one run of the one at `at` and the next. */
function join(runs: [number, number][], at: number): void {
  const [, last] = runs[at + 1]!;
  runs[at]![1] = Math.max(runs[at]![1], last);
  runs.splice(at + 1, 1);
}
