import { expect, test } from "vitest";
import { FEATURE_INDEX, FEATURES } from "#core/features.ts";
import { divideRecordings, refuseUnknownTypologies } from "../../models/divide-recordings.ts";
import type { Dataset, Truth } from "../../models/evaluate/dataset.ts";
import type { Recording } from "../../models/recorded.ts";
import { accountWeights, learningWeights } from "../../models/weights.ts";

const width = FEATURES.length;

/** An account with so many rows, all features 0. */
interface Drawn {
  rows: number;
  campaign?: string;
  typology?: string;
  kind?: string;
  sanctioned?: boolean;
}

function draw(accounts: readonly Drawn[]): Dataset {
  const truth = accounts.map(
    ({ campaign = null, typology = campaign === null ? null : "relay", kind = "honest" }, index): Truth => ({
      pool: "p",
      account: `a${index}`,
      kind,
      typology,
      care: campaign === null ? null : "middle",
      campaign,
      machines: 1,
      hiddenLegMs: 0,
    }),
  );
  const owner = Uint32Array.from(accounts.flatMap(({ rows }, index) => new Array<number>(rows).fill(index)));
  const rows = new Float32Array(owner.length * width);
  for (const [row, account] of owner.entries())
    if (accounts[account]?.sanctioned)
      rows[row * width + (FEATURE_INDEX.get("origin.comprehensive") as number)] = 1;
  return {
    rows,
    count: owner.length,
    atMs: new Float64Array(owner.length),
    owner,
    truth,
    worldOf: truth.map(() => 0),
  };
}

async function* recordings(...sets: Dataset[]): AsyncGenerator<Recording> {
  for (const [index, set] of sets.entries())
    yield { name: `r${index}`, set, observations: 1, refused: 0, unknown: 0 };
}

const accountsOf = ({ owner, truth, worldOf }: Dataset): string[] =>
  [...new Set(owner)].map((one) => `${worldOf[one]}/${truth[one]?.account}`);

test("every fourth operation is fused on with all its accounts, honest ones and campaigns apart", async () => {
  const honest: Drawn[] = Array.from({ length: 8 }, () => ({ rows: 2 }));
  const first = draw([...honest, { rows: 1, campaign: "c" }, { rows: 3, campaign: "c" }]);
  // The same name in another recording is another campaign.
  const second = draw(["c", "d", "e", "e"].map((campaign) => ({ rows: 1, campaign })));
  const { learning, fusing, recordings: count } = await divideRecordings(recordings(first, second));
  expect(count).toBe(2);
  expect(accountsOf(fusing)).toEqual(["0/a3", "0/a7", "1/a2", "1/a3"]);
  expect(accountsOf(learning)).toHaveLength(10);
  expect(learning.count + fusing.count).toBe(first.count + second.count);
});

test("screening hits are left out, and a typology that no model tells is refused by name", async () => {
  const set = draw([
    { rows: 1 },
    { rows: 1, sanctioned: true },
    { rows: 1, sanctioned: true, campaign: "c" },
  ]);
  const { learning } = await divideRecordings(recordings(set));
  expect(accountsOf(learning)).toEqual(["0/a0", "0/a2"]);
  const other = draw([{ rows: 1, campaign: "c", typology: "piracy" }]);
  expect(() => refuseUnknownTypologies(other.truth, "truth.ndjson")).toThrow(
    /^truth\.ndjson: no typology piracy; .*relay/,
  );
  expect(refuseUnknownTypologies(set.truth, "truth.ndjson")).toBeUndefined();
  const hits = draw([{ rows: 1, sanctioned: true }]);
  await expect(divideRecordings(recordings(hits))).rejects.toThrow("no account to learn from");
});

test("recorded accounts have three tenths of the weight, honest and campaigns each, however long they are seen", () => {
  const simulated = draw([
    ...Array.from({ length: 60 }, () => ({ rows: 2, kind: "hobbyist" })),
    ...Array.from({ length: 40 }, (_, index) => ({ rows: 1, campaign: `c${index}` })),
  ]);
  const recorded = draw([{ rows: 5 }, { rows: 1 }, { rows: 2, campaign: "c" }]);
  const weights = learningWeights(simulated, recorded);
  expect(weights).toHaveLength(simulated.count + recorded.count);
  const sumOf = (from: number, to: number) => weights.slice(from, to).reduce((sum, one) => sum + one, 0);
  const count = simulated.count + recorded.count;
  expect(sumOf(0, count)).toBeCloseTo(count, 6);
  expect(sumOf(120, 160) + sumOf(166, 168)).toBeCloseTo(count / 3, 6);
  expect(sumOf(160, 166) / (sumOf(0, 120) + sumOf(160, 166))).toBeCloseTo(0.3, 6);
  expect(sumOf(166, 168) / (sumOf(120, 160) + sumOf(166, 168))).toBeCloseTo(0.3, 6);
  expect(sumOf(160, 165)).toBeCloseTo(sumOf(165, 166), 6);
});

test("they have as much where the heads are fused, by rows that count alike otherwise", () => {
  const simulated = draw([
    ...Array.from({ length: 70 }, () => ({ rows: 2, kind: "hobbyist" })),
    ...Array.from({ length: 7 }, (_, index) => ({ rows: 1, campaign: `c${index}` })),
  ]);
  const weights = accountWeights(simulated, draw([{ rows: 3 }, { rows: 1, campaign: "c" }]));
  expect([...weights.slice(0, 2)]).toEqual([0.5, 0.5]);
  expect(weights[140]).toBe(1);
  expect([...weights.slice(147)]).toEqual([10, 10, 10, 3].map((one) => expect.closeTo(one, 9)));
});

test("a single recorded campaign counts no more than a hundred simulated ones; without recordings nothing changes", () => {
  const simulated = draw([
    ...Array.from({ length: 10 }, () => ({ rows: 1, kind: "hobbyist" })),
    ...Array.from({ length: 1000 }, (_, index) => ({ rows: 1, campaign: `c${index}` })),
  ]);
  const weights = learningWeights(simulated, draw([{ rows: 1, campaign: "c" }]));
  expect((weights.at(-1) as number) / (weights.at(-2) as number)).toBeCloseTo(100, 6);
  const alone = learningWeights(simulated);
  expect(alone).toHaveLength(1010);
  expect(alone.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1010, 6);
  // Whoever has no campaign to show still says what is normal.
  const normal = learningWeights(simulated, draw([{ rows: 1 }]));
  expect(normal.every(Number.isFinite)).toBe(true);
});
