import type { FlagSummary } from "./client.ts";
import {
  Account,
  Age,
  Families,
  flagPath,
  Likelihood,
  SeverityBadge,
  StateBadge,
  Typologies,
} from "./parts.tsx";
import { navigate } from "./session.ts";
import { Text } from "./text.tsx";

/** A flag in the queue. A click anywhere opens it; the link is what the keyboard moves over. */
export function QueueRow(props: {
  flag: FlagSummary;
  ticked: boolean;
  current: boolean;
  fresh: boolean;
  /** Whether the rows are in different states, and say in which. */
  state: boolean;
  tick: (id: string) => void;
  focus: (id: string) => void;
}) {
  const { flag, ticked, current, fresh, state, tick, focus } = props;
  return (
    <tr
      class={`${current ? "current" : ""} ${fresh ? "fresh" : ""}`}
      aria-selected={ticked}
      data-kind={flag.kind}
      onClick={(event) => {
        const hit = event.target as Element;
        if (!hit.closest("a, input, label")) navigate(flagPath(flag.id));
      }}
    >
      <td class="tick">
        <input
          type="checkbox"
          aria-label={`Select ${flag.account}`}
          checked={ticked}
          onChange={() => tick(flag.id)}
        />
      </td>
      <td>
        <SeverityBadge severity={flag.severity} />
      </td>
      <td class="who">
        <div>
          <a href={flagPath(flag.id)} onFocus={() => focus(flag.id)}>
            <Account name={flag.account} />
          </a>
          <Text of={flag.pool} class="muted pool" />
        </div>
      </td>
      <td>
        <Typologies flag={flag} />
      </td>
      <td class="wide">
        <Families families={flag.families} />
      </td>
      <td>
        <Likelihood flag={flag} />
      </td>
      {state && (
        <td>
          <StateBadge state={flag.state} />
        </td>
      )}
      <td class="number">
        <Age at={Date.parse(flag.updatedAt)} />
      </td>
    </tr>
  );
}
