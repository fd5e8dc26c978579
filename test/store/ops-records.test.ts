import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { aFlag, EVIDENCE } from "./flags.ts";
import { later, NOW, open } from "./ops-open.ts";

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
  await store.enable("x", "ann");
  await store.enable("x", "ann");
  expect(await store.disabled()).toEqual([]);
  expect([await store.resend(dead[0]!.id, NOW, "ann"), await store.resend("msg_none", NOW)]).toEqual([
    true,
    false,
  ]);
  expect((await store.due(NOW, 10, "x")).map(({ id, attempts }) => [id, attempts])).toEqual([
    [dead[0]!.id, 0],
  ]);
  expect(woken).toBe(5);
  expect(
    (await store.audit({ afterId: 1 })).map(({ actor, action, flagId }) => [actor, action, flagId]),
  ).toEqual([
    ["assay", "destination.disabled", null],
    ["assay", "flag.updated", "flag-1"],
    ["ann", "destination.enabled", null],
    ["ann", "delivery.resent", "flag-1"],
  ]);
});
