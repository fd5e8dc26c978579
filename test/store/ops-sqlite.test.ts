import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import type { FlagChange } from "../../src/core/store.ts";
import { openOps } from "../../src/store/ops-sqlite.ts";
import { aFlag, EVIDENCE } from "./flags.ts";
import { temporary } from "./temporary.ts";

const NOW = Date.UTC(2026, 0, 10);
const later = (hours: number) => new Date(Date.UTC(2026, 0, 5, 12 + hours)).toISOString();

async function open(events?: Record<string, string[]>, file = join(temporary(), "ops.db")) {
  const store = await openOps({ file, now: () => NOW, ...(events && { events }) });
  onTestFinished(() => store.close());
  const told: FlagChange[] = [];
  store.onChange((change) => told.push(change));
  return { store, file, told, events: () => told.map(({ event }) => event) };
}

test("raising keeps flag, evidence, audit line and one message a destination", async () => {
  const { store } = await open();
  expect(await store.raise(aFlag(), EVIDENCE, ["x", "y"])).toBe("opened");
  const page = await store.flag("flag-1");
  expect([page?.flag, page?.evidence, page?.verdicts]).toEqual([aFlag(), EVIDENCE, []]);
  expect(page?.audit.map(({ action, actor, before, atMs }) => [action, actor, before, atMs])).toEqual([
    ["flag.opened", "assay", null, NOW],
  ]);
  const due = await store.due(NOW, 10);
  expect(due.map(({ destination, event, flagId }) => [destination, event, flagId])).toEqual([
    ["x", "flag.opened", "flag-1"],
    ["y", "flag.opened", "flag-1"],
  ]);
  expect(due[0]?.id).toMatch(/^msg_[0-9a-f]{32}$/);
  expect(JSON.parse(due[0]!.body)).toEqual({
    type: "flag.opened",
    timestamp: aFlag().updatedAt,
    data: aFlag(),
  });
});

test("the same flags again change nothing: no audit line, no message, no event", async () => {
  const { store, events } = await open();
  const history = [
    aFlag(),
    aFlag({ id: "w2", updatedAt: later(6), severity: "high" }),
    aFlag({ id: "w3", updatedAt: later(12), families: ["origin", "fleet"] }),
  ];
  for (const flag of history) await store.raise(flag, EVIDENCE, ["x"]);
  const before = [await store.flag("flag-1"), await store.deliveries({}), await store.audit({})];
  for (const flag of history) expect(await store.raise(flag, EVIDENCE, ["x"])).toBe("unchanged");
  expect([await store.flag("flag-1"), await store.deliveries({}), await store.audit({})]).toEqual(before);
  expect(events()).toEqual(["flag.opened", "flag.updated", "flag.updated"]);
});

test("an open flag is brought up to date under its own id, and told again only for more severity or a new family", async () => {
  const { store } = await open();
  await store.raise(aFlag({ severity: "high" }), EVIDENCE, ["x"]);
  const raise = (hours: number, changes: object) =>
    store.raise(aFlag({ id: `w${hours}`, updatedAt: later(hours), ...changes }), EVIDENCE, ["x"]);
  const messages = async () => (await store.deliveries({})).length;
  expect([await raise(6, { severity: "low", score: 0.2 }), await messages()]).toEqual(["updated", 1]);
  expect([await raise(12, { severity: "high" }), await messages()]).toEqual(["updated", 1]);
  expect([await raise(18, { families: ["origin", "fleet"] }), await messages()]).toEqual(["updated", 2]);
  expect([await raise(24, { families: ["latency", "fleet"] }), await messages()]).toEqual(["updated", 2]);
  expect([await raise(30, { severity: "critical" }), await messages()]).toEqual(["updated", 3]);
  const { flags, total } = await store.flags({});
  expect([total, flags[0]?.id, flags[0]?.openedAt, flags[0]?.updatedAt]).toEqual([
    1,
    "flag-1",
    aFlag().openedAt,
    later(30),
  ]);
});

