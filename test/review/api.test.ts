import { readFile } from "node:fs/promises";
import { get } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { flag } from "#core/flag.ts";
import { bulkChanged, flagDetail, flagPage, problem, screeningList } from "../../src/review/answers.ts";
import { flagRoutes } from "../../src/review/flag-routes.ts";
import { modelAnswer } from "../../src/review/model-answers.ts";
import { modelRoutes } from "../../src/review/model-routes.ts";
import { networkRoutes } from "../../src/review/network-routes.ts";
import type { ReviewOptions } from "../../src/review/options.ts";
import { recordRoutes } from "../../src/review/record-routes.ts";
import type { Route } from "../../src/review/route.ts";
import { sessionRoutes } from "../../src/review/session-routes.ts";
import { startWorld } from "./world.ts";

const JSON_BODY = { "Content-Type": "application/json" };
const send = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(url, { method: "POST", body: JSON.stringify(body), headers: { ...JSON_BODY, ...headers } });

const document31 = z.looseObject({
  openapi: z.literal("3.1.0"),
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
});
/** Reads an answer as the documented shape; a wrong shape fails the test. */
const read = async <T extends z.ZodType>(shape: T, response: Response | Promise<Response>) =>
  shape.parse(await (await response).json());

/** fetch will not send a Host of its own choosing; node:http will. */
function statusWithHost(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ port, host: "127.0.0.1", path: "/api/v1/flags", headers: { Host: host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).on("error", reject);
  });
}

test("every documented operation exists and answers as documented", async () => {
  await using world = await startWorld();
  const document = await read(document31, fetch(`${world.url}/api/v1/openapi.json`));

  const text = JSON.stringify(document);
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
    expect(Object.keys(document.components.schemas)).toContain(name);

  const hour = new Date(world.nowMs - 3_600_000).toISOString();
  const asks: Record<string, { path?: string; body?: unknown }> = {
    "get /flags": { path: "/flags?state=open&order=score&limit=5&view=summary" },
    "get /flags/{id}": { path: "/flags/flag_00001" },
    "post /flags/{id}/verdicts": {
      path: "/flags/flag_00001/verdicts",
      body: { outcome: "confirm", comment: "Seen." },
    },
    "post /flags/{id}/state": { path: "/flags/flag_00002/state", body: { state: "investigating" } },
    "post /flags/state": {
      body: {
        filter: { severity: "low" },
        state: "closed",
        seenAt: new Date(Date.now() + 1000).toISOString(),
      },
    },
    "get /audit": {},
    "get /audit/verify": {},
    "post /destinations/{name}/enable": { path: "/destinations/gone-receiver/enable" },
    "get /deliveries": { path: "/deliveries?state=dead" },
    "post /deliveries/{id}/resend": { path: "/deliveries/msg_03/resend" },
    "get /metrics/query": {
      path: `/metrics/query?measurement=origin&by=tier,country&where=pool%3Dmain&from=${hour}&to=${new Date(world.nowMs).toISOString()}`,
    },
    "get /screen": { path: "/screen?value=12QtD5BFwRsdNsAZY76UVE1xyCGNTojH9h" },
    "get /screenings": { path: "/screenings?value=x" },
    "get /lists": {},
    "get /model": {},
    "post /model/pools/{pool}/reference": { path: "/model/pools/main/reference" },
    "get /network": {},
    "get /status": {},
    "delete /session": {},
    "get /openapi.json": {},
  };
  const options = { ops: world.ops } as unknown as ReviewOptions;
  const routes: Route[] = [
    ...flagRoutes(options),
    ...recordRoutes(options),
    ...modelRoutes(options),
    ...networkRoutes(options),
    ...sessionRoutes(options, { signIn: false } as never),
  ];
  const answers = new Map(routes.map((route) => [`${route.method} ${route.path}`, route.answer]));
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const method of Object.keys(operations)) {
      const name = `${method} ${path}`;
      if (["post /observations", "get /stream", "post /session"].includes(name)) continue;
      const ask = asks[name];
      expect(ask, `no request for ${name}`).toBeDefined();
      const response = await fetch(`${world.url}/api/v1${ask?.path ?? path}`, {
        method: method.toUpperCase(),
        ...(ask?.body ? { body: JSON.stringify(ask.body), headers: JSON_BODY } : {}),
      });
      const answer = await response.json();
      expect(response.status, `${name}: ${JSON.stringify(answer).slice(0, 300)}`).toBe(200);
      (answers.get(name) ?? z.looseObject({})).parse(answer);
    }
  }
  expect([...answers.keys()].filter((name) => name !== "post /session" && !asks[name])).toEqual([]);
});

