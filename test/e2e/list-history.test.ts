import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { refresh } from "../../src/screening/refresh.ts";
import { listFolder, openHeart } from "../main/keeping.ts";
import { freePort, type Running, startAssay } from "../support/assay.ts";
import { BROWSER_MISSING, closeBrowser, openBrowser } from "./browser.ts";
import { FAINT, UNNAMED } from "./page-checks.ts";

const WALLET = "12QtD5BFwRsdNsAZY76UVE1xyCGNTojH9h";
let running: Running | undefined;

afterEach(async () => {
  if (running?.child.exitCode === null && running.child.signalCode === null) await running.kill();
});
afterAll(closeBrowser);

describe.skipIf(BROWSER_MISSING)("the console's Screening page", () => {
  test("shows each list's versions with what changed, and what a value was screened against before", async () => {
    const { directory, file, write } = await listFolder();
    const port = await freePort();
    const yaml = `data: { directory: ${directory} }
http: { port: ${port} }
screening: { lists: [{ name: ours, file: ${file}, format: csv }] }
`;
    const config = join(directory, "assay.yaml");
    writeFileSync(config, yaml);
    const { parts, ops, close } = await openHeart(yaml);
    for (const rows of [[], [`address,${WALLET}`, "address,another"], ["address,another"]]) {
      await write(...rows);
      await parts.lists.update();
      await refresh(parts.screening, parts.lists);
      await ops.recordScreenings([parts.screening.screen("address", WALLET, Date.now())]);
    }
    await close();
    running = startAssay(["run", "--config", config]);
    await running.said("listening");

    for (const colorScheme of ["light", "dark"] as const) {
      await using browser = await openBrowser({ colorScheme });
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${port}/screening?value=${WALLET}`);
      await page.getByRole("button", { name: "ours" }).click();
      const rows = page.getByRole("table", { name: "Versions of ours" }).locator("tbody tr");
      await rows.first().waitFor();
      const cells = (await rows.allInnerTexts()).map((row) => row.split("\t").slice(2));
      expect(cells).toEqual([
        ["41", "0", "1"],
        ["42", "2", "0"],
        ["40", "40", "0"],
      ]);
      // A hit between two misses, each with the version it was given from.
      const answers = (await (
        await fetch(`http://127.0.0.1:${port}/api/v1/screenings?value=${WALLET}`)
      ).json()) as { screenings: { lists: { name: string; version: string }[]; matches: unknown[] }[] };
      const versions = answers.screenings.map(
        ({ lists }) => lists.find(({ name }) => name === "ours")?.version,
      );
      expect(answers.screenings.map(({ matches }) => matches.length)).toEqual([0, 1, 0]);
      expect(new Set(versions).size).toBe(3);
      for (const version of versions)
        await page
          .getByRole("cell", { name: `ours ${version}` })
          .first()
          .waitFor();
      expect(await page.evaluate(UNNAMED)).toEqual([]);
      expect(await page.evaluate(FAINT)).toEqual([]);
      // What comes with Assay is a handful of facts, never a current list.
      await page
        .getByRole("row", { name: /OFAC facts/ })
        .getByText("bundled", { exact: true })
        .waitFor();
    }
    expect(await running?.end()).toBe(0);
  }, 120_000);
});