test("screening hits add up by reason, in any order", async () => {
  const { store } = await open();
  const hit = (code: string, hours: number, severity: "high" | "critical") =>
    aFlag({
      id: `s${hours}`,
      kind: "screening",
      updatedAt: later(hours),
      severity,
      families: [code === "address" ? "payout" : "origin"],
      reasons: [{ code, family: "origin", text: code, weight: 1, evidence: [] }],
    });
  expect(await store.raise(hit("region", 5, "high"), EVIDENCE, ["x"])).toBe("opened");
  expect(await store.raise(hit("address", 2, "critical"), EVIDENCE, ["x"])).toBe("updated");
  expect(await store.raise(hit("address", 2, "critical"), EVIDENCE, ["x"])).toBe("unchanged");
  expect(await store.raise(hit("region", 5, "high"), EVIDENCE, ["x"])).toBe("unchanged");
  const { flags } = await store.flags({ kind: "screening" });
  expect(flags[0]).toMatchObject({
    id: "s5",
    severity: "critical",
    updatedAt: later(5),
    families: ["origin", "payout"],
  });
  expect(flags[0]?.reasons.map(({ code }) => code)).toEqual(["region", "address"]);
  expect((await store.deliveries({})).map(({ event }) => event)).toEqual(["flag.updated", "flag.opened"]);
});

test("a verdict closes, is audited with before and after, and tells who asked for closings", async () => {
  const { store, events } = await open({ x: ["flag.closed"], y: ["flag.opened"] });
  await store.raise(aFlag(), EVIDENCE, ["x", "y"]);
  const verdict = {
    flagId: "flag-1",
    outcome: "false-positive",
    comment: "known VPN",
    actor: "ann",
    atMs: NOW,
  } as const;
  expect((await store.decide(verdict))?.state).toBe("closed");
  expect((await store.decide(verdict))?.state).toBe("closed");
  expect(await store.decide({ ...verdict, flagId: "none" })).toBeNull();
  const page = await store.flag("flag-1");
  expect(page?.verdicts).toEqual([verdict]);
  expect(page?.flag.updatedAt).toBe(new Date(NOW).toISOString());
  expect(page?.audit.at(-1)).toMatchObject({
    actor: "ann",
    action: "verdict.false-positive",
    before: { state: "open" },
    after: { state: "closed", outcome: "false-positive", comment: "known VPN" },
  });
  expect((await store.deliveries({})).map(({ destination, event }) => [destination, event])).toEqual([
    ["x", "flag.closed"],
    ["y", "flag.opened"],
  ]);
  expect(events()).toEqual(["flag.opened", "flag.closed"]);
});

test("what a closed flag covered does not come back; what is newer does", async () => {
  const { store } = await open();
  await store.raise(aFlag(), EVIDENCE, []);
  await store.raise(aFlag({ id: "w2", updatedAt: later(6) }), EVIDENCE, []);
  await store.decide({ flagId: "flag-1", outcome: "false-positive", comment: "", actor: "ann", atMs: NOW });
  for (const again of [
    aFlag(),
    aFlag({ id: "w2", updatedAt: later(6) }),
    aFlag({ id: "w0", updatedAt: later(-6) }),
  ]) {
    expect(await store.raise(again, EVIDENCE, ["x"])).toBe("unchanged");
  }
  expect((await store.flags({ state: "open" })).total).toBe(0);
  expect(await store.raise(aFlag({ account: "b", id: "b" }), EVIDENCE, [])).toBe("opened");
  expect(await store.raise(aFlag({ id: "w3", updatedAt: later(12) }), EVIDENCE, ["x"])).toBe("opened");
  expect(await store.raise(aFlag({ id: "w4", updatedAt: later(18) }), EVIDENCE, ["x"])).toBe("updated");
  expect((await store.flag("w3"))?.flag.updatedAt).toBe(later(18));
});

