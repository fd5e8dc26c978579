import { expect, test } from "vitest";
import { FEATURES } from "#core/features.ts";
import {
  concatenate,
  type Dataset,
  leaveOutNamesakes,
  type Truth,
} from "../../../models/evaluate/dataset.ts";
import { judge } from "../../../models/evaluate/detection-metrics.ts";

const owner = (account: string, campaign: string | null = null): Truth => ({
  pool: "p",
  account,
  kind: campaign === null ? "hobbyist" : "relay",
  typology: campaign === null ? null : "relay",
  care: campaign === null ? null : "middle",
  campaign,
  machines: 12,
  hiddenLegMs: 0,
});

/** One world with a row for each account; of one name's owners the last has them, as where windows are joined with truth. */
function world(truth: Truth[]): Dataset {
  const owners = truth
    .keys()
    .filter((at) => truth.findLastIndex(({ account }) => account === truth[at]?.account) === at);
  const owned = Uint32Array.from(owners);
  const count = owned.length;
  return {
    rows: Float32Array.from({ length: count * FEATURES.length }, (_, at) => Math.floor(at / FEATURES.length)),
    count,
    atMs: new Float64Array(count),
    owner: owned,
    truth,
    worldOf: truth.map(() => 0),
  };
}

test("an account that two owners drew one name for is nobody's, in its world alone", () => {
  const set = concatenate([
    world([
      owner("anna", "c1"),
      owner("ben"),
      owner("anna"),
      owner("carl", "c2"),
      owner("dora", "c2"),
      owner("dora"),
    ]),
    world([owner("anna", "c1"), owner("ben", "c1"), owner("emil")]),
  ]);
  const left = leaveOutNamesakes(set);
  const names = Array.from(left.owner, (at) => `${left.worldOf[at]}/${left.truth[at]?.account}`);
  expect(names).toEqual(["0/ben", "0/carl", "1/anna", "1/ben", "1/emil"]);
  expect(left.rows.length).toBe(left.count * FEATURES.length);
  const scores = Float64Array.from(left.owner, (at) => (left.truth[at]?.campaign === null ? 0 : 1));
  const { campaigns, accounts } = judge(left, scores);
  expect(campaigns.map(({ name, score }) => [name, score])).toEqual([
    ["c2/0", 1],
    ["c1/1", 1],
  ]);
  expect([...accounts]).toEqual([0, 0]);
});
