import { describe, expect, test } from "vitest";
import { type Finding, TemplateWatch } from "../../../collectors/stratum/template-watch.ts";
import type { Job } from "../../../src/core/observation.ts";

const job = (pool: string, prevHash: string, atMs: number): Job => ({
  type: "job",
  atMs,
  pool,
  jobId: `${atMs}`,
  prevHash,
  clean: true,
});

function watch() {
  const findings: Finding[] = [];
  return { findings, watch: new TemplateWatch((finding) => findings.push(finding)) };
}

describe("divergence", () => {
  test("a pool that stays on another block than most is told once, after a minute", () => {
    const { findings, watch: pools } = watch();
    for (const pool of ["a", "b", "c"]) pools.take(job(pool, "one", 0));
    pools.take(job("a", "two", 10_000));
    pools.take(job("b", "two", 12_000));
    pools.check(71_000);
    expect(findings).toEqual([]);
    pools.check(72_000);
    pools.check(99_000);
    expect(findings).toEqual([
      { kind: "divergence", pool: "c", prevHash: "one", majority: "two", pools: ["a", "b"], sinceMs: 12_000 },
    ]);
    pools.take(job("c", "two", 100_000));
    pools.take(job("c", "three", 110_000));
    pools.check(200_000);
    expect(findings).toHaveLength(2);
  });

  test("two pools apart from each other have no majority, and a pool that is gone is not apart", () => {
    const { findings, watch: pools } = watch();
    pools.take(job("a", "one", 0));
    pools.take(job("b", "two", 0));
    pools.check(1e6);
    pools.take(job("c", "two", 1e6));
    pools.forget("a");
    pools.check(2e6);
    expect(findings).toEqual([]);
  });
});

describe("shared templates", () => {
  const branches = (template: number) => Array.from({ length: 8 }, (_, index) => `${template}-${index}`);

  test("three equal templates of some size tell a proxy", () => {
    const { findings, watch: pools } = watch();
    for (let template = 0; template < 4; template += 1) {
      for (const pool of ["pool", "proxy"]) pools.take(job(pool, "one", template), branches(template));
      pools.take(job("other", "one", template), branches(100 + template));
      // The same one again tells nothing new.
      pools.take(job("proxy", "one", template), branches(template));
    }
    expect(findings).toEqual([{ kind: "shared-template", pool: "proxy", with: "pool", templates: 3 }]);
  });

  test("small templates agree by chance", () => {
    const { findings, watch: pools } = watch();
    for (let template = 0; template < 9; template += 1) {
      for (const pool of ["a", "b"]) pools.take(job(pool, "one", template), branches(template).slice(0, 5));
    }
    expect(findings).toEqual([]);
  });
});