test("state changes are audited, and one account has one flag of a kind that is not closed", async () => {
  const { store, events } = await open({ x: ["flag.closed"] });
  await store.raise(aFlag(), EVIDENCE, []);
  expect((await store.setState("flag-1", "investigating", "ann", NOW))?.state).toBe("investigating");
  expect((await store.setState("flag-1", "closed", "ann", NOW))?.state).toBe("closed");
  await store.raise(aFlag({ id: "w2", updatedAt: later(6) }), EVIDENCE, []);
  await expect(store.setState("flag-1", "open", "ann", NOW)).rejects.toThrow("flag w2 of the same account");
  expect(await store.setState("none", "open", "ann", NOW)).toBeNull();
  expect(events()).toEqual(["flag.opened", "flag.updated", "flag.closed", "flag.opened"]);
  expect((await store.deliveries({})).map(({ event }) => event)).toEqual(["flag.closed"]);
  const actions = (await store.audit({ afterId: 1 })).map(({ action, before, after }) => [
    action,
    before,
    after,
  ]);
  expect(actions.slice(0, 2)).toEqual([
    ["flag.state", { state: "open" }, { state: "investigating" }],
    ["flag.state", { state: "investigating" }, { state: "closed" }],
  ]);
});

test("the audit trail cannot be changed, and a change behind its back is found", async () => {
  const { store, file } = await open();
  for (let index = 0; index < 5; index += 1) {
    await store.raise(aFlag({ id: `f${index}`, account: `a${index}` }), EVIDENCE, []);
  }
  const whole = await store.verifyAudit();
  expect(whole).toMatchObject({ entries: 5, brokenAtId: null });
  expect(whole.head).toMatch(/^[0-9a-f]{64}$/);
  const db = new DatabaseSync(file);
  onTestFinished(() => db.close());
  expect(() => db.exec("UPDATE audit SET actor = 'x'")).toThrow("append-only");
  expect(() => db.exec("DELETE FROM audit")).toThrow("append-only");
  db.exec("DROP TRIGGER audit_update; UPDATE audit SET actor = 'mallory' WHERE id = 3");
  expect(await store.verifyAudit()).toMatchObject({ entries: 2, brokenAtId: 3 });
  db.exec(
    "UPDATE audit SET actor = 'assay' WHERE id = 3; DROP TRIGGER audit_delete; DELETE FROM audit WHERE id = 4",
  );
  expect(await store.verifyAudit()).toMatchObject({ entries: 3, brokenAtId: 5 });
});

test("paging by key neither repeats nor loses a flag while others come in", async () => {
  const { store } = await open();
  const raise = (index: number) =>
    store.raise(
      aFlag({
        id: `f${String(index).padStart(3, "0")}`,
        account: `Miner${index}`,
        updatedAt: later(index % 7),
        score: (index % 5) / 5,
        severity: index % 2 ? "high" : "low",
        typologies: [{ name: index % 3 ? "proxy" : "farm", probability: 0.5 }],
      }),
      EVIDENCE,
      [],
    );
  for (let index = 0; index < 60; index += 1) await raise(index);
  for (const order of ["updated", "score"] as const) {
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await store.flags({ order, limit: 7, ...(after && { after }) });
      seen.push(...page.flags.map(({ id }) => id));
      after = page.next ?? undefined;
      await raise(100 + seen.length + (order === "score" ? 1000 : 0));
    } while (after);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => id < "f060")).toHaveLength(60);
  }
  const count = async (query: object) => (await store.flags(query)).total;
  expect(await count({ text: "miNER5" })).toBe(
    (await store.flags({ limit: 1000 })).flags.filter(({ account }) => account.includes("Miner5")).length,
  );
  expect(await count({ typology: "farm", severity: "low", text: "Miner12" })).toBe(1);
  expect(await count({ text: "%" })).toBe(0);
  await expect(store.flags({ after: "bm9wZQ" })).rejects.toThrow("after");
});

