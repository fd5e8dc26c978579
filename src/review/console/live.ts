import { signal } from "@preact/signals";

/** Whether flags arrive as they happen: `live`, or `waiting` while the connection is being made again. */
export const liveness = signal<"live" | "waiting">("waiting");

type Listener = (flagId: string | null) => void;
const listeners = new Set<Listener>();
let source: EventSource | undefined;

/** Calls back for every changed flag, with null when anything may have changed. Returns how to stop. */
export function onFlagChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(flagId: string | null): void {
  for (const listener of listeners) listener(flagId);
}

/** Opens the stream once; the browser connects again by itself with the last id it saw. */
export function listen(): void {
  if (source && source.readyState !== EventSource.CLOSED) return;
  source = new EventSource("/api/v1/stream");
  source.onopen = () => {
    liveness.value = "live";
  };
  source.onerror = () => {
    liveness.value = "waiting";
    // A refusal (signed out, too many) closes it for good: try again later, as the browser would.
    if (source?.readyState === EventSource.CLOSED) setTimeout(listen, 10_000);
  };
  for (const event of ["flag.opened", "flag.updated", "flag.closed"])
    source.addEventListener(event, (message) => tell((JSON.parse(message.data) as { id: string }).id));
  source.addEventListener("refetch", () => tell(null));
}
