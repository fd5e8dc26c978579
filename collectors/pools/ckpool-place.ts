/** How far one open file was read: byte offset after the last whole line, and how many lines that were. */
export interface FilePlace {
  offset: number;
  lines: number;
}

/**
 * How far a share-log tree was read. A file is named "<height>/<workinfoid>"; ids rise with time, so all files up to
 * `done` are finished and never opened again, and only the few behind it need an offset of their own.
 */
export interface TreePlace {
  /** Highest finished id, 16 hexadecimal digits; "" before the first. */
  done: string;
  open: Map<string, FilePlace>;
}

/** The id in "<height>/<workinfoid>", padded so that text order is id order. */
export function idOf(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1).padStart(16, "0");
}

/** The place as a cursor. */
export function writePlace(place: TreePlace): string {
  const open: Record<string, [number, number]> = {};
  for (const [file, { offset, lines }] of place.open) open[file] = [offset, lines];
  return JSON.stringify({ done: place.done, open });
}

/** Reads a cursor; throws when it is none of this collector's. */
export function readPlace(cursor: string | undefined): TreePlace {
  if (cursor === undefined) return { done: "", open: new Map() };
  const { done, open } = JSON.parse(cursor) as { done: string; open: Record<string, [number, number]> };
  const files = Object.entries(open).map(([file, [offset, lines]]) => [file, { offset, lines }] as const);
  return { done, open: new Map(files) };
}
