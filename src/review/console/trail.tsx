import { useState } from "preact/hooks";
import type { AuditLine } from "./client.ts";
import { At, flagPath } from "./parts.tsx";
import { Text } from "./text.tsx";
import { actionWords } from "./wording.ts";

/** What a reader of the trail looks for first; the rest is behind a fold. */
const SHOWN = ["state", "severity", "score", "outcome", "comment"];

/** `{state: "open", score: 0.7}` as "state open, score 0.7". */
function words(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "object") return String(value);
  return Object.entries(value)
    .filter(([key, each]) => SHOWN.includes(key) && each !== "")
    .map(([key, each]) => `${key} ${typeof each === "number" ? Number(each.toPrecision(3)) : each}`)
    .join(", ");
}

const hasMore = ({ before, after }: AuditLine) =>
  [before, after].some(
    (value) =>
      value !== null && typeof value === "object" && Object.keys(value).some((key) => !SHOWN.includes(key)),
  );

/** Lines of the audit trail: who did what, and what it changed. */
export function Trail(props: {
  entries: readonly AuditLine[];
  withFlag?: boolean;
  /** How many are shown before the rest is asked for. */
  first?: number;
}) {
  const { withFlag = false, first = Number.POSITIVE_INFINITY } = props;
  const [whole, setWhole] = useState(false);
  const entries = whole ? props.entries : props.entries.slice(0, first);
  const rest = props.entries.length - entries.length;
  return (
    <ol class={withFlag ? "trail whole" : "trail"}>
      {entries.map((entry) => (
        <li key={entry.id}>
          <span class="muted">
            <At ms={entry.atMs} />
          </span>
          <span>
            <strong>
              <Text of={entry.actor} />
            </strong>{" "}
            {actionWords(entry.action)}
            {withFlag && entry.flagId && (
              <>
                {" "}
                <a href={flagPath(entry.flagId)}>
                  <code>{entry.flagId}</code>
                </a>
              </>
            )}
            {(entry.before !== null || entry.after !== null) && (
              <span class="diff">
                {words(entry.before) && (
                  <>
                    <del>
                      <Text of={words(entry.before)} />
                    </del>
                    {" → "}
                  </>
                )}
                <Text of={words(entry.after)} />
                {hasMore(entry) && (
                  <details>
                    <summary>The whole entry</summary>
                    <pre>
                      <Text of={JSON.stringify({ before: entry.before, after: entry.after }, null, 1)} />
                    </pre>
                  </details>
                )}
              </span>
            )}
          </span>
        </li>
      ))}
      {rest > 0 && (
        <li>
          <button type="button" class="quiet" onClick={() => setWhole(true)}>
            {rest} earlier
          </button>
        </li>
      )}
    </ol>
  );
}
