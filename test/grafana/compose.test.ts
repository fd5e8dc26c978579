import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { readConfig } from "../../src/config.ts";

const ROOT = join(import.meta.dirname, "../..");
const SECRETS = {
  ASSAY_ADMIN_TOKEN: "sixteen-characters",
  INFLUX_ADMIN_PASSWORD: "a",
  INFLUX_READ_PASSWORD: "b",
  GRAFANA_ADMIN_PASSWORD: "c",
};

interface Service {
  image: string;
  healthcheck?: object;
  ports?: string[];
  restart?: string;
  volumes?: string[];
  environment?: Record<string, string>;
}

const file = (): { services: Record<string, Service>; volumes: Record<string, unknown> } =>
  parse(readFileSync(join(ROOT, "docker-compose.yml"), "utf8"));
const compose = () => file().services;

const hasCompose =
  process.env.ASSAY_REQUIRE_SERVICES === "1" || spawnSync("docker-compose", ["--version"]).status === 0;

test.skipIf(!hasCompose)(
  `docker-compose takes the file with its secrets, and refuses it without${hasCompose ? "" : ": docker-compose is not installed"}`,
  () => {
    const config = (env: object) =>
      spawnSync("docker-compose", ["config", "--quiet"], {
        cwd: ROOT,
        encoding: "utf8",
        env: { PATH: process.env.PATH, ...env },
      });
    expect(config(SECRETS)).toMatchObject({ status: 0, stderr: "" });
    const { ASSAY_ADMIN_TOKEN: _, ...rest } = SECRETS;
    expect(config(rest).stderr).toContain("set a token");
  },
);

test("every image is pinned, every service has a health check, and every port is this machine's only", () => {
  const services = Object.entries(compose());
  expect(services.map(([name]) => name).sort()).toEqual(["assay", "grafana", "influxdb"]);
  for (const [name, { image, healthcheck, restart, ports = [] }] of services) {
    expect(image, name).toMatch(/:\d+\.\d+(\.\d+)?$/);
    expect([healthcheck, restart], name).toEqual([expect.anything(), "unless-stopped"]);
    for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/);
  }
});

test("state is in named volumes, what is mounted is there, and secrets come from the environment or not at all", () => {
  const { services, volumes } = file();
  const sources = Object.values(services).flatMap(({ volumes = [] }) => volumes.map((one) => one.split(":")));
  const named = sources.filter(([source]) => !source?.startsWith("."));
  expect(named.map(([source]) => source).sort()).toEqual(Object.keys(volumes).sort());
  for (const [source = "", , mode] of sources.filter(([source]) => source?.startsWith("."))) {
    expect(existsSync(join(ROOT, source)), source).toBe(true);
    expect(mode, source).toBe("ro");
  }
  for (const { environment = {} } of Object.values(services)) {
    for (const [name, value] of Object.entries(environment))
      if (/PASSWORD|TOKEN/.test(name)) expect(value, name).toMatch(/^\$\{[A-Z_]+:\?[a-z0-9 ]+\}$/);
  }
});

let before: NodeJS.ProcessEnv;
beforeEach(() => {
  before = { ...process.env };
});
afterEach(() => {
  process.env = before;
});

test("the configuration that comes with it holds", () => {
  Object.assign(process.env, { ASSAY_ADMIN_TOKEN: SECRETS.ASSAY_ADMIN_TOKEN, ASSAY_INFLUX_PASSWORD: "a" });
  const { http, store, data } = readConfig(join(ROOT, "docker/assay.yaml"));
  expect([http.host, http.tokens[0]?.role, data.directory]).toEqual(["0.0.0.0", "admin", "/data"]);
  expect(store.influx).toMatchObject({ version: 1, database: "assay", username: "assay", password: "a" });
});
