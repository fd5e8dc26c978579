import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "../../models/model-files.ts";

const SHELF = join(import.meta.dirname, "../../models/consistency");

/** Directory of the newest model that Assay ships. */
export async function shippedModel(): Promise<string> {
  const versions = (await readdir(SHELF)).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return join(SHELF, versions.at(-1) as string);
}

/** A copy of the shipped model under another version, its logits higher by `bias`; its manifest is right. */
export async function biasedModel(directory: string, version: string, bias: number): Promise<void> {
  await cp(await shippedModel(), directory, { recursive: true });
  const calibration = JSON.parse(await readFile(join(directory, "calibration.json"), "utf8"));
  const hours = { ...calibration.hours, bias: calibration.hours.bias + bias };
  const text = JSON.stringify({ ...calibration, bias: calibration.bias + bias, hours });
  await writeFile(join(directory, "calibration.json"), text);
  const manifest = JSON.parse(await readFile(join(directory, "manifest.json"), "utf8"));
  manifest.version = version;
  manifest.files["calibration.json"] = sha256(text);
  await writeFile(join(directory, "manifest.json"), JSON.stringify(manifest));
}
