import { useState } from "preact/hooks";
import { client } from "./client.ts";
import { count } from "./format.ts";
import { useLoad } from "./load.ts";
import { Empty, Show } from "./parts.tsx";
import { attempt } from "./session.ts";
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
        <span class="spring" />
        <Chain />
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

/** Asks for the hash chain to be recomputed, and says what came of it. */
function Chain() {
  const [check, setCheck] = useState<Awaited<ReturnType<typeof client.verifyAudit>> | null>(null);
  const verify = () =>
    attempt(async () => {
      setCheck(await client.verifyAudit());
    });
  return (
    <>
      {check && (
        <span role="status" class={check.brokenAtId === null ? "holds" : "warning"}>
          {check.brokenAtId === null
            ? `All ${count(check.entries)} lines hold together; the last hash is `
            : `Line ${check.brokenAtId} does not fit the one before it. The last hash is `}
          <code title={check.head}>{check.head.slice(0, 16)}…</code>
        </span>
      )}
      <button type="button" onClick={verify}>
        Verify
      </button>
    </>
  );
}
