import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";

let built: Promise<string> | undefined;

/** The console as it is in the working tree, built once a run into a directory of its own. */
export function buildConsole(): Promise<string> {
  built ??= (async () => {
    const outDir = await mkdtemp(join(tmpdir(), "assay-console-"));
    const configFile = join(import.meta.dirname, "../../src/review/console/vite.config.ts");
    await build({ configFile, logLevel: "warn", build: { outDir } });
    return outDir;
  })();
  return built;
}
