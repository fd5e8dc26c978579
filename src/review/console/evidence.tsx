import type { Evidence, Reason } from "#core/flag.ts";
import { figure, percent, when } from "./format.ts";
import { zone } from "./session.ts";
import { Text } from "./text.tsx";
import { FAMILY_WORDS } from "./wording.ts";

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;

/** `logLikelihoodRatio` as "log likelihood ratio"; a unit at the end becomes part of the figure. */
function heading(key: string): string {
  const words = key.replace(/Ms$/, "").replace(/([a-z0-9])([A-Z])/g, "$1 $2");
  return words.length <= 3 && words !== "at" ? words.toUpperCase() : words.toLowerCase();
}

function value(key: string, given: unknown): string {
  if (typeof given === "number") {
    if (/^(at|first|last|from|to)Ms$/.test(key)) return when(given, zone.value);
    if (key.endsWith("Ms")) return `${figure(given)} ms`;
    if (/(share|fraction)$/i.test(key) && given >= 0 && given <= 1) return percent(given);
    return figure(given);
  }
  if (typeof given === "string") return INSTANT.test(given) ? when(Date.parse(given), zone.value) : given;
  return given === null || given === undefined ? "–" : JSON.stringify(given);
}

/** What a reason stands on: entries of one type make one table. */
function EvidenceTables({ entries }: { entries: readonly Evidence[] }) {
  const types = [...new Set(entries.map(({ type }) => type))];
  return (
    <>
      {types.map((type) => {
        const rows = entries.filter((entry) => entry.type === type);
        const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((key) => key !== "type");
        return (
          <div class="table-wrap" key={type}>
            <table class="evidence">
              <caption>{type.replaceAll("-", " ")}</caption>
              <thead>
                <tr>
                  {keys.map((key) => (
                    <th key={key} class={typeof rows[0]?.[key] === "number" ? "number" : ""}>
                      {heading(key)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {rows.map((row, index) => (
                  <tr key={index}>
                    {keys.map((key) => (
                      <td key={key} class={typeof row[key] === "number" ? "number" : ""}>
                        <Text of={value(key, row[key])} />
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        );
      })}
    </>
  );
}

/** The reasons, the weightiest family first, each a sentence with what it stands on behind a fold. */
export function Reasons({ reasons }: { reasons: readonly Reason[] }) {
  const families = [...new Set(reasons.map(({ family }) => family))];
  const weight = (family: string) =>
    reasons.filter((each) => each.family === family).reduce((sum, each) => sum + each.weight, 0);
  families.sort((a, b) => weight(b) - weight(a));
  return (
    <div class="reasons">
      {families.map((family) => (
        <section key={family} class="family">
          <h3>
            {FAMILY_WORDS[family][0]} <span class="muted">{FAMILY_WORDS[family][1]}</span>
          </h3>
          {reasons
            .filter((reason) => reason.family === family)
            .map((reason) => (
              <article key={reason.code} class="reason">
                <div class="weight" title="The part of the score that this reason carries">
                  <span class="meter" aria-hidden="true">
                    <span style={{ width: `${Math.min(1, Math.max(0, reason.weight)) * 100}%` }} />
                  </span>
                  <span>{percent(reason.weight)}</span>
                </div>
                <div>
                  <p>
                    <Text of={reason.text} /> <code class="muted">{reason.code}</code>
                  </p>
                  {reason.evidence.length > 0 && (
                    <details>
                      <summary>
                        {reason.evidence.length}{" "}
                        {reason.evidence.length === 1 ? "observation" : "observations"} behind it
                      </summary>
                      <EvidenceTables entries={reason.evidence} />
                    </details>
                  )}
                </div>
              </article>
            ))}
        </section>
      ))}
    </div>
  );
}
