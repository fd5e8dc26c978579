import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from "playwright-core";

const EXECUTABLE = "/usr/bin/chromium";
/** A test that needs the browser is skipped where it is not installed; in continuous integration it fails instead. */
export const BROWSER_MISSING = !existsSync(EXECUTABLE) && process.env.ASSAY_REQUIRE_SERVICES !== "1";
if (BROWSER_MISSING) console.warn(`${EXECUTABLE} is not installed: browser tests are skipped.`);

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

let running: Promise<Browser> | undefined;

/** Ends the browser of this test file; its contexts are closed by then. */
export async function closeBrowser(): Promise<void> {
  await (await running)?.close();
  running = undefined;
}

/** A context of its own, without cookies or storage, in the file's one headless Chromium. */
export async function openBrowser(
  options: BrowserContextOptions = {},
): Promise<BrowserContext & AsyncDisposable> {
  running ??= chromium.launch({ executablePath: EXECUTABLE, headless: true, args: FLAGS });
  const context = await (await running).newContext({ viewport: { width: 1440, height: 900 }, ...options });
  // Shorter than a test may take, so that what was waited for is named.
  context.setDefaultTimeout(10_000);
  return Object.assign(context, { [Symbol.asyncDispose]: () => context.close() });
}
