import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { detectNovelty } from "../../models/evaluate/nab.ts";
import { readNabProfiles, readNabSeries, readPublishedScores } from "../../models/evaluate/nab-data.ts";
import { bestNabScore, nabScoreAt } from "../../models/evaluate/nab-score.ts";

const external = process.env.ASSAY_EXTERNAL_DATA;
if (!external) console.warn("test/external/nab: ASSAY_EXTERNAL_DATA is not set; skipped");

describe.skipIf(!external)("the Numenta Anomaly Benchmark", () => {
  const directory = join(external ?? "", "nab");

  // The published scores of windowedGaussian crowd near 1 and lose their thresholds in the six digits published.
  test.each(["numenta", "ARTime", "relativeEntropy"])("gives %s its published scores", async (detector) => {
    const series = await readNabSeries(directory);
    const profiles = await readNabProfiles(directory);
    const scored = await readPublishedScores(directory, detector, series);
    const results = JSON.parse(await readFile(join(directory, "published/final_results.json"), "utf8"));
    const thresholds = JSON.parse(await readFile(join(directory, "config/thresholds.json"), "utf8"));
    for (const [name, profile] of Object.entries(profiles)) {
      const { score } = nabScoreAt(scored, profile, thresholds[detector][name].threshold);
      expect(Math.abs(score - results[detector][name])).toBeLessThan(0.001);
      expect(bestNabScore(scored, profile).score).toBeGreaterThan(results[detector][name] - 0.001);
    }
  });

  test("our detector finds the artificial anomalies and keeps quiet where there is none", async () => {
    const series = (await readNabSeries(directory)).filter(({ name }) => name.startsWith("artificial"));
    const { standard } = await readNabProfiles(directory);
    const best = bestNabScore(series.map(detectNovelty), standard);
    expect(best.found).toBe(6);
    expect(best.score).toBeGreaterThan(85);
  });
});
