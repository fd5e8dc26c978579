import type { Origin } from "#core/origin.ts";
import type { LatencyEvaluation } from "./evaluate-latency.ts";

/** What is known of an address, in words: a line of all, then a line a fact with its source. */
export function describeOrigin({
  ip,
  country,
  region,
  asn,
  holder,
  kind,
  tier,
  confidence,
  facts,
}: Origin): string[] {
  const place = region === "" ? country : region;
  const network = [asn === 0 ? "" : `AS${asn}`, holder].filter(Boolean).join(" ");
  const words = [place, network, kind, `tier ${tier}`, `confidence ${confidence.toFixed(2)}`];
  return [
    `${ip}: ${words.filter(Boolean).join(", ")}`,
    ...facts.map(({ fact, value, source }) => `  ${fact} ${value}: ${source}`),
  ];
}

/** The figures of an evaluation under their public names. */
export function latencyFigures({
  rows,
  inUse,
}: LatencyEvaluation): { figure: string; value: number; unit: string }[] {
  const hour = rows.filter(({ method, samples }) => method.endsWith("(in use)") && samples === 60);
  return [
    ...hour.map(({ hiddenMs, recallAt1Percent }) => ({
      figure: `latency.recall_${hiddenMs}ms_at_1pct`,
      value: recallAt1Percent,
      unit: "part of relays",
    })),
    { figure: "latency.fpr_in_use", value: inUse.falsePositiveRate, unit: "part of direct miners" },
    { figure: "latency.recall_20ms_in_use", value: inUse.recall20Ms, unit: "part of relays" },
  ];
}

/** An evaluation as tables in plain text, a line each. */
export function describeLatency({ rows, falsePositives, inUse, estimates }: LatencyEvaluation): string[] {
  const percent = (part: number) => `${(part * 100).toFixed(1)} %`.padStart(8);
  const hidden = [...new Set(rows.map(({ hiddenMs }) => hiddenMs))];
  const methods = [...new Set(rows.map(({ method, samples }) => `${method}\n${samples}`))];
  const cells = methods.map((key) => {
    const [method = "", samples = ""] = key.split("\n");
    const own = rows.filter((row) => row.method === method && String(row.samples) === samples);
    const recall = own.map(({ recallAt1Percent }) => percent(recallAt1Percent));
    const auc = own.map((row) => row.auc.toFixed(3).padStart(7));
    return `${method.padEnd(24)} ${samples.padStart(3)} ${recall.join("")}  ${auc.join("")}`;
  });
  const heads = hidden.map((ms) => `${ms} ms`);
  return [
    "Relays found in an hour when 1 % of direct miners are taken for relays, by hidden leg; area under the ROC curve",
    `${"method".padEnd(24)} n/h ${heads.map((head) => head.padStart(8)).join("")}  ${heads.map((head) => head.padStart(7)).join("")}`,
    ...cells,
    "",
    `At the threshold in use: ${percent(inUse.recall20Ms).trim()} of relays with 20 ms, ${percent(inUse.falsePositiveRate).trim()} of direct miners, by condition:`,
    ...falsePositives.map(({ condition, part }) => `  ${condition.padEnd(22)}${percent(part)}`),
    "",
    "Error of the estimate (median), and how often its interval holds the truth:",
    ...estimates.map(
      ({ hiddenMs, medianErrorMs, covered }) =>
        `  ${`${hiddenMs} ms`.padStart(7)}  ${medianErrorMs.toFixed(1).padStart(5)} ms ${percent(covered)}`,
    ),
  ];
}
