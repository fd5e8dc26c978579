import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import { USUAL_THRESHOLD } from "#core/model.ts";
import { described } from "./config-detection.ts";
import { host, name, path, port, section } from "./config-fields.ts";
import { databaseMistakes, listMistakes, nameMistakes, typologyMistakes } from "./config-names.ts";
import { flows, poolServers, risLive, suricata, zeek } from "./config-network.ts";
import { origin } from "./config-origin.ts";
import { poolPrograms } from "./config-pools.ts";
import { screening } from "./config-screening.ts";
import { store } from "./config-store.ts";
import { mirror, observer, tap } from "./config-stratum.ts";

/**
 * The configuration: one schema, default and comment together, and the only reader of process.env. Every mistake is
 * listed at once. `${NAME}` in a text is replaced from the environment, so that secrets stay out of the file.
 */

const websocket = section({
  name,
  url: z.url({ protocol: /^wss?$/ }).describe("A server that sends observations, one JSON object a line."),
  token: z.string().optional(),
  maxLineBytes: z.number().int().min(1024).default(65_536),
  idleMs: z
    .number()
    .int()
    .min(1000)
    .default(120_000)
    .describe("Silence after which it is connected to anew."),
});

const webhook = section({
  name,
  url: z.url(),
  secrets: z
    .array(z.string().startsWith("whsec_"))
    .min(1)
    .describe("Standard Webhooks secrets; two while one is being rotated."),
  events: z
    .array(z.enum(["flag.opened", "flag.updated", "flag.closed"]))
    .default(["flag.opened", "flag.updated"]),
  allowPrivate: z.boolean().default(false).describe("Permit a private or loopback destination."),
});

/** The whole configuration file. */
export const configSchema = section({
  data: section({
    directory: path.default("./assay-data").describe("Where Assay keeps its stores, journal and lists."),
  }).prefault({}),
  http: section({
    host,
    port: port(7070),
    tokens: z
      .array(
        section({ name, token: z.string().min(16), role: z.enum(["ingest", "reader", "reviewer", "admin"]) }),
      )
      .default([])
      .describe("API and console users. None: only loopback may connect, as reviewer."),
  }).prefault({}),
  log: section({ level: z.enum(["debug", "info", "warn", "error"]).default("info") }).prefault({}),
  collectors: section({
    ...poolPrograms,
    websocket: z.array(websocket).default([]),
    tap: z.array(tap).default([]),
    observer: observer.prefault({}),
    mirror: z.array(mirror).default([]),
    flows: z.array(flows).default([]),
    zeek: z.array(zeek).default([]),
    suricata: z.array(suricata).default([]),
    risLive: risLive.prefault({}),
    poolServers,
    ingest: section({
      enabled: z.boolean().default(true).describe("Take observations by POST /api/v1/observations."),
      maxLineBytes: z.number().int().min(1024).default(65_536),
      maxBodyBytes: z
        .number()
        .int()
        .min(1024)
        .default(64 * 1024 * 1024)
        .describe("Of one request, after decompression."),
    }).prefault({}),
  }).prefault({}),
  handOver: section({
    url: z
      .url()
      .default("http://127.0.0.1:7070")
      .describe("The running service a separate `assay tap` hands its observations to."),
    token: z.string().optional(),
    spoolBytes: z
      .number()
      .int()
      .min(1_048_576)
      .default(256 * 1024 * 1024)
      .describe("Kept on disk while the service is away; oldest dropped first, and counted."),
  }).prefault({}),
  origin,
  screening,
  store,
  detection: section({
    model: path.optional().describe("Model directory. Absent: the newest promoted one that Assay ships."),
    shadow: path
      .optional()
      .describe(
        "Directory of a second model, scored beside the first on the same vectors; it raises nothing.",
      ),
    stepHours: z
      .number()
      .int()
      .min(1)
      .max(24)
      .default(6)
      .describe("How often every account's trailing day and week are scored."),
    threshold: z
      .number()
      .min(0)
      .max(1)
      .default(USUAL_THRESHOLD)
      .describe("Score from which an account with two agreeing families is flagged."),
    minimumFamilies: z.number().int().min(2).max(8).default(2),
    maximumP: z
      .number()
      .min(0)
      .max(1)
      .default(0.01)
      .describe(
        "An account is flagged only when no more than this part of honest accounts of its hardware and age score as high (conformal p-value); 1 switches it off.",
      ),
    alertsPerDay: z
      .number()
      .int()
      .min(1)
      .default(20)
      .describe("Anomaly flags opened a day at most; the rest wait, counted."),
    falseDiscoveryRate: z
      .number()
      .min(0)
      .max(1)
      .default(1)
      .describe(
        "Most that may be expected to be false of the anomaly flags opened in a day, by their scores; the rest wait, counted. 1 switches it off.",
      ),
    typologies: z
      .array(described)
      .max(16)
      .default([])
      .describe(
        "Typologies of one's own, looked for by their signs beside those that the model has learned.",
      ),
  }).prefault({}),
  deliver: section({ webhooks: z.array(webhook).default([]) }).prefault({}),
});
export type Config = z.infer<typeof configSchema>;

