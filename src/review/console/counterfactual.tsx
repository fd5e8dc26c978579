import { FEATURES } from "#core/features.ts";
import type { FlagDetail } from "./client.ts";
import { readable } from "./feature-table.tsx";
import { percent } from "./format.ts";

const ABOUT = new Map(FEATURES.map(({ name, about }) => [name, about.replace(/\.$/, "")]));

/** A score to a tenth of a per cent, never rounded up to the threshold it lies below. */
const below = (score: number): string => `${Math.floor(score * 1000) / 10} %`;

/** What would have to be otherwise for the account not to be flagged: true of the model, not of the world. */
export function CounterfactualNote({ of }: { of: FlagDetail["evidence"]["counterfactual"] }) {
  if (of === undefined) return null;
  if (of === null)
    return <p class="muted">No small change of its features would take this account below the threshold.</p>;
  return (
    <div class="counterfactual">
      <h3>
        Below {percent(of.threshold)} if{" "}
        <span class="muted">scored again with that change: {below(of.value)}</span>
      </h3>
      <ul>
        {of.changes.map(({ feature, from, to }) => (
          <li key={feature}>
            <code>{feature}</code> were {readable(feature, to)} instead of {readable(feature, from)}{" "}
            <span class="muted">{ABOUT.get(feature)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
