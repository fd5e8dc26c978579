import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { estimateHiddenLeg, HIDDEN_LEG_THRESHOLD_MS } from "../../src/origin/hidden-leg.ts";

const FIXTURE = fileURLToPath(new URL("real-paths.ts", import.meta.url));
/** Each way, so that a round trip of one hop takes twice as long. */
const NETEM_MS = 15;

const works = (command: string, ...args: string[]) => {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};
const ss = works("ss", "-V");
if (!ss && process.env.ASSAY_REQUIRE_SERVICES === "1")
  throw new Error("ss (Debian's iproute2) is not installed");
const delayed = `ip link set lo up && tc qdisc add dev lo root netem delay ${NETEM_MS}ms 1ms`;
const netem = works("unshare", "-rn", "sh", "-c", delayed);
if (!netem) console.warn("This machine has no tc netem in a namespace: its test of real paths is left out.");

function measured(command: string, args: string[]) {
  const shown = execFileSync(command, args, { encoding: "utf8" });
  const paths = JSON.parse(shown) as Record<"direct" | "relayed", { tcp: number[]; app: number[] }>;
  return {
    direct: estimateHiddenLeg(paths.direct.tcp, paths.direct.app),
    relayed: estimateHiddenLeg(paths.relayed.tcp, paths.relayed.app),
  };
}

test.skipIf(!ss)(
  "over real sockets, a relay that holds bytes for 20 ms is found and a direct miner is not",
  () => {
    const { direct, relayed } = measured(process.execPath, [FIXTURE]);
    expect(direct).toMatchObject({ likely: false, samples: 12 });
    expect(relayed).toMatchObject({ likely: true });
    expect(relayed?.hiddenMs).toBeGreaterThanOrEqual(19);
    expect(relayed?.tcpMs).toBeLessThan(HIDDEN_LEG_THRESHOLD_MS);
  },
);

test.skipIf(!ss || !netem)(
  "over a delayed network, the way of a direct miner counts for TCP and hides nothing",
  () => {
    const script = `${delayed} && exec "$0" "$1"`;
    const { direct, relayed } = measured("unshare", ["-rn", "sh", "-c", script, process.execPath, FIXTURE]);
    expect(direct?.tcpMs).toBeGreaterThan(NETEM_MS);
    expect(direct?.likely).toBe(false);
    // The relay's own 20 ms, and the second hop's round trip.
    expect(relayed?.hiddenMs).toBeGreaterThan(20 + NETEM_MS);
    expect(relayed?.likely).toBe(true);
  },
);
