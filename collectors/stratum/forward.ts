import type { Socket } from "node:net";
import type { Direction } from "./ledger-context.ts";

/** What a forwarded pair of connections tells its owner. */
export interface ForwardHooks {
  /** A chunk has been handed to the other side; it must not be changed. */
  copied: (direction: Direction, chunk: Buffer) => void;
  /** Both sides are closed. Called once. */
  ended: (reason: string) => void;
}

/**
 * Forwards bytes between a miner and its pool, both ways, unchanged and at once. A side that reads slowly pauses the
 * other (at most Node's high-water mark and one chunk wait in memory); the end of one direction ends that direction
 * only; a side that breaks or closes whole closes the other after what was already read for it has been sent. Both
 * sockets must have been made with `allowHalfOpen`.
 */
export function forward(miner: Socket, pool: Socket, hooks: ForwardHooks): void {
  let reason = "";
  let open = 2;
  const note = (why: string) => {
    if (reason === "") reason = why;
  };
  const pump = (direction: Direction, from: Socket, to: Socket) => {
    from.on("data", (chunk: Buffer) => {
      if (!to.write(chunk)) from.pause();
      hooks.copied(direction, chunk);
    });
    to.on("drain", () => from.resume());
    from.on("end", () => {
      note(direction === "up" ? "miner ended" : "pool ended");
      to.end();
    });
    from.on("error", (error: NodeJS.ErrnoException) => {
      note(`${direction === "up" ? "miner" : "pool"}: ${error.code ?? "broken"}`);
    });
    from.on("close", () => {
      note(direction === "up" ? "miner closed" : "pool closed");
      to.destroySoon();
      open -= 1;
      if (open === 0) hooks.ended(reason);
    });
  };
  pump("up", miner, pool);
  pump("down", pool, miner);
}
