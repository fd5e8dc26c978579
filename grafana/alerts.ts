import { ask, SOURCE } from "./influxql.ts";

/** One alert rule: a question, and what its newest value must be for the rule to fire. */
interface Alert {
  uid: string;
  title: string;
  /** What it means and what to do. */
  summary: string;
  query: string;
  /** How far the question looks back. */
  seconds: number;
  reduce: "last" | "sum" | "max";
  when: ["gt" | "lt", number];
  /** How long it must hold. */
  holds: string;
  /** Whether silence is well, or is itself the alarm. */
  noData: "OK" | "Alerting";
  severity: "warning" | "critical";
}

/** The rules that are provisioned: what makes Assay blind without an error anywhere. */
export const ALERTS: readonly Alert[] = [
  {
    uid: "assay-list-stale",
    title: "Watch list stale",
    summary:
      "A watch list was not fetched for three days: new entries are not screened. Run `assay lists update`.",
    query: ask({ level: "1m", from: "list", by: ["list"], fields: (f) => [`max(${f("ageHours")})`] }),
    seconds: 3_600,
    reduce: "last",
    when: ["gt", 72],
    holds: "15m",
    noData: "OK",
    severity: "critical",
  },
  {
    uid: "assay-ingest-stopped",
    title: "Ingest stopped",
    summary: "No observation came in for a quarter of an hour: Assay sees nothing. Look at the collectors.",
    query: ask({ level: "1m", from: "collector", fields: (f) => [`sum(${f("observations")})`] }),
    seconds: 900,
    reduce: "sum",
    when: ["lt", 1],
    holds: "5m",
    noData: "Alerting",
    severity: "critical",
  },
  {
    uid: "assay-spool-growing",
    title: "Spool growing",
    summary:
      "More than 100 MB wait on disk for another part to come back. When the bound is reached the oldest is lost.",
    query: ask({ level: "1m", from: "spool", by: ["spool"], fields: (f) => [`max(${f("bytes")})`] }),
    seconds: 900,
    reduce: "last",
    when: ["gt", 100_000_000],
    holds: "15m",
    noData: "OK",
    severity: "warning",
  },
  {
    uid: "assay-drift",
    title: "Model input drifted",
    summary:
      "What the model is given is not what this pool was (population stability index over 0.25 against its own reference). Read the Model page of the console; where the pool has changed for good, take a new reference.",
    query: ask({ level: "1h", from: "drift", by: ["model"], fields: (f) => [`max(${f("psi")})`] }),
    seconds: 86_400,
    reduce: "last",
    when: ["gt", 0.25],
    holds: "1h",
    noData: "OK",
    severity: "warning",
  },
  {
    uid: "assay-dead-letters",
    title: "Delivery given up",
    summary:
      "A message about a flag reached a destination in none of its attempts. It is among the dead letters in the console.",
    query: ask({ level: "1m", from: "delivery", by: ["destination"], fields: (f) => [`sum(${f("dead")})`] }),
    seconds: 3_600,
    reduce: "sum",
    when: ["gt", 0],
    holds: "0s",
    noData: "OK",
    severity: "critical",
  },
];

/** The provisioning file of all rules: question, reduction, threshold. */
export function provisioned(): object {
  const rules = ALERTS.map(
    ({ uid, title, summary, query, seconds, reduce, when, holds, noData, severity }) => {
      const [type, value] = when;
      const range = { from: seconds, to: 0 };
      const expression = (refId: string, model: object) => ({
        refId,
        datasourceUid: "__expr__",
        relativeTimeRange: range,
        model: { refId, datasource: { type: "__expr__", uid: "__expr__" }, ...model },
      });
      const model = {
        refId: "A",
        datasource: SOURCE,
        rawQuery: true,
        query,
        resultFormat: "time_series",
        intervalMs: 60_000,
        maxDataPoints: 1_000,
      };
      return {
        uid,
        title,
        condition: "C",
        data: [
          { refId: "A", datasourceUid: SOURCE.uid, relativeTimeRange: range, model },
          expression("B", { type: "reduce", expression: "A", reducer: reduce }),
          expression("C", {
            type: "threshold",
            expression: "B",
            conditions: [{ evaluator: { type, params: [value] } }],
          }),
        ],
        for: holds,
        noDataState: noData,
        execErrState: "Error",
        labels: { severity, service: "assay" },
        annotations: { summary },
      };
    },
  );
  return { apiVersion: 1, groups: [{ orgId: 1, name: "Assay", folder: "Assay", interval: "1m", rules }] };
}
