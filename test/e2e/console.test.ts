import { readdir, readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { unseen } from "../../src/review/console/format.ts";
import { seedEvidence, seedFlag } from "../review/seed.ts";
import { startWorld } from "../review/world.ts";
import { BROWSER_MISSING, closeBrowser, openBrowser } from "./browser.ts";
import { buildConsole } from "./build.ts";

let consoleDirectory = "";
beforeAll(async () => {
  if (!BROWSER_MISSING) consoleDirectory = await buildConsole();
});
afterAll(closeBrowser);

/** A page, and everything that went wrong on it. */
async function openPage(
  browser: Awaited<ReturnType<typeof openBrowser>>,
): Promise<{ page: Page; wrong: string[] }> {
  const page = await browser.newPage();
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
  page.on("dialog", (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  return { page, wrong };
}

/** Pixels of the chart in the line's blue and in the marks' orange; run in the page. */
const COUNT_COLOURS = `(() => {
  const canvas = document.querySelector(".chart canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let [blue, orange] = [0, 0];
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 2] > 180 && data[at] < 80) blue += 1;
    if (data[at] > 150 && data[at + 1] < 120 && data[at + 2] < 60) orange += 1;
  }
  return { blue, orange };
})()`;

/** A name as the console spells it. */
const shown = (name: string) => unseen(name).join("");
const accounts = (page: Page) => page.locator(".queue tbody .account").allTextContents();

describe.skipIf(BROWSER_MISSING)("the console", () => {
  test("a flag appears in the open queue as it is raised, and leaves it as it is closed elsewhere", async () => {
    await using world = await startWorld({ flags: 3, consoleDirectory });
    await using browser = await openBrowser();
    const { page, wrong } = await openPage(browser);
    await page.goto(world.url);
    await page.getByText("3 flags").waitFor();
    await page.locator(".live.on").waitFor();
    const now = Date.now();
    await world.ops.raise(
      seedFlag(50, now, { account: "newcomer", updatedAt: new Date(now).toISOString() }),
      seedEvidence(50, now),
      [],
    );
    await page.getByText("4 flags").waitFor();
    expect((await accounts(page))[0]).toBe("newcomer");
    await world.ops.setState("flag_00050", "closed", "somebody else", Date.now());
    await page.getByText("3 flags").waitFor();
    expect(await accounts(page)).not.toContain("newcomer");
    expect(wrong).toEqual([]);
  });

  test("a flag's page shows reasons, the chart with its changes, the map, and the sources with their facts", async () => {
    await using world = await startWorld({ flags: 6, consoleDirectory });
    await using browser = await openBrowser();
    const { page, wrong } = await openPage(browser);
    await page.goto(`${world.url}/flags/flag_00004`);
    await page.getByText("mining through a relay, proxy or VPN").waitFor();
    await page.locator('.map [data-country="KP"].tier-comprehensive').waitFor();
    expect(await page.locator('.map circle[data-country="UA-43"]').count()).toBe(1);
    // The chart is pixels: something in the line's colour must be there, and in the marks' colour.
    const colours = await page.evaluate<{ blue: number; orange: number }>(COUNT_COLOURS);
    expect(colours.blue).toBeGreaterThan(200);
    expect(colours.orange).toBeGreaterThan(50);
    const close = page.locator("section", { hasText: "Workers and extremes" });
    await close.getByText(/^worker rig7: silent since .*, 21\.4 nats$/).waitFor();
    await close.getByText(/^worker rig2: ×0\.31 since .*, 33\.7 nats$/).waitFor();
    await close
      .getByText(/^application round trip: 271 ms in the hour from .*, extreme above 66\.4 ms$/)
      .waitFor();
    await close.getByText(/^stale shares: 14 % in the hour from .*, extreme above 5\.2 %$/).waitFor();
    await page.getByRole("button", { name: "175.45.177.14" }).click();
    await page.getByText("read from assay networks 2026-11-01").waitFor();
    await page.getByText("2 observations behind it").click();
    await page.getByRole("cell", { name: "146.70.88.21", exact: true }).waitFor();
    expect(wrong).toEqual([]);
  });

  test("a verdict is given with a comment, recorded under the user's name, and closes the flag", async () => {
    await using world = await startWorld({ flags: 3, consoleDirectory });
    await using browser = await openBrowser();
    const { page, wrong } = await openPage(browser);
    await page.goto(`${world.url}/flags/flag_00001`);
    await page.getByText("Confirm").click();
    await page.getByLabel("Comment").fill("Matches what the hosting firm told us.");
    await page.getByRole("button", { name: "Record verdict" }).click();
    await page.getByText("Verdict recorded").waitFor();
    await page.locator(".given", { hasText: "Matches what the hosting firm told us." }).waitFor();
    const kept = await world.ops.flag("flag_00001");
    expect(kept?.flag.state).toBe("closed");
    expect(kept?.verdicts).toMatchObject([{ outcome: "confirm", actor: "local" }]);
    expect(kept?.audit.at(-1)).toMatchObject({ actor: "local", action: "verdict.confirm" });
    await page.getByRole("button", { name: "Open again" }).click();
    await page.locator(".state-open").waitFor();
    expect(wrong).toEqual([]);
  });

  test("what miners write stays text: markup, direction, length", async () => {
    await using world = await startWorld({ flags: 0, consoleDirectory });
    const hostile = [
      '<img src=x onerror="alert(1)">',
      "\u202Egnp.tset\u202C \u0627\u0644\u062D\u0633\u0627\u0628",
      "a".repeat(256),
      "</script><script>alert(2)</script>",
      "javascript:alert(3)",
      "../../x?y#z%2F",
    ];
    const now = Date.now();
    for (const [index, account] of hostile.entries()) {
      const reasons = seedFlag(index, now).reasons.map((reason) => ({
        ...reason,
        text: `${account} ${reason.text}`,
        evidence: [{ type: account, [account]: account }],
      }));
      const evidence = seedEvidence(index, now);
      for (const source of evidence.sources) Object.assign(source, { agent: account, holder: account });
      await world.ops.raise(seedFlag(index, now, { account, reasons }), evidence, []);
    }
    await using browser = await openBrowser();
    const { page, wrong } = await openPage(browser);
    await page.goto(world.url);
    await page.getByText("6 flags").waitFor();
    expect((await accounts(page)).toSorted()).toEqual(hostile.map(shown).toSorted());
    expect((await accounts(page)).join()).toContain("U+202Egnp.tset");
    for (const [index, account] of hostile.entries()) {
      await page.goto(`${world.url}/flags/flag_0000${index}`);
      await page.locator(".map .has").first().waitFor();
      expect(await page.locator("h1 .account").textContent()).toBe(shown(account));
      await page.locator("h1 a").click();
      await page.waitForURL("**/accounts/**");
      await page.locator("td a").waitFor();
      expect(await page.locator("h1 .account").textContent()).toBe(shown(account));
    }
    expect(await page.locator("main img, main script").count()).toBe(0);
    expect(wrong).toEqual([]);
  });

  test("a demo says so on every page, and only a demo", async () => {
    await using demo = await startWorld({ flags: 3, consoleDirectory });
    await using real = await startWorld({ flags: 3, consoleDirectory, demo: false });
    await using browser = await openBrowser();
    const { page, wrong } = await openPage(browser);
    for (const path of [
      "/",
      "/flags/flag_00001",
      "/accounts/main/x",
      "/overview",
      "/model",
      "/network",
      "/screening",
      "/deliveries",
      "/audit",
    ]) {
      await page.goto(demo.url + path);
      await page.locator("h1").first().waitFor();
      expect(await page.locator(".demo-banner").isVisible(), path).toBe(true);
      expect(await page.locator(".demo-banner").textContent()).toBe("Demo: everything here is simulated");
      await page.goto(real.url + path);
      await page.locator("h1").first().waitFor();
      expect(await page.locator(".demo-banner").count(), path).toBe(0);
    }
    expect(wrong).toEqual([]);
  }, 90_000);

  test("with tokens the console asks for one, keeps it from scripts, and goes by the role", async () => {
    const users = [{ name: "ada", token: "reader-token-0123456789", role: "reader" as const }];
    await using world = await startWorld({ flags: 3, consoleDirectory, users });
    await using browser = await openBrowser();
    const { page } = await openPage(browser);
    await page.goto(world.url);
    await page.getByLabel("Access token").fill("not a token at all");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("Nobody has this token.").waitFor();
    await page.getByLabel("Access token").fill("reader-token-0123456789");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("3 flags").waitFor();
    expect(await page.evaluate("document.cookie")).toBe("");
    await page.goto(`${world.url}/flags/flag_00001`);
    await page.getByText("Your role may read, not decide.").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Access token").waitFor();
  });
});

test("the whole console is small, and its document needs nothing inline", async () => {
  const directory = await buildConsole();
  let bytes = 0;
  for (const file of await readdir(`${directory}/assets`))
    bytes += gzipSync(await readFile(`${directory}/assets/${file}`)).length;
  expect(bytes).toBeLessThan(150_000);
  const page = await readFile(`${directory}/index.html`, "utf8");
  expect(page).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\son\w+=/);
});
