import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { readScenario, SCENARIOS, type Scenario } from "../../models/simulate/scenario.ts";
import { simulate as simulatePool } from "../../models/simulate/simulate.ts";
import { writeSimulation } from "../../models/simulate/write.ts";
import { wholeNumber } from "./arguments.ts";
import { createProgress } from "./progress.ts";
import { UsageError } from "./usage.ts";

/** `assay simulate`: observations.ndjson and truth.ndjson, byte for byte the same for the same seed. */
export async function simulate(args: string[], signal: AbortSignal): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      scenario: { type: "string", default: "week" },
      seed: { type: "string", default: "1" },
      accounts: { type: "string" },
      days: { type: "string" },
      out: { type: "string" },
      ckpool: { type: "boolean", default: false },
    },
  });
  if (values.out === undefined) throw new UsageError("simulate: --out DIR is needed");
  const scenario: Scenario = { ...(await scenarioOf(values.scenario)) };
  if (values.accounts !== undefined) scenario.accounts = wholeNumber("--accounts", values.accounts, 1);
  if (values.days !== undefined) scenario.days = wholeNumber("--days", values.days, 1);
  const progress = createProgress("simulate");
  const simulation = simulatePool(scenario, wholeNumber("--seed", values.seed, 0));
  const onProgress = (part: number) => {
    signal.throwIfAborted();
    progress.at(part, 1);
  };
  await writeSimulation(simulation, values.out, { ckpool: values.ckpool, onProgress });
  progress.end();
  process.stderr.write(
    `${values.out}: observations.ndjson, truth.ndjson (${simulation.truth.length} accounts)\n`,
  );
}

async function scenarioOf(name: string): Promise<Scenario> {
  if (SCENARIOS.includes(name)) return readScenario(name);
  if (!name.endsWith(".json"))
    throw new UsageError(`simulate: no scenario "${name}"; known: ${SCENARIOS.join(", ")}, or a .json file`);
  return readScenario(JSON.parse(await readFile(name, "utf8")));
}
