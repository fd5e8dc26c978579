import { useState } from "preact/hooks";
import { client } from "./client.ts";
import { useLoad } from "./load.ts";
import { Empty, Show } from "./parts.tsx";
import { Trail } from "./trail.tsx";

const PAGE = 200;

/** The whole audit trail in the order it was written. */
export function Audit() {
  const [starts, setStarts] = useState([0]);
  const after = starts.at(-1) ?? 0;
  const page = useLoad(`audit ${after}`, () => client.audit(after));
  const last = page.data?.entries.at(-1)?.id;
  return (
    <>
      <div class="page-head">
        <h1>Audit trail</h1>
        <span class="muted">in the order it was written</span>
      </div>
      <Show of={page} rows={10}>
        {({ entries }) =>
          entries.length === 0 ? (
            <Empty title="Nothing is written here" />
          ) : (
            <Trail entries={entries} withFlag />
          )
        }
      </Show>
      <div class="actions">
        {starts.length > 1 && (
          <button type="button" onClick={() => setStarts(starts.slice(0, -1))}>
            Earlier
          </button>
        )}
        {last !== undefined && page.data?.entries.length === PAGE && (
          <button type="button" onClick={() => setStarts([...starts, last])}>
            Later
          </button>
        )}
      </div>
    </>
  );
}
