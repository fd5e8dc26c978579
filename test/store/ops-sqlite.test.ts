import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { openOps } from "../../src/store/ops-sqlite.ts";
import { heard } from "./child.ts";
import { aFlag, EVIDENCE } from "./flags.ts";
import { later, NOW, open } from "./ops-open.ts";
import { temporary } from "./temporary.ts";

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
  await store.decide({ flagId: "flag-1", outcome: "confirm", comment: "", actor: "ann", atMs: NOW });
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

test("what was called a false positive is not asked about again for thirty days, unless it says more", async () => {
  const { store } = await open();
  const raise = (account: string, hours: number, changes: object = {}) =>
    store.raise(aFlag({ account, id: `${account}${hours}`, updatedAt: later(hours), ...changes }), EVIDENCE, [
      "x",
    ]);
  for (const account of ["same", "graver", "wider", "late"]) {
    await raise(account, 0);
    const verdict = { outcome: "false-positive", comment: "", actor: "ann", atMs: NOW } as const;
    await store.decide({ ...verdict, flagId: `${account}0` });
  }
  expect(await raise("same", 6)).toBe("unchanged");
  expect(await raise("same", 24 * 29)).toBe("unchanged");
  expect(await raise("graver", 6, { severity: "critical" })).toBe("opened");
  expect(await raise("wider", 6, { families: ["origin", "route"] })).toBe("opened");
  expect(await raise("late", 24 * 35)).toBe("opened");
  // A listed address is no opinion: it is told whatever was said before.
  await raise("listed", 0, { kind: "screening" });
  await store.decide({ flagId: "listed0", outcome: "false-positive", comment: "", actor: "ann", atMs: NOW });
  expect(await raise("listed", 6, { kind: "screening" })).toBe("opened");
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

test("SIGKILL in the middle of raising: every flag has its audit line and its messages, or none of them", async () => {
  const file = join(temporary(), "ops.db");
  for (let round = 0; round < 5; round += 1) {
    const child = fork(new URL("./raise-forever.ts", import.meta.url), [file], { execArgv: [] });
    for (let answered = 0; answered < 5 + round; answered += 1) await heard(child);
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
