import type { Parsed } from "./watch-list.ts";

/** What a dialect does with an element: at its start, with its attributes, and at its end, with its text. */
export interface Dialect {
  open(name: string, attributes: Record<string, string>): void;
  close(name: string, text: string, parent: string): void;
  /** Called once at the end. Throws a ListError when the document contradicts itself. */
  finish(): Parsed;
}
