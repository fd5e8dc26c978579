import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { shippedModel } from "../support/models.ts";

const ROOT = join(import.meta.dirname, "../..");
const run = promisify(execFile);
const require = createRequire(import.meta.url);
let place: string;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "assay-tfjs-"));
});
afterAll(() => rm(place, { recursive: true }));

/** Runs a module beside the project's own, with `packages` in front of what can be required. */
async function evaluate(code: string, packages?: string): Promise<{ stdout: string; stderr: string }> {
  const env = packages === undefined ? process.env : { ...process.env, NODE_PATH: packages };
  const from = (path: string) => JSON.stringify(join(ROOT, path));
  const imports = `const { useBackend } = await import(${from("models/tensor-flow.ts")});
    const { loadModel } = await import(${from("models/load-model.ts")});`;
  return run(process.execPath, ["--input-type=module", "-e", imports + code], { env });
}

/** A package that stands where @tensorflow/tfjs-node would: it registers its backend when loaded, and uses what Node 23 took away. */
async function standIn(body: string): Promise<string> {
  const packages = await mkdtemp(join(place, "node_modules-"));
  const directory = join(packages, "@tensorflow/tfjs-node");
  await mkdir(directory, { recursive: true });
  await writeFile(
    join(directory, "package.json"),
    '{ "name": "@tensorflow/tfjs-node", "version": "4.22.0" }',
  );
  await writeFile(join(directory, "index.js"), body);
  return packages;
}

const installed = (() => {
  try {
    require.resolve("@tensorflow/tfjs-node");
    return true;
  } catch {
    return false;
  }
})();

test("the native package is an optional peer, of the version of the rest", async () => {
  const { peerDependencies, peerDependenciesMeta, dependencies } = JSON.parse(
    await readFile(join(ROOT, "package.json"), "utf8"),
  );
  expect(peerDependencies["@tensorflow/tfjs-node"]).toBe(dependencies["@tensorflow/tfjs-core"]);
  expect(peerDependenciesMeta["@tensorflow/tfjs-node"]).toEqual({ optional: true });
});

test.skipIf(installed)(
  "where it is not there, auto is wasm and asking for it by name is an error with the reason",
  async () => {
    const { stdout } = await evaluate(`
    console.log(await useBackend("auto"));
    await useBackend("tensorflow").catch((error) => console.log(error.message, "|", error.cause.code));`);
    expect(stdout).toBe("wasm\nmodel: @tensorflow/tfjs-node cannot be loaded here | MODULE_NOT_FOUND\n");
  },
);

test("where it loads it is used, with util.isNullOrUndefined as it had it, and the scores are the same", async () => {
  const core = JSON.stringify(require.resolve("@tensorflow/tfjs-core"));
  const cpu = JSON.stringify(require.resolve("@tensorflow/tfjs-backend-cpu"));
  const packages = await standIn(`
    const util = require("node:util");
    if (!util.isNullOrUndefined(null) || !util.isNullOrUndefined(undefined) || util.isNullOrUndefined(0)) throw new Error("no shim");
    const tf = require(${core});
    const { MathBackendCPU } = require(${cpu});
    tf.registerBackend("tensorflow", () => new MathBackendCPU(), 3);
    for (const kernel of tf.getKernelsForBackend("cpu")) tf.registerKernel({ ...kernel, backendName: "tensorflow" });`);
  const code = `
    const { FEATURES } = await import(${JSON.stringify(join(ROOT, "src/core/features.ts"))});
    const rows = Float32Array.from({ length: 40 * FEATURES.length }, (_, at) => ((at * 17) % 10) / 10);
    const directory = ${JSON.stringify(await shippedModel())};
    console.log(await useBackend("auto"));
    const native = await loadModel(directory);
    const one = await native.score(rows, 40);
    const oracle = await loadModel(directory, { backend: "oracle" });
    const two = await oracle.score(rows, 40);
    console.log(Math.max(...one.value.map((value, at) => Math.abs(value - two.value[at]))) < 1e-5);`;
  const { stdout } = await evaluate(code, packages);
  expect(stdout.split("\n").slice(0, 2)).toEqual(["tensorflow", "true"]);
});

test("one that is there and broken is said, not passed over in silence", async () => {
  const packages = await standIn('throw new Error("libtensorflow.so.2: cannot open shared object file");');
  const { stdout } = await evaluate(
    `await useBackend("tensorflow").catch((error) => console.log(error.message, "|", error.cause.message));
     console.log(await useBackend("auto"));`,
    packages,
  );
  expect(stdout).toBe(
    "model: @tensorflow/tfjs-node cannot be loaded here | libtensorflow.so.2: cannot open shared object file\nwasm\n",
  );
});

test("each worker thread has a backend of its own, and the same scores", async () => {
  const worker = `
    import { parentPort, workerData } from "node:worker_threads";
    const { loadModel } = await import(workerData.loader);
    const model = await loadModel(workerData.directory, { backend: "wasm" });
    parentPort.postMessage((await model.score(workerData.rows, 40)).value);`;
  const code = `
    const { Worker } = await import("node:worker_threads");
    const { FEATURES } = await import(${JSON.stringify(join(ROOT, "src/core/features.ts"))});
    const rows = Float32Array.from({ length: 40 * FEATURES.length }, (_, at) => (at * 17 % 10) / 10);
    const directory = ${JSON.stringify(await shippedModel())};
    const model = await loadModel(directory, { backend: "wasm" });
    const here = (await model.score(rows, 40)).value;
    const loader = ${JSON.stringify(join(ROOT, "models/load-model.ts"))};
    const there = await Promise.all([0, 1].map(() => new Promise((resolve, reject) => {
      const worker = new Worker(${JSON.stringify(worker)}, { eval: true, workerData: { rows, directory, loader } });
      worker.once("message", resolve).once("error", reject);
    })));
    console.log(there.every((values) => values.every((value, at) => value === here[at])), here.length);`;
  expect((await evaluate(code)).stdout).toBe("true 40\n");
});
