import { useState } from "preact/hooks";
import type { FlagDetail, Outcome } from "./client.ts";
import { client } from "./client.ts";
import { At } from "./parts.tsx";
import { attempt, mayReview, say } from "./session.ts";
import { Text } from "./text.tsx";
import { OUTCOME_WORDS } from "./wording.ts";

const OUTCOMES = Object.keys(OUTCOME_WORDS) as Outcome[];

/** The operator's answer. It closes the flag and goes into the audit trail under the operator's name. */
export function VerdictForm({ detail, onDone }: { detail: FlagDetail; onDone: () => void }) {
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [comment, setComment] = useState("");
  const [sending, setSending] = useState(false);
  const send = async (event: Event) => {
    event.preventDefault();
    if (!outcome) return;
    setSending(true);
    await attempt(async () => {
      await client.decide(detail.flag.id, outcome, comment);
      say("Verdict recorded; the flag is closed.");
      setOutcome(null);
      setComment("");
      onDone();
    });
    setSending(false);
  };
  return (
    <>
      {detail.verdicts.map((verdict) => (
        <div key={verdict.atMs} class="given">
          <strong>{OUTCOME_WORDS[verdict.outcome][0]}</strong> by <Text of={verdict.actor} />,{" "}
          <At ms={verdict.atMs} />
          {verdict.comment && (
            <p>
              <Text of={verdict.comment} />
            </p>
          )}
        </div>
      ))}
      {mayReview() ? (
        <form id="verdict" class="verdict" onSubmit={send}>
          <fieldset>
            <legend class="hidden">Verdict</legend>
            {OUTCOMES.map((each) => (
              <label key={each} class={outcome === each ? "outcome chosen" : "outcome"}>
                <input
                  type="radio"
                  name="outcome"
                  value={each}
                  checked={outcome === each}
                  onChange={() => setOutcome(each)}
                />
                <span>
                  <strong>{OUTCOME_WORDS[each][0]}</strong>
                  <span class="muted">{OUTCOME_WORDS[each][1]}</span>
                </span>
              </label>
            ))}
          </fieldset>
          <label class="field">
            Comment
            <textarea
              rows={3}
              maxLength={10_000}
              placeholder="What you saw and why you decide so. Auditors read this."
              value={comment}
              onInput={(event) => setComment(event.currentTarget.value)}
            />
          </label>
          <button type="submit" class="primary" disabled={!outcome || sending}>
            {sending ? "Recording…" : "Record verdict"}
          </button>
        </form>
      ) : (
        <p class="muted">Your role may read, not decide.</p>
      )}
    </>
  );
}