test("screenings are one row a value, day and list versions, misses too", async () => {
  const { store } = await open();
  const lists = [{ name: "sdn", version: "2026-01-05" }];
  const newer = [{ name: "sdn", version: "2026-01-06" }];
  const at = (hours: number) => Date.UTC(2026, 0, 5, hours);
  const miss = { subject: "address", value: "bc1q", matches: [] } as const;
  const match = { list: newer[0]!, entry: "bc1q", note: "DPRK2", source: "OFAC" };
  await store.recordScreenings([
    { ...miss, atMs: at(9), lists },
    { ...miss, atMs: at(3), lists },
    { ...miss, atMs: at(12), lists: newer, matches: [match] },
    { ...miss, atMs: at(30), lists },
    { ...miss, value: "other", atMs: at(30), lists },
  ]);
  expect(await store.screenings("bc1q")).toEqual([
    { ...miss, atMs: at(9), firstMs: at(3), lastMs: at(9), count: 2, lists },
    { ...miss, atMs: at(12), firstMs: at(12), lastMs: at(12), count: 1, lists: newer, matches: [match] },
    { ...miss, atMs: at(30), firstMs: at(30), lastMs: at(30), count: 1, lists },
  ]);
});

test("a disabled destination's messages become dead letters, which can be sent again", async () => {
  const { store } = await open();
  let woken = 0;
  store.onOutbox(() => {
    woken += 1;
  });
  await store.raise(aFlag(), EVIDENCE, ["x", "y"]);
  await store.disable({ destination: "x", reason: "410 Gone", sinceMs: NOW });
  await store.raise(aFlag({ updatedAt: later(6), severity: "high" }), EVIDENCE, ["x"]);
  expect((await store.due(NOW, 10)).map(({ destination }) => destination)).toEqual(["y"]);
  expect(await store.nextDueMs("x")).toBeNull();
  const dead = await store.deliveries({ state: "dead" });
  expect(dead.map(({ lastError }) => lastError)).toEqual(["410 Gone", "410 Gone"]);
  await store.enable("x");
  expect(await store.disabled()).toEqual([]);
  expect([await store.resend(dead[0]!.id, NOW), await store.resend("msg_none", NOW)]).toEqual([true, false]);
  expect((await store.due(NOW, 10, "x")).map(({ id, attempts }) => [id, attempts])).toEqual([
    [dead[0]!.id, 0],
  ]);
  expect(woken).toBe(4);
});

test("SIGKILL in the middle of raising: every flag has its audit line and its messages, or none of them", async () => {
  const file = join(temporary(), "ops.db");
  for (let round = 0; round < 5; round += 1) {
    const child = fork(new URL("./raise-forever.ts", import.meta.url), [file], { execArgv: [] });
    for (let answered = 0; answered < 5 + round; answered += 1) await once(child, "message");
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  const db = new DatabaseSync(file);
  const ids = (sql: string) =>
    db
      .prepare(sql)
      .all()
      .map(({ id }) => id);
  const flags = ids("SELECT id FROM flags ORDER BY id");
  const lines = ids("SELECT flag_id AS id FROM audit ORDER BY flag_id");
  const messages = ids("SELECT flag_id AS id FROM outbox ORDER BY flag_id, destination");
  db.close();
  expect(flags.length).toBeGreaterThanOrEqual(9);
  expect(lines).toEqual(flags);
  expect(messages).toEqual(flags.flatMap((id) => [id, id]));
  const { store } = await open(undefined, file);
  expect(await store.verifyAudit()).toMatchObject({ entries: flags.length, brokenAtId: null });
});

test("an error names its component, and a closed store answers none", async () => {
  const { store } = await open();
  await expect(store.raise(aFlag({ updatedAt: "yesterday" }), EVIDENCE, [])).rejects.toThrow(
    "ops store: not an instant: yesterday",
  );
  await store.close();
  await expect(store.flags({})).rejects.toThrow("ops store");
  await expect(openOps({ file: "/nowhere/at/all.db" })).rejects.toThrow("ops store");
});
