import { join } from "node:path";
import { onTestFinished } from "vitest";
import { openMetrics } from "../../src/store/metrics-sqlite.ts";
import { temporary } from "../store/temporary.ts";
import { storeContract } from "./store.ts";

storeContract(async () => {
  const store = await openMetrics({ file: join(temporary(), "metrics.db"), rawDays: 7, hourDays: 400 });
  onTestFinished(() => store.close());
  return store;
});
