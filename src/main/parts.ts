import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Analysis } from "#core/analysis.ts";
import { networkFinder, watchedNetworks } from "../../collectors/routes/watched.ts";
import type { LoadedModel } from "../../models/load-model.ts";
import type { Config } from "../config.ts";
import { type DatabaseSource, databaseKind, type Fetched } from "../origin/fetched.ts";
import { createOrigin, type OriginService } from "../origin/origin.ts";
import { listKind } from "../screening/list-kind.ts";
import { createLists, type Lists } from "../screening/lists.ts";
import { createScreening, type ScreeningService } from "../screening/screening.ts";
import type { WatchList } from "../screening/watch-list.ts";

/** What every command that looks at observations needs. */
export interface Parts {
  origin: OriginService;
  screening: ScreeningService;
  analysis: Analysis;
  /** Watch lists with their versions on disk. */
  lists: Lists<WatchList>;
  /** Lists of networks by kind, for origin. */
  networkLists: Lists;
  /** Databases that are fetched, by role. */
  databases: Lists;
}

/** Days without a reached source after which a list of networks is called stale. */
const NETWORK_LIST_DAYS = 7;

/** Opens the lists that the configuration names, as their versions stand on disk. */
export function openLists(config: Config): Pick<Parts, "lists" | "networkLists" | "databases"> {
  const { maxShrinkPercent } = config.screening;
  const directory = join(config.data.directory, "lists");
  const now = Date.now;
  const fetched = config.origin.lists.flatMap(({ name, url }) =>
    url
      ? [{ name, url, format: "text" as const, subject: "network" as const, maxAgeDays: NETWORK_LIST_DAYS }]
      : [],
  );
  const databases = createLists<DatabaseSource, Fetched>({
    directory: join(directory, "databases"),
    kind: databaseKind,
    sources: config.origin.databases.map((source) => ({ ...source, name: source.role })),
    maxShrinkPercent,
    now,
  });
  return {
    lists: createLists({
      directory: join(directory, "watch"),
      kind: listKind,
      sources: config.screening.lists,
      maxShrinkPercent,
      now,
    }),
    networkLists: createLists({
      directory: join(directory, "networks"),
      kind: listKind,
      sources: fetched,
      maxShrinkPercent,
      now,
    }),
    databases,
  };
}

/** Opens origin and screening and makes an empty analysis. Rejects with every mistake in their files. */
export async function openParts(config: Config): Promise<Parts> {
  const { lists, networkLists, databases } = openLists(config);
  const fetched = config.origin.databases.map(({ role }) => [role, databases.latest(role)] as const);
  const origin = await createOrigin({
    ...config.origin,
    ...Object.fromEntries(fetched),
    fetched: new Set(fetched.map(([, file]) => file)),
    lists: config.origin.lists.map(({ name, kind, file, url }) =>
      url
        ? { name, kind, file: networkLists.latest(name), fetched: true }
        : { name, kind, file: file as string },
    ),
  });
  const { nameThreshold } = config.screening;
  // A version that was taken into use goes before the file it came from: that may have broken since.
  const kept = await lists.load();
  const unknown = config.screening.lists.filter(({ name }) => !kept.some((list) => list.name === name));
  const screening = await createScreening({ lists: unknown, places: origin, nameThreshold });
  screening.replace(kept);
  const analysis = new Analysis({
    lookUpOrigin: origin.lookUp,
    networkOf: networkFinder(watchedNetworks().networks),
    stepHours: config.detection.stepHours,
    watch: config.store.watch,
    topAccounts: config.store.topAccounts,
  });
  return { origin, screening, analysis, lists, networkLists, databases };
}

const MODELS = join(import.meta.dirname, "../../models");
/** Name of the model Assay ships: how consistent an account is with the typologies. */
export const MODEL_NAME = "consistency";

/** Loads the configured model, or the newest that Assay ships. */
export async function openModel(config: Config): Promise<LoadedModel> {
  // Loaded here: TensorFlow takes its time, and most commands never score.
  const { loadModel } = await import("../../models/load-model.ts");
  return loadModel(config.detection.model ?? (await newestModel()), {
    described: config.detection.typologies,
  });
}

/** What a model's user should know: signs of described typologies that say nothing with it. */
export const modelNotices = ({ silentSigns }: LoadedModel): string[] =>
  silentSigns.map(
    ({ typology, feature }) =>
      `detection.typologies ${typology}: ${feature} is left out; honest accounts do not differ in it, or the other signs tell all that it does`,
  );

/** Loads the model that is tried beside the active one, where one is configured. */
export async function openShadow(config: Config): Promise<LoadedModel | undefined> {
  const { shadow } = config.detection;
  if (shadow === undefined) return undefined;
  const { loadModel } = await import("../../models/load-model.ts");
  return loadModel(shadow, { described: config.detection.typologies });
}

async function newestModel(): Promise<string> {
  const directory = join(MODELS, MODEL_NAME);
  const names = await readdir(directory).catch(() => []);
  const versions = names.filter((name) => /^\d+\.\d+\.\d+$/.test(name));
  const newest = versions.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
  if (!newest) throw new Error(`no model in ${directory}; assay train makes one`);
  return join(directory, newest);
}
