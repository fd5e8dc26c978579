import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort, startAssay, until } from "../support/assay.ts";
import { BROWSER_MISSING, closeBrowser, openBrowser } from "./browser.ts";

/** The promise of the README: within a minute of the start the console shows flags, with nothing to configure. */
const PROMISE_MS = 60_000;

let place: string;
beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), "assay-demo-"));
});
afterAll(async () => {
  await closeBrowser();
  rmSync(place, { recursive: true });
});

describe.skipIf(BROWSER_MISSING)("the demo", () => {
  test("shows anomaly flags, a live screening hit and its banner in a real browser, and ends cleanly", async () => {
    const port = await freePort();
    const demo = startAssay(["run", "--port", String(port)], { cwd: place });
    try {
      await demo.said(`http://127.0.0.1:${port}`);
      await using browser = await openBrowser();
      const page = await browser.newPage();
      page.setDefaultTimeout(PROMISE_MS);
      await page.goto(`http://127.0.0.1:${port}/`);
      await page.getByText("everything here is simulated").waitFor();
      // An anomaly from the history, and the live miner that comes straight from a sanctioned network, through the tap.
      await page.getByText("live-blatant").first().waitFor();
      await page.locator("[data-kind=anomaly]").first().waitFor();
      await page.goto(`http://127.0.0.1:${port}/overview`);
      await page.getByText("everything here is simulated").waitFor();

      const flags = (await fetch(`http://127.0.0.1:${port}/api/v1/flags?limit=100`).then((answer) =>
        answer.json(),
      )) as {
        flags: { kind: string; families: string[]; reasons: { evidence: unknown[] }[] }[];
      };
      for (const { families } of flags.flags.filter(({ kind }) => kind === "anomaly")) {
        expect(families.length).toBeGreaterThanOrEqual(2);
      }
      const collectors = await until(async () => {
        const text = await fetch(`http://127.0.0.1:${port}/metrics`).then((answer) => answer.text());
        return text.includes('assay_observations_total{collector="journal"}') ? text : undefined;
      });
      expect(collectors).toContain('assay_observations_total{collector="simulation"}');
    } finally {
      expect(await demo.end()).toBe(0);
    }
  }, 120_000);
});
