/** The last `capacity` numbers of a stream, kept in order of size: memory 16 bytes a number, a search each for adding and asking. */
export interface SortedHistory {
  readonly size: number;
  /** Adds a number; the oldest makes room. */
  add(value: number): void;
  /** How many are at least `value`. */
  countFrom(value: number): number;
  /** Distance from `value` to the nearest; 0 where there is none yet. */
  distance(value: number): number;
}

/** An empty history. */
export function sortedHistory(capacity: number): SortedHistory {
  const sorted = new Float64Array(capacity);
  const arrived = new Float64Array(capacity);
  let size = 0;
  let added = 0;
  /** Place of the first number that is at least `value`. */
  const place = (value: number): number => {
    let low = 0;
    let high = size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < value) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    get size() {
      return size;
    },
    add(value) {
      const slot = added % capacity;
      if (size === capacity) {
        const oldest = place(arrived[slot]!);
        sorted.copyWithin(oldest, oldest + 1, size);
        size -= 1;
      }
      const at = place(value);
      sorted.copyWithin(at + 1, at, size);
      sorted[at] = value;
      arrived[slot] = value;
      size += 1;
      added += 1;
    },
    countFrom: (value) => size - place(value),
    distance(value) {
      if (size === 0) return 0;
      const at = place(value);
      const above = at < size ? sorted[at]! - value : Number.POSITIVE_INFINITY;
      const below = at > 0 ? value - sorted[at - 1]! : Number.POSITIVE_INFINITY;
      return Math.min(above, below);
    },
  };
}
