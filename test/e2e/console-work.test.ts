import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seedEvidence, seedFlag } from "../review/seed.ts";
import { startWorld } from "../review/world.ts";
import { BROWSER_MISSING, closeBrowser, openBrowser } from "./browser.ts";
import { buildConsole } from "./build.ts";
import { FAINT, UNNAMED, WATCH_SHIFTS } from "./page-checks.ts";

let consoleDirectory = "";
beforeAll(async () => {
  if (!BROWSER_MISSING) consoleDirectory = await buildConsole();
});
afterAll(closeBrowser);

const PAGES = [
  "/",
  "/flags/flag_00001",
  "/accounts/main/x",
  "/flags/flag_00050",
  "/overview",
  "/model",
  "/network",
  "/screening?value=12QtD5BFwRsdNsAZY76UVE1xyCGNTojH9h",
  "/deliveries",
  "/audit",
];

/** Raises a flag of a pool whose inputs had drifted. */
async function raiseDrifted({ ops, nowMs }: Awaited<ReturnType<typeof startWorld>>): Promise<void> {
  const drift = [{ feature: "hashrate.size", psi: 0.31 }];
  await ops.raise(seedFlag(50, nowMs, { account: "drifted", drift }), seedEvidence(50, nowMs), []);
}

describe.skipIf(BROWSER_MISSING)("a shift at the console", () => {
  test("shows what the network told, how much more there was, and a stranger's name spelled out", async () => {
    await using world = await startWorld({ flags: 0, consoleDirectory });
    await using browser = await openBrowser();
    const page = await browser.newPage();
    await page.goto(world.url);
    await page.getByRole("link", { name: "Network" }).press("Enter");
    const table = (name: string) => page.getByRole("region", { name }).locator("tbody tr");
    await table("Sessions on the network").first().waitFor();
    const sessions = await table("Sessions on the network").allInnerTexts();
    expect(sessions[0]).toContain("farm");
    expect(sessions[0]).toContain("U+202E");
    expect(sessions[0]?.split("\t").slice(3)).toEqual(["1,793", "41.5 ms", "264 ms", "222.5 ms"]);
    expect(sessions[1]?.split("\t").slice(3)).toEqual(["no share", "–", "–", "–"]);
    await page.getByText("the latest 2 of 431").waitFor();
    expect(await table("Connections without a session").allInnerTexts()).toMatchObject([
      expect.stringContaining("[2001:db8::7]:40123"),
    ]);
    expect(await table("Watched prefixes").first().textContent()).toContain("upstream 64500");
    expect(await table("Exporters").first().textContent()).toContain("28");
  });

  test("shows which version of each list is in use, that one is stale, and the versions before", async () => {
    await using world = await startWorld({ flags: 0, consoleDirectory });
    await using browser = await openBrowser();
    const page = await browser.newPage();
    await page.goto(`${world.url}/screening`);
    const card = page.getByRole("region", { name: "Lists in use" });
    await card.getByText("the server answered 503").waitFor();
    expect(await card.getByRole("row").nth(1).textContent()).toMatch(/3f9a12bc4d5e17,654stale/);
    await card.getByRole("button", { name: "ofac-sdn" }).click();
    const versions = card.getByRole("table", { name: "Versions of ofac-sdn" });
    await versions.getByText("2026-11-12 a1b2c3d4e5f6").waitFor();
    expect(await versions.getByRole("row").count()).toBe(3);
  });

  test("says that drift stopped the thresholds, what a shadow would flag, and how precise flags were", async () => {
    await using world = await startWorld({ flags: 8, consoleDirectory });
    await raiseDrifted(world);
    const { ops, nowMs: atMs } = world;
    for (const [index, outcome] of (["confirm", "false-positive", "useful"] as const).entries())
      await ops.decide({ flagId: `flag_0000${index}`, outcome, comment: "", actor: "ada", atMs });
    await using browser = await openBrowser();
    const page = await browser.newPage();
    await page.goto(`${world.url}/model`);
    await page.getByRole("alert").getByText("a score there does not mean what it says").waitFor();
    const drift = page.getByRole("region", { name: "Drift by pool" });
    expect(await drift.getByRole("row").nth(1).textContent()).toMatch(/^main.?stopped/);
    const features = page.getByRole("region", { name: "Features" });
    expect(await features.getByRole("row").nth(1).textContent()).toMatch(/^hashrate\.size.*0\.31/);
    expect(await features.getByRole("row").count()).toBe(11);
    await features.getByRole("button", { name: "All" }).click();
    expect(await features.getByRole("row").count()).toBeGreaterThan(40);
    const shadow = page.getByRole("region", { name: "Shadow" });
    await shadow.getByText("Accounts that only one of them would flag").click();
    await shadow.getByRole("link", { name: "orefield31" }).waitFor();
    expect(await shadow.getByRole("row").nth(2).textContent()).toMatch(/^main.*4,1217130\.91$/);
    const precision = page.getByRole("region", { name: "Precision" });
    expect(await precision.getByRole("row").count()).toBeGreaterThan(1);
    await precision.getByRole("button", { name: "By model" }).click();
    // Two of three, by Clopper and Pearson 9.4 to 99.2 %.
    expect(await precision.getByRole("row").nth(1).textContent()).toMatch(
      /^trunk 0\.1\.0311167 %9\.4 % to 99 %/,
    );
    await drift.getByRole("button", { name: "Take a new reference" }).click();
    await page.getByText("Its next whole day becomes the reference.").waitFor();
    expect((await ops.audit({ limit: 1000 })).at(-1)?.action).toBe("model.reference");

    await page.goto(`${world.url}/flags/flag_00050`);
    await page.getByText("The likelihood is not calibrated here").waitFor();
    const below = page.locator(".counterfactual");
    expect(await below.textContent()).toMatch(
      /Below 50 % if.*49\.8 %.*latency\.hiddenLeg were 1\.65 log₁₀ instead of 2\.25/,
    );
    await page.getByRole("link", { name: "More about the model" }).click();
    await page.waitForURL("**/model");
  });

  test("a typology of the operator's own has its place, its flags and its meaning", async () => {
    await using world = await startWorld({ flags: 3, consoleDirectory });
    const about = "machines rented by night and paid to a new address each time";
    const sign = {
      type: "sign",
      typology: "night-rental",
      about,
      feature: "fleet.rentalAgent",
      below: 0.9991,
    };
    const text = "Described as night-rental: fleet.rentalAgent is higher than in 99.9 % of honest accounts.";
    const own = seedFlag(60, world.nowMs, {
      typologies: [{ name: "night-rental", probability: 0.4 }],
      reasons: [{ code: "TYPOLOGY_SIGNS", family: "fleet", text, weight: 1, evidence: [sign] }],
    });
    await world.ops.raise(own, seedEvidence(60, world.nowMs), []);
    await using browser = await openBrowser();
    const page = await browser.newPage();
    await page.goto(`${world.url}/model`);
    const described = page.getByRole("region", { name: "Described typologies" });
    const row = await described.getByRole("row").nth(1).textContent();
    for (const told of [about, "our case of March 2026", "low operator.age"]) expect(row).toContain(told);
    await described.getByRole("link", { name: "Night rental" }).click();
    await page.waitForURL("**/?typology=night-rental");
    await page.getByRole("link", { name: own.account }).first().waitFor();
    expect(await page.getByLabel("Consistent with").inputValue()).toBe("night-rental");
    await page.goto(`${world.url}/flags/${own.id}`);
    const finding = page.getByRole("region", { name: "Finding" });
    await finding.getByText(about).waitFor();
    await finding.getByText("nothing was learned of this typology").waitFor();
    await page.getByText(text).waitFor();
  });

  test("runs by keyboard alone: triage, open, decide, and back", async () => {
    await using world = await startWorld({ flags: 4, consoleDirectory });
    await using browser = await openBrowser();
    const page = await browser.newPage();
    await page.goto(world.url);
    await page.getByText("4 flags").waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });

    await page.keyboard.press("j");
    await page.keyboard.press("e");
    await page.getByText("3 flags").waitFor();
    expect((await world.ops.flag("flag_00000"))?.flag.state).toBe("closed");
    await page.keyboard.press("i");
    await page.getByText("2 flags").waitFor();
    expect((await world.ops.flag("flag_00001"))?.flag.state).toBe("investigating");

    await page.keyboard.press("o");
    await page.waitForURL("**/flags/flag_00002");
    await page.getByRole("button", { name: "Record verdict" }).waitFor();
    await page.keyboard.press("e");
    await page.keyboard.press("3");
    await page.keyboard.press("Tab");
    await page.keyboard.type("The jackpot of j, k and e is text here?");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.locator(".given").waitFor();
    expect((await world.ops.flag("flag_00002"))?.verdicts).toMatchObject([
      { outcome: "false-positive", comment: "The jackpot of j, k and e is text here?" },
    ]);
    await page.locator("main").focus();
    await page.keyboard.press("u");
    await page.getByText("1 flag", { exact: true }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("nobody has this name");
    await page.getByText("Nothing waits here").waitFor();
  });

  test("what was closed by mistake is taken back", async () => {
    await using world = await startWorld({ flags: 4, consoleDirectory });
    await using browser = await openBrowser();
    const page = await browser.newPage();
    await page.goto(world.url);
    await page.getByLabel("Select all rows").check();
    await page.getByRole("region", { name: "Selection" }).getByRole("button", { name: "Close" }).click();
    await page.getByText("Nothing waits here").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("4 flags").waitFor();
  });

  test("all that match are moved, also those not on the page, and no others", async () => {
    await using world = await startWorld({ flags: 0, consoleDirectory });
    const now = Date.now();
    for (let index = 0; index < 65; index += 1) {
      const over = { account: `rig-${index}`, severity: index < 55 ? ("low" as const) : ("high" as const) };
      await world.ops.raise(seedFlag(index, now, over), seedEvidence(index, now), []);
    }
    await using browser = await openBrowser();
    const page = await browser.newPage();
    await page.goto(`${world.url}/?severity=low`);
    await page.getByText("55 flags").waitFor();
    await page.locator(".queue tbody input").first().check();
    await page.getByRole("button", { name: "Act on all 55 that match…" }).click();
    await page.getByText("severity: low, state: open").waitFor();
    await page.getByRole("button", { name: "Close all" }).click();
    await page.getByText("55 flags closed.").waitFor();
    const { flags, total } = await world.ops.flags({ state: "open", limit: 50 });
    expect(total).toBe(10);
    expect(new Set(flags.map(({ severity }) => severity))).toEqual(new Set(["high"]));
  });

  test("a view is its address, and keeps the name it was given", async () => {
    await using world = await startWorld({ flags: 12, consoleDirectory });
    await using browser = await openBrowser();
    const page = await browser.newPage();
    await page.goto(world.url);
    await page.getByLabel("Kind").selectOption("screening");
    await page.waitForURL("**/?kind=screening");
    await page.getByText("3 flags").waitFor();
    await page.getByText("Views", { exact: true }).click();
    await page.getByLabel("Name for this view").fill("Hits");
    await page.getByRole("button", { name: "Save" }).click();
    await page.goto(world.url);
    await page.getByText("12 flags").waitFor();
    await page.getByText("Views", { exact: true }).click();
    await page.getByRole("link", { name: "Hits" }).click();
    await page.getByText("3 flags").waitFor();
  });

  test("a service that goes away is said, and what was shown stays", async () => {
    const world = await startWorld({ flags: 3, consoleDirectory });
    await using browser = await openBrowser();
    const page = await browser.newPage();
    await page.goto(world.url);
    await page.getByText("3 flags").waitFor();
    await world[Symbol.asyncDispose]();
    await page.getByText("Waiting").waitFor();
    await page.getByLabel("Severity").selectOption("critical");
    await page.getByText("The service does not answer.").first().waitFor();
    expect(await page.locator(".queue tbody tr").count()).toBe(3);
  });

  test.each(["light", "dark"] as const)("every page can be read and named in %s", async (colorScheme) => {
    await using world = await startWorld({ flags: 6, consoleDirectory });
    await raiseDrifted(world);
    await using browser = await openBrowser({ colorScheme });
    const page = await browser.newPage();
    await page.addInitScript(WATCH_SHIFTS);
    const wrong: Record<string, unknown> = {};
    for (const path of PAGES) {
      await page.goto(world.url + path);
      await page.locator("h1").first().waitFor();
      await page.locator("[aria-busy=true]").first().waitFor({ state: "detached" });
      const found = {
        unnamed: await page.evaluate<string[]>(UNNAMED),
        faint: await page.evaluate<string[]>(FAINT),
        // 0.1 is the bound of "good" in Web Vitals.
        shifted: (await page.evaluate<number>("window.__shift")) > 0.1,
        wide: await page.evaluate<boolean>("document.documentElement.scrollWidth > innerWidth"),
      };
      if (found.unnamed.length > 0 || found.faint.length > 0 || found.shifted || found.wide)
        wrong[path] = found;
    }
    expect(wrong).toEqual({});
  });

  test("a telephone shows every page without scrolling sideways", async () => {
    await using world = await startWorld({ flags: 6, consoleDirectory });
    await raiseDrifted(world);
    await using browser = await openBrowser({ viewport: { width: 390, height: 844 } });
    const page = await browser.newPage();
    for (const path of PAGES) {
      await page.goto(world.url + path);
      await page.locator("h1").first().waitFor();
      await page.locator("[aria-busy=true]").first().waitFor({ state: "detached" });
      expect(await page.evaluate("document.documentElement.scrollWidth"), path).toBeLessThanOrEqual(390);
    }
  });
});
