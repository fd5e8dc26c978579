import { execFileSync } from "node:child_process";

/**
 * Whether a program that a test needs runs here: what asks for its version does. Where it does not, the test is left out and
 * says so; with `ASSAY_REQUIRE_SERVICES=1`, as in CI, that is an error.
 */
export function installed(program: string, ...version: string[]): boolean {
  try {
    execFileSync(program, version, { stdio: "ignore" });
    return true;
  } catch {
    if (process.env.ASSAY_REQUIRE_SERVICES === "1") throw new Error(`${program} is not installed`);
    return false;
  }
}
