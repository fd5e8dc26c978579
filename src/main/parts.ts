import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Analysis } from "#core/analysis.ts";
import type { Model } from "#core/model.ts";
import { loadModel } from "../../models/load-model.ts";
import type { Config } from "../config.ts";
import { createOrigin, type OriginService } from "../origin/origin.ts";
import { createScreening, type ScreeningService } from "../screening/screening.ts";

/** What every command that looks at observations needs. */
export interface Parts {
  origin: OriginService;
  screening: ScreeningService;
  analysis: Analysis;
}

/** Opens origin and screening and makes an empty analysis. Rejects with every mistake in their files. */
export async function openParts(config: Config): Promise<Parts> {
  const origin = await createOrigin(config.origin);
  const screening = await createScreening({ lists: config.screening.lists, places: origin });
  const analysis = new Analysis({
    lookUpOrigin: origin.lookUp,
    stepHours: config.detection.stepHours,
    watch: config.store.watch,
    topAccounts: config.store.topAccounts,
  });
  return { origin, screening, analysis };
}

const MODELS = join(import.meta.dirname, "../../models");
const MODEL_NAME = "consistency";

/** Loads the configured model, or the newest that Assay ships. */
export async function openModel(config: Config): Promise<Model> {
  return loadModel(config.detection.model ?? (await newestModel()));
}

async function newestModel(): Promise<string> {
  const directory = join(MODELS, MODEL_NAME);
  const versions = (await readdir(directory)).filter((name) => /^\d+\.\d+\.\d+$/.test(name));
  const newest = versions.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
  if (!newest) throw new Error(`no model in ${directory}; assay train makes one`);
  return join(directory, newest);
}
