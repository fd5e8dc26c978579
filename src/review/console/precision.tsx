import type { ModelAnswer } from "./client.ts";
import { count, percent } from "./format.ts";
import { Text } from "./text.tsx";

type Precision = ModelAnswer["precision"]["anomalies"];

/** The 95 % interval in words. */
export const interval = ({ low, high }: Pick<Precision, "low" | "high">): string =>
  `${percent(low)} to ${percent(high)}`;

/** Precision of parts of the answered flags, measured beside promised. */
export function PrecisionTable({ parts }: { parts: ModelAnswer["precision"]["bands"] }) {
  return (
    <div class="table-wrap">
      <table>
        <thead>
          <tr>
            <th>Part</th>
            <th class="number">Answered</th>
            <th class="number">Confirmed</th>
            <th class="number">Useful</th>
            <th class="number">False positives</th>
            <th class="number">Measured precision</th>
            <th class="number">95 % interval</th>
            <th class="number">Promised</th>
          </tr>
        </thead>
        <tbody>
          {parts.map((part) => (
            <tr key={part.name}>
              <td>
                <Text of={part.name} />
              </td>
              <td class="number">{count(part.answered)}</td>
              <td class="number">{count(part.confirmed)}</td>
              <td class="number">{count(part.useful)}</td>
              <td class="number">{count(part.falsePositive)}</td>
              <td class="number">{part.precision === null ? "–" : percent(part.precision)}</td>
              <td class="number">{interval(part)}</td>
              <td class="number">{part.expected === null ? "–" : percent(part.expected)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