test("the page about the API names every operation, and no other", async () => {
  await using world = await startWorld({ flags: 0 });
  const document = await read(document31, fetch(`${world.url}/api/v1/openapi.json`));
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} /api/v1${path}`),
  );
  const page = await readFile(join(import.meta.dirname, "../../docs/api.md"), "utf8");
  const named = [...page.matchAll(/`((?:GET|POST|DELETE) \/api\/[^`]*)`/g)].map(([, operation]) => operation);
  expect(new Set(named)).toEqual(new Set([...operations, "GET /api/v1/openapi.json"]));
});

test("flags come in pages without a gap or a double, and filters hold", async () => {
  await using world = await startWorld({ flags: 23 });
  const seen: string[] = [];
  let after: string | null = null;
  do {
    const page: z.infer<typeof flagPage> = await read(
      flagPage,
      fetch(`${world.url}/api/v1/flags?limit=10${after ? `&after=${encodeURIComponent(after)}` : ""}`),
    );
    expect(page.total).toBe(23);
    for (const each of page.flags) seen.push(flag.parse(each).id);
    after = page.next;
  } while (after);
  expect(new Set(seen).size).toBe(23);
  const critical = await read(flagPage, fetch(`${world.url}/api/v1/flags?severity=critical&kind=screening`));
  expect(critical.total).toBe(5);
});

test("a verdict closes the flag, is audited with its author, and is told to who listens", async () => {
  await using world = await startWorld();
  const told: string[] = [];
  world.ops.onChange((change) => told.push(`${change.event} ${change.flag.id}`));
  const url = `${world.url}/api/v1/flags/flag_00004`;
  const decided = await send(`${url}/verdicts`, { outcome: "false-positive", comment: "A known customer." });
  expect((await read(flag, decided)).state).toBe("closed");
  const detail = await read(flagDetail, fetch(url));
  expect(detail.verdicts).toMatchObject([
    { outcome: "false-positive", comment: "A known customer.", actor: "local" },
  ]);
  expect(detail.audit.at(-1)).toMatchObject({ actor: "local", action: "verdict.false-positive" });
  await send(`${url}/state`, { state: "open" });
  expect(told).toEqual(["flag.closed flag_00004", "flag.updated flag_00004"]);
});

test("bulk leaves alone what changed after the operator looked", async () => {
  await using world = await startWorld({ flags: 6 });
  const seenAt = new Date(world.nowMs - 2 * 3_600_000).toISOString();
  const answer = await read(
    bulkChanged,
    send(`${world.url}/api/v1/flags/state`, { filter: {}, state: "closed", seenAt }),
  );
  expect(answer.changed + answer.left).toBe(6);
  expect(answer.left).toBeGreaterThan(0);
  const open = await read(flagPage, fetch(`${world.url}/api/v1/flags?state=open`));
  expect(open.total).toBe(answer.left);
});

