import { createServer } from "node:net";
import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { type Config, ConfigError, readConfig, redact } from "../config.ts";
import { webhook } from "../deliver/webhook.ts";
import { readListFile } from "../screening/read-file.ts";
import { checkInflux } from "../store/influx-admin.ts";
import { influxClient } from "../store/influx-query.ts";
import { sourceChecks } from "./check-pools.ts";
import { modelNotices, openModel, openParts, openShadow } from "./parts.ts";

/** All sources together must answer within this. */
const SOURCES_MS = 60_000;

/** `assay check`: configuration, data files and connections; every mistake at once, warnings beside. */
export async function check(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { config: { type: "string", default: "assay.yaml" }, dump: { type: "boolean", default: false } },
  });
  const config = readConfig(values.config);
  if (values.dump) {
    process.stdout.write(stringify(redact(config)));
    return;
  }
  const mistakes: string[] = [];
  const warnings: string[] = [];
  const attempt = async (place: string, work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      mistakes.push(`${place}: ${(error as Error).message}`);
    }
  };
  const signal = AbortSignal.timeout(SOURCES_MS);
  for (const { place, look } of sourceChecks(config)) {
    await attempt(place, async () => process.stdout.write(`${place}: ${await look(signal)}\n`));
  }
  for (const kind of ["tap", "nodejsPool"] as const) {
    for (const { name, listen } of config.collectors[kind]) {
      await attempt(`collectors.${kind} ${name}`, () => tryPort(listen.host, listen.port));
    }
  }
  for (const hook of config.deliver.webhooks)
    await attempt(`deliver.webhooks ${hook.name}`, () => webhook(hook));
  const { influx } = config.store;
  if (influx) {
    for (const mistake of await checkInflux(influxClient(influx), influx))
      mistakes.push(`store.influx: ${mistake}`);
  }
  await attempt("detection.model", async () => {
    const model = await openModel(config);
    warnings.push(...modelNotices(model));
    await model.close();
  });
  await attempt("detection.shadow", async () => (await openShadow(config))?.close());
  await attempt("origin and screening", () => checkData(config, warnings));
  for (const { file, ...list } of config.screening.lists)
    if (file) await attempt(`screening.lists ${list.name}`, () => readListFile({ ...list, file }));
  if (config.http.tokens.length === 0 && !isLoopback(config.http.host)) {
    mistakes.push(`http.tokens: none, but http.host ${config.http.host} is not loopback`);
  }
  for (const warning of warnings) process.stdout.write(`warning: ${warning}\n`);
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  process.stdout.write(`${values.config}: good\n`);
}

async function checkData(config: Config, warnings: string[]): Promise<void> {
  const { origin } = await openParts(config);
  const [country] = origin.notices(Date.now());
  if (country && config.origin.country === undefined) {
    warnings.push(
      `origin.country: the bundled database serves a demo; it is ${country.ageDays} days old (${country.name})`,
    );
  }
  if (config.screening.lists.length === 0)
    warnings.push("screening.lists: none; only the bundled facts are screened against");
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

/** Rejects when the port cannot be listened on. */
function tryPort(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", (error: NodeJS.ErrnoException) =>
      reject(new Error(`${host}:${port} cannot be listened on (${error.code})`)),
    );
    server.listen(port, host, () => server.close(() => resolve()));
  });
}
