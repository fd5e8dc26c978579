import { openOps } from "../../src/store/ops-sqlite.ts";
import { aFlag, EVIDENCE } from "./flags.ts";

/** A child process that raises the same flags in the same order, new ones after those, until it is killed. */
const file = process.argv[2];
if (!file) throw new Error("which file?");
const store = await openOps({ file });
for (let index = 0; ; index += 1) {
  await store.raise(aFlag({ id: `flag ${index}`, account: `account ${index}` }), EVIDENCE, ["x", "y"]);
  process.send?.(index);
}
