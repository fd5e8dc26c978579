import type { Delivery } from "#core/store.ts";

/** What became of one attempt. `refused` is final: trying again cannot help. */
export type Outcome =
  | { outcome: "delivered" }
  /** `afterMs`: the receiver asked to be left alone for so long. */
  | { outcome: "retry"; reason: string; afterMs?: number }
  /** `gone`: the receiver wants nothing more at all; the destination is disabled. */
  | { outcome: "refused"; reason: string; gone?: boolean };

/** Somewhere deliveries go. */
export interface Destination {
  /** As in the configuration and in the outbox. */
  readonly name: string;
  /** Makes one attempt. Failure is data: it throws only where the program is broken. Stops promptly on abort. */
  send(message: Pick<Delivery, "id" | "event" | "body">, signal: AbortSignal): Promise<Outcome>;
}