/** A configuration that does not hold: every mistake, each with its place. */
export class ConfigError extends Error {
  override name = "ConfigError";
  readonly mistakes: readonly string[];
  constructor(mistakes: readonly string[]) {
    super(mistakes.join("\n"));
    this.mistakes = mistakes;
  }
}

/** Replaces `${NAME}` in every text; a name the environment lacks is a mistake with its place. */
function interpolate(value: unknown, place: string, mistakes: string[]): unknown {
  if (typeof value === "string") {
    return value.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, variable: string) => {
      const found = process.env[variable];
      if (found === undefined) mistakes.push(`${place}: environment variable ${variable} is not set`);
      return found ?? "";
    });
  }
  if (Array.isArray(value))
    return value.map((item, index) => interpolate(item, `${place}[${index}]`, mistakes));
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        interpolate(item, place ? `${place}.${key}` : key, mistakes),
      ]),
    );
  }
  return value;
}

/** Reads a configuration's text. Throws a ConfigError that lists every mistake at once. */
export function parseConfig(yaml: string): Config {
  const document = parseDocument(yaml);
  const syntax = document.errors.map((error) => error.message.split("\n")[0] ?? "not YAML");
  if (syntax.length > 0) throw new ConfigError(syntax);
  const mistakes: string[] = [];
  const value = interpolate(document.toJS() ?? {}, "", mistakes);
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues)
      mistakes.push(`${issue.path.join(".") || "(top)"}: ${issue.message}`);
  }
  if (parsed.success) {
    const { collectors, origin, screening, detection } = parsed.data;
    mistakes.push(...nameMistakes(collectors), ...databaseMistakes(origin));
    mistakes.push(...typologyMistakes(detection.typologies));
    mistakes.push(
      ...listMistakes("origin.lists", origin.lists),
      ...listMistakes("screening.lists", screening.lists),
    );
  }
  if (mistakes.length > 0 || !parsed.success) throw new ConfigError(mistakes);
  return parsed.data;
}

/** Reads a configuration file; relative paths in it are taken from its own folder. */
export function readConfig(file: string): Config {
  let yaml: string;
  try {
    yaml = readFileSync(file, "utf8");
  } catch (cause) {
    throw new ConfigError([
      `${file}: cannot be read (${(cause as NodeJS.ErrnoException).code ?? "unknown"})`,
    ]);
  }
  return resolvePaths(parseConfig(yaml), dirname(resolve(file)));
}

function resolvePaths(config: Config, base: string): Config {
  const absolute = (file: string) => resolve(base, file);
  config.data.directory = absolute(config.data.directory);
  const { observer } = config.collectors;
  if (observer.identify) observer.identify = absolute(observer.identify);
  for (const pool of observer.pools) if (pool.ca) pool.ca = absolute(pool.ca);
  for (const { upstream, tls } of config.collectors.tap) {
    if (upstream.ca) upstream.ca = absolute(upstream.ca);
    if (tls) Object.assign(tls, { certificate: absolute(tls.certificate), key: absolute(tls.key) });
  }
  for (const source of config.collectors.ckpool) source.directory = absolute(source.directory);
  for (const log of [...config.collectors.zeek, ...config.collectors.suricata]) log.file = absolute(log.file);
  for (const source of config.collectors.publicPool) source.file = absolute(source.file);
  for (const list of [...config.screening.lists, ...config.origin.lists])
    if (list.file) list.file = absolute(list.file);
  const { origin, detection } = config;
  for (const key of ["country", "region", "asn", "anonymous", "networks", "tiers"] as const)
    if (origin[key]) origin[key] = absolute(origin[key]);
  for (const key of ["model", "shadow"] as const)
    if (detection[key]) detection[key] = absolute(detection[key]);
  return config;
}

const SECRET_KEYS = new Set(["token", "secrets", "secret", "password"]);

/** A copy for printing, secrets blanked. */
export function redact(value: unknown, key = ""): unknown {
  if (SECRET_KEYS.has(key)) return Array.isArray(value) ? value.map(() => "(secret)") : "(secret)";
  // A connection string carries its password.
  if (typeof value === "string") return value.replace(/^([a-z]+:\/\/[^/?#@]*?:)[^/?#@]*@/, "$1(secret)@");
  if (Array.isArray(value)) return value.map((item) => redact(item));
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([inner, item]) => [inner, redact(item, inner)]));
  }
  return value;
}