test("mistakes are all named, and nothing tells of our inside", async () => {
  await using world = await startWorld();
  const bad = await fetch(`${world.url}/api/v1/flags?limit=0&severity=huge`);
  expect(bad.status).toBe(400);
  expect(problem.parse(await bad.json()).mistakes).toHaveLength(2);
  expect((await fetch(`${world.url}/api/v1/flags/none`)).status).toBe(404);
  expect((await fetch(`${world.url}/api/v1/nothing`)).status).toBe(404);
  const comment = "x".repeat(70_000);
  expect(
    (await send(`${world.url}/api/v1/flags/flag_00001/verdicts`, { outcome: "useful", comment })).status,
  ).toBe(413);
  const broken = await fetch(`${world.url}/api/v1/flags/flag_00001/state`, {
    method: "POST",
    body: "{",
    headers: JSON_BODY,
  });
  expect(broken.status).toBe(400);
  world.ops.flags = async () => {
    throw new Error("secret inside");
  };
  const failed = await fetch(`${world.url}/api/v1/flags`);
  expect(failed.status).toBe(500);
  expect(await failed.text()).not.toContain("secret");
  expect(world.logged.join()).toContain("secret inside");
});

test("without tokens only this machine is answered, by its own name and from its own pages", async () => {
  await using world = await startWorld();
  expect(await statusWithHost(world.port, `localhost:${world.port}`)).toBe(200);
  expect(await statusWithHost(world.port, "rebound.example")).toBe(403);
  const state = `${world.url}/api/v1/flags/flag_00001/state`;
  expect((await send(state, { state: "closed" }, { Origin: "https://evil.example" })).status).toBe(403);
  expect((await send(state, { state: "closed" }, { Origin: "null" })).status).toBe(403);
  expect((await send(state, { state: "closed" }, { "Sec-Fetch-Site": "cross-site" })).status).toBe(403);
  const looked = await fetch(`${world.url}/api/v1/screen?value=x`, {
    headers: { "Sec-Fetch-Site": "cross-site" },
  });
  expect(looked.status).toBe(403);
  expect(await world.ops.screenings("x")).toEqual([]);
  const form = { method: "POST", body: '{"state":"closed"}', headers: { "Content-Type": "text/plain" } };
  expect((await fetch(state, form)).status).toBe(415);
  const lines = { method: "POST", body: "{}", headers: { Origin: "https://evil.example" } };
  expect((await fetch(`${world.url}/api/v1/observations`, lines)).status).toBe(403);
  expect((await send(state, { state: "closed" }, { Origin: world.url })).status).toBe(200);
});

const USERS = (["ingest", "reader", "reviewer", "admin"] as const).map((role) => ({
  name: `${role}-name`,
  role,
  token: `${role}-token-0123456789`,
}));

test("each role may do its own and no more", async () => {
  await using world = await startWorld({ users: USERS });
  const may = async (role: string, method: string, path: string, body?: unknown) => {
    const headers = { Authorization: `Bearer ${role}-token-0123456789`, ...JSON_BODY };
    const response = await fetch(`${world.url}${path}`, {
      method,
      headers,
      body: body ? JSON.stringify(body) : null,
    });
    await response.body?.cancel();
    return response.status === 200;
  };
  const table: Record<string, boolean[]> = {};
  for (const role of ["ingest", "reader", "reviewer", "admin", "nobody"]) {
    table[role] = [
      await may(role, "POST", "/api/v1/observations", {}),
      await may(role, "GET", "/api/v1/flags"),
      await may(role, "GET", "/metrics"),
      await may(role, "POST", "/api/v1/flags/flag_00001/state", { state: "open" }),
      await may(role, "GET", "/livez"),
    ];
  }
  expect(table).toEqual({
    ingest: [true, false, false, false, true],
    reader: [false, true, true, false, true],
    reviewer: [false, true, true, true, true],
    admin: [true, true, true, true, true],
    nobody: [false, false, false, false, true],
  });
});

