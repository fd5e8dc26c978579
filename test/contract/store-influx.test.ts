import { afterAll, beforeAll, describe, onTestFinished } from "vitest";
import { openTestInflux } from "../store/influx-open.ts";
import { hasInfluxd, startInfluxd, WITHOUT_INFLUXD } from "../store/influxd.ts";
import { storeContract } from "./store.ts";

describe.skipIf(!hasInfluxd())(`InfluxDB 1.x${hasInfluxd() ? "" : `: ${WITHOUT_INFLUXD}`}`, () => {
  let influxd: Awaited<ReturnType<typeof startInfluxd>>;
  let database = 0;
  beforeAll(async () => {
    influxd = await startInfluxd();
  });
  afterAll(() => influxd.close());

  storeContract(async () => {
    database += 1;
    const { store, end } = await openTestInflux(influxd.url, { database: `contract${database}` });
    onTestFinished(end);
    return store;
  });
});
