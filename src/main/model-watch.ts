import type { Drifted } from "#core/flag.ts";
import { isFlagged } from "#core/flagged.ts";
import type { Log } from "#core/log.ts";
import type { Model } from "#core/model.ts";
import type { Window } from "#core/window.ts";
import type { LoadedModel } from "../../models/load-model.ts";
import { DRIFT_STOP, DRIFT_WARN } from "../../models/reference.ts";
import { createShadow, type Shadow } from "../../models/shadow.ts";
import { createWatch, type PoolStanding, type Watch } from "../../models/watch.ts";
import type { Config } from "../config.ts";
import type { ModelStanding } from "../review/model-answers.ts";
import type { Counters } from "./counters.ts";
import type { Decisions } from "./decisions.ts";

/** What is kept of the active model's standing, and the version beside it. */
export interface ModelWatch {
  /** Takes a scored window: before its flags are made. */
  take(window: Window, values: Float32Array): Promise<void>;
  drifted: (pool: string) => readonly Drifted[];
  watch: Watch;
  shadow: Shadow | null;
  /** Windows the shadow could not score. */
  shadowFailures(): number;
  /** For the API and the console. */
  standing(): ModelStanding;
  /** Forgets a pool's reference; kept with the next checkpoint. */
  forget(pool: string): boolean;
  /** Bytes to keep, once after each change; undefined: nothing changed. */
  takeChange(): Uint8Array | undefined;
}

/** The worst figures of all pools; NaN where none was measured. */
function worstOf(standings: readonly PoolStanding[]): { psi: number; training: number; conformal: number } {
  const most = (values: readonly (number | null | undefined)[]) => {
    const measured = values.filter((value) => typeof value === "number");
    return measured.length > 0 ? Math.max(...measured) : Number.NaN;
  };
  const features = standings.flatMap((each) => each.features);
  return {
    psi: most(features.map(({ psi }) => psi)),
    training: most(features.map(({ training }) => training)),
    conformal: most(standings.map(({ conformal }) => conformal?.distance)),
  };
}

/** Joins the watch over the active model and its shadow to the log and the measurements. */
export function createModelWatch(
  config: Pick<Config, "detection">,
  models: { model: LoadedModel; shadow?: Model | undefined },
  { log, decisions }: { log: Log; decisions?: Pick<Decisions, "drifted" | "shadowed"> },
): ModelWatch {
  const { detection } = config;
  const { model } = models;
  const watch = createWatch(model.reference, detection.stepHours);
  const shadow = models.shadow ? createShadow(models.shadow, detection) : null;
  let changed = false;
  let failures = 0;
  let lastFailure = "";

  function tell(before: PoolStanding["state"] | undefined, { pool, state }: PoolStanding): void {
    if (state === before) return;
    const features = watch.standings().find((each) => each.pool === pool)?.features ?? [];
    const worst = [...features].sort((a, b) => (b.psi ?? 0) - (a.psi ?? 0)).slice(0, 3);
    const named = worst.map(({ feature, psi }) => `${feature} ${(psi ?? 0).toFixed(2)}`).join(", ");
    if (state === "stop")
      log("error", "model: the pool's inputs have drifted, its thresholds no longer hold", {
        pool,
        worst: named,
      });
    else if (state === "warn") log("warn", "model: the pool's inputs drift", { pool, worst: named });
    else if (before === "stop") log("info", "model: the pool's inputs are as they were", { pool });
  }

  async function compare(window: Window, values: Float32Array): Promise<void> {
    if (!shadow) return;
    try {
      const comparison = await shadow.take(window, values);
      decisions?.shadowed({ model: `${shadow.name} ${shadow.version}`, comparison });
    } catch (error) {
      failures += 1;
      const reason = String(error);
      if (reason !== lastFailure) log("error", "model: the shadow cannot score", { reason });
      lastFailure = reason;
    }
  }

  return {
    watch,
    shadow,
    drifted: watch.drifted,
    shadowFailures: () => failures,
    standing: () => ({
      model: { name: model.name, version: model.version },
      described: model.described.map(({ name, about, signs, source }) => ({
        name,
        about,
        signs: [...signs],
        ...(source === undefined ? {} : { source }),
      })),
      thresholds: {
        flag: detection.threshold,
        warn: DRIFT_WARN,
        stop: DRIFT_STOP,
        flagsPerDay: detection.alertsPerDay,
      },
      pools: watch.standings(),
      unwatched: watch.unwatched,
      shadow: shadow && { name: shadow.name, version: shadow.version, failures, pools: shadow.latest() },
    }),
    forget(pool) {
      const forgotten = watch.forget(pool);
      changed ||= forgotten;
      return forgotten;
    },
    async take(window, values) {
      const { pool, atMs, rows, accounts } = window;
      const before = watch.standings().find((each) => each.pool === pool)?.state;
      const leftOut = (row: number) =>
        isFlagged(accounts[row] as Window["accounts"][number]) ||
        (values[row] as number) >= detection.threshold;
      const standing = watch.take({ pool, atMs, rows, values, leftOut });
      changed = true;
      tell(before, standing);
      decisions?.drifted({ model: model.name, atMs, ...worstOf(watch.standings()) });
      await compare(window, values);
    },
    takeChange() {
      if (!changed) return undefined;
      changed = false;
      return watch.write();
    },
  };
}