test("a session's cookie signs in, is hidden from scripts, and ends", async () => {
  await using world = await startWorld({ users: USERS });
  const session = `${world.url}/api/v1/session`;
  expect((await send(session, { token: "wrong" })).status).toBe(401);
  const token = "reviewer-token-0123456789";
  expect((await send(session, { token }, { Origin: "https://evil.example" })).status).toBe(403);
  const signedIn = await send(session, { token }, { Origin: world.url });
  const set = signedIn.headers.get("set-cookie") ?? "";
  expect(set).toMatch(/HttpOnly; SameSite=Strict/);
  expect(set).not.toContain(token);
  const cookie = set.split(";")[0]!;
  expect((await fetch(`${world.url}/api/v1/flags`, { headers: { cookie } })).status).toBe(200);
  const state = `${world.url}/api/v1/flags/flag_00001/state`;
  expect((await send(state, { state: "open" }, { cookie, Origin: "https://evil.example" })).status).toBe(403);
  expect((await send(state, { state: "open" }, { cookie, Origin: world.url })).status).toBe(200);
  await fetch(session, { method: "DELETE", headers: { cookie, Origin: world.url } });
  expect((await fetch(`${world.url}/api/v1/flags`, { headers: { cookie } })).status).toBe(401);
});

test("the policy lets no foreign or inline script run, and readiness follows health", async () => {
  await using world = await startWorld({ health: () => ({ ready: false, components: [] }) });
  const response = await fetch(`${world.url}/readyz`);
  expect(response.status).toBe(503);
  const policy = response.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toContain("unsafe");
  expect(response.headers.get("x-powered-by")).toBeNull();
});

test("was this wallet screened on that day, and against what: one query says, for misses too", async () => {
  await using world = await startWorld({ flags: 0 });
  const value = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT";
  const on = (day: string, version: string, entry?: string) => {
    const list = { name: "ofac-sdn", version };
    const matches = entry ? [{ list, entry, note: "XBT", source: "treasury.gov" }] : [];
    return { subject: "address" as const, value, atMs: Date.parse(day), lists: [list], matches };
  };
  const hit = on("2026-11-04T09:00:00Z", "v2", value);
  const miss = on("2026-11-03T09:00:00Z", "v1");
  await world.ops.recordScreenings([miss, hit]);
  const answer = await read(screeningList, fetch(`${world.url}/api/v1/screenings?value=${value}`));
  expect(answer.screenings).toEqual([hit, miss]);
});

test("the model's standing comes with the precision of the verdicts given, and a new reference is audited", async () => {
  await using world = await startWorld();
  const ask = () => read(modelAnswer, fetch(`${world.url}/api/v1/model`));
  const before = await ask();
  expect(before.pools.map(({ pool, state }) => [pool, state])).toEqual([
    ["main", "stop"],
    ["pool-eu", "learning"],
  ]);
  expect(before.precision.anomalies).toMatchObject({ answered: 0, precision: null });
  const decide = (id: string, outcome: string) =>
    send(`${world.url}/api/v1/flags/${id}/verdicts`, { outcome, comment: "" });
  await decide("flag_00000", "confirm");
  await decide("flag_00001", "false-positive");
  // The last verdict is the one that counts; a direct match is no estimate and counts apart.
  await decide("flag_00001", "useful");
  await decide("flag_00003", "false-positive");
  const { precision } = await ask();
  expect(precision.anomalies).toMatchObject({ answered: 2, confirmed: 1, useful: 1, precision: 1 });
  expect(precision.anomalies.low).toBeCloseTo(0.1581, 4);
  expect(precision.screenings).toMatchObject({ answered: 1, precision: 0 });
  expect(precision.versions.map(({ name }) => name)).toEqual(["trunk 0.1.0"]);

  const forget = (pool: string) => send(`${world.url}/api/v1/model/pools/${pool}/reference`, {});
  expect((await forget("pool-eu")).status).toBe(404);
  expect(await (await forget("main")).json()).toEqual({ forgotten: true });
  const entries = await world.ops.audit({ limit: 1000 });
  expect(entries.at(-1)).toMatchObject({
    actor: "local",
    action: "model.reference",
    after: { pool: "main" },
  });
});

test("without a model its standing is unavailable, not empty", async () => {
  await using world = await startWorld({
    model: undefined as unknown as NonNullable<ReviewOptions["model"]>,
  });
  const response = await fetch(`${world.url}/api/v1/model`);
  expect(response.status).toBe(503);
  expect(await read(problem, response)).toMatchObject({ detail: "No model is loaded." });
});
