import { useEffect, useRef, useState } from "preact/hooks";
import type { FlagState } from "#core/flag.ts";
import { client, type FlagSummary } from "./client.ts";
import { count } from "./format.ts";
import { attempt, say } from "./session.ts";
import { Text } from "./text.tsx";

const DONE: Record<FlagState, string> = { open: "opened again", investigating: "taken up", closed: "closed" };
const VERB: Record<FlagState, string> = { open: "Open again", investigating: "Investigate", closed: "Close" };

/** Moves some flags and offers to move them back. */
export function moveFlags(flags: readonly FlagSummary[], state: FlagState): Promise<void> {
  const moving = flags.filter((flag) => flag.state !== state);
  return attempt(async () => {
    for (const { id } of moving) await client.setState(id, state);
    if (moving.length === 0) return;
    const undo = () =>
      attempt(async () => {
        for (const { id, state: before } of moving) await client.setState(id, before);
      });
    say(`${count(moving.length)} ${moving.length === 1 ? "flag" : "flags"} ${DONE[state]}.`, { undo });
  });
}

/** What can be done with the rows that are ticked, or with everything the filter matches. */
export function BulkBar(props: {
  selected: FlagSummary[];
  total: number;
  onAll: () => void;
  onDone: () => void;
}) {
  const { selected, total, onAll, onDone } = props;
  const act = async (state: FlagState) => {
    await moveFlags(selected, state);
    onDone();
  };
  return (
    <section class="bulk" aria-label="Selection">
      <strong>{count(selected.length)} selected</strong>
      {(["investigating", "closed", "open"] as const).map((state) => (
        <button key={state} type="button" onClick={() => act(state)}>
          {VERB[state]}
        </button>
      ))}
      {total > selected.length && (
        <button type="button" class="quiet" onClick={onAll}>
          Act on all {count(total)} that match…
        </button>
      )}
      <button type="button" class="quiet" onClick={onDone}>
        Clear selection
      </button>
    </section>
  );
}

/**
 * Asks first, says how far it is, and can be stopped. Flags that change meanwhile are left alone. It belongs to the page,
 * not to the selection: the selected rows leave the queue while it works.
 */
export function ActOnAll({
  total,
  filter,
  close,
}: {
  total: number;
  filter: Record<string, string>;
  close: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const stopped = useRef(false);
  const [done, setDone] = useState<number | null>(null);
  const [seenAt] = useState(() => new Date().toISOString());
  useEffect(() => {
    dialog.current?.showModal();
    return () => {
      stopped.current = true;
    };
  }, []);
  const run = (state: FlagState) =>
    attempt(async () => {
      let [after, looked, changed]: [string | undefined, number, number] = [undefined, 0, 0];
      setDone(0);
      do {
        const step: Awaited<ReturnType<typeof client.setStateOfAll>> = await client.setStateOfAll(
          filter,
          state,
          seenAt,
          after,
        );
        looked += step.changed + step.left;
        changed += step.changed;
        after = step.next ?? undefined;
        setDone(looked);
      } while (after && !stopped.current);
      say(`${count(changed)} flags ${DONE[state]}.`);
    }).then(close);
  const words = Object.entries(filter)
    .map(([name, value]) => `${name}: ${value}`)
    .join(", ");
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="act-on-all">
      <h2 id="act-on-all">Act on all {count(total)} flags that match</h2>
      <p>
        <Text of={words || "No filter: every flag."} />
      </p>
      <p class="muted">
        Each change is recorded with your name. Flags updated after this moment are left alone.
      </p>
      {done === null ? (
        <div class="actions">
          <button type="button" class="primary" onClick={() => run("closed")}>
            Close all
          </button>
          <button type="button" onClick={() => run("investigating")}>
            Investigate all
          </button>
          <button type="button" class="quiet" onClick={close}>
            Cancel
          </button>
        </div>
      ) : (
        <div class="actions">
          <progress max={total} value={done} aria-label="Progress" />
          <span>
            {count(done)} of {count(total)}
          </span>
          <button
            type="button"
            onClick={() => {
              stopped.current = true;
            }}
          >
            Stop
          </button>
        </div>
      )}
    </dialog>
  );
}