/** The standing as gauges of /metrics: one a pool and feature, bounded by the pools that are watched. */
export function exposeModel(
  counters: Pick<Counters, "gauge" | "gauges">,
  { watch, shadow, shadowFailures }: ModelWatch,
): void {
  const each = function* (of: "psi" | "training"): Generator<[Record<"pool" | "feature", string>, number]> {
    for (const { pool, features } of watch.standings())
      for (const { feature, [of]: value } of features) if (value !== null) yield [{ pool, feature }, value];
  };
  counters.gauges(
    "assay_model_drift",
    "Population stability index of a feature against the pool's own reference; .1 warns, .25 stops thresholds",
    ["pool", "feature"],
    () => each("psi"),
  );
  counters.gauges(
    "assay_model_training_distance",
    "Population stability index of a feature against the pools the model was trained on",
    ["pool", "feature"],
    () => each("training"),
  );
  counters.gauges("assay_model_stopped", "1 where drift stopped the score's thresholds", ["pool"], () =>
    watch.standings().map(({ pool, state }) => [{ pool }, state === "stop" ? 1 : 0]),
  );
  counters.gauges(
    "assay_model_conformal",
    "Conformal p-values of the last window: distance from uniform, and the part that is .01 or less",
    ["pool", "figure"],
    function* () {
      for (const { pool, conformal } of watch.standings()) {
        if (!conformal) continue;
        yield [{ pool, figure: "distance" }, conformal.distance];
        yield [{ pool, figure: "low" }, conformal.low];
      }
    },
  );
  counters.gauge(
    "assay_model_pools_unwatched",
    "Pools beyond the bound of those watched for drift",
    () => watch.unwatched,
  );
  if (!shadow) return;
  counters.gauges(
    "assay_shadow",
    "The last window with a shadow: accounts, flags that both or only one would raise, rank correlation",
    ["pool", "figure"],
    function* () {
      for (const { pool, accounts, both, onlyActive, onlyShadow, rankCorrelation } of shadow.latest()) {
        const figures = { accounts, both, onlyActive, onlyShadow };
        for (const [figure, value] of Object.entries(figures)) yield [{ pool, figure }, value];
        if (rankCorrelation !== null) yield [{ pool, figure: "rankCorrelation" }, rankCorrelation];
      }
    },
  );
  counters.gauge("assay_shadow_failures", "Windows the shadow could not score", shadowFailures);
}
