import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { estimateHiddenLeg, HIDDEN_LEG_THRESHOLD_MS } from "../../src/origin/hidden-leg.ts";
import { installed } from "../support/installed.ts";
import { OPEN_TUN } from "./delayed-network.ts";

const FIXTURE = fileURLToPath(new URL("real-paths.ts", import.meta.url));
/** One way of the delayed network; a round trip takes twice as long, and jitter comes on top. */
const DELAY_MS = 15;
/** What the relay of the fixture hides: it holds bytes for 10 ms each way. */
const HIDDEN_MS = 20;
/** A timer of Node may fire a millisecond early, twice on the way. */
const TIMER_MS = 2;

const works = (command: string, ...args: string[]) => {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};
const ss = installed("ss", "-V");
const [command = "", ...making] = OPEN_TUN;
const far = works(command, ...making, "true");
if (!far)
  console.warn("No tun device can be made in a namespace here: the test over a delayed network is left out.");

interface Measured {
  tcp: number[];
  app: number[];
  /** The least that the tap told in its observations. */
  told: { rttMs: number; appRttMs: number };
}

function measured(program: string, args: string[]) {
  const shown = execFileSync(program, args, { encoding: "utf8", timeout: 50_000 });
  const { direct, relayed } = JSON.parse(shown) as Record<"direct" | "relayed", Measured>;
  const of = ({ tcp, app, told }: Measured) => ({ told, estimate: estimateHiddenLeg(tcp, app) });
  return { direct: of(direct), relayed: of(relayed) };
}

test.skipIf(!ss)(
  "over real sockets, a relay that holds bytes for 20 ms is found and a direct miner is not",
  () => {
    const { direct, relayed } = measured(process.execPath, [FIXTURE]);
    expect(direct.estimate).toMatchObject({ likely: false, samples: 6 });
    expect(direct.told.appRttMs - direct.told.rttMs).toBeLessThan(HIDDEN_LEG_THRESHOLD_MS);
    expect(relayed.estimate).toMatchObject({ likely: true });
    expect(relayed.estimate?.hiddenMs).toBeGreaterThanOrEqual(HIDDEN_MS - TIMER_MS);
    expect(relayed.estimate?.tcpMs).toBeLessThan(HIDDEN_LEG_THRESHOLD_MS);
    expect(relayed.told.appRttMs - relayed.told.rttMs).toBeGreaterThanOrEqual(HIDDEN_MS - TIMER_MS);
  },
);

test.skipIf(!ss || !far)(
  "over a delayed network with jitter, the way itself counts for TCP and hides nothing, and the relay's leg is found",
  () => {
    const args = [...making, process.execPath, FIXTURE, String(DELAY_MS)];
    const { direct, relayed } = measured(command, args);
    for (const { told, estimate } of [direct, relayed]) {
      expect(estimate?.tcpMs).toBeGreaterThanOrEqual(2 * DELAY_MS - TIMER_MS);
      expect(told.rttMs).toBeGreaterThanOrEqual(2 * DELAY_MS - TIMER_MS);
    }
    expect(direct.estimate?.likely).toBe(false);
    expect(direct.told.appRttMs - direct.told.rttMs).toBeLessThan(HIDDEN_LEG_THRESHOLD_MS);
    expect(relayed.estimate?.likely).toBe(true);
    // The known leg is no shorter than what is said of it at least.
    expect(relayed.estimate?.lowMs).toBeLessThanOrEqual(HIDDEN_MS);
    expect(relayed.told.appRttMs - relayed.told.rttMs).toBeGreaterThan(HIDDEN_LEG_THRESHOLD_MS);
  },
  60_000,
);
