import type { Dataset } from "./evaluate/dataset.ts";
import type { Fusion } from "./fusion.ts";
import type { Manifest } from "./model-files.ts";
import type { Metrics, Volume } from "./train.ts";

const percent = (value: number | undefined): string =>
  value === undefined || Number.isNaN(value) ? "–" : `${(100 * value).toFixed(1)} %`;

/** What the card says of recorded pools. */
function ofRecorded(recorded: Manifest["data"]["recorded"]): string {
  if (!recorded) return "No real account was used, and none has confirmed these figures.";
  const { recordings, accounts, campaigns } = recorded;
  return `Beside them ${recordings} recorded ${recordings === 1 ? "pool" : "pools"} with
  ${accounts} accounts, ${campaigns} campaigns among them; the figures below are not of these.`;
}

/** The model's card: what it is, what it was made from, how it does, and where it must not be trusted. */
export function writeCard(options: {
  name: string;
  version: string;
  seed: number;
  learning: Dataset;
  recorded: Manifest["data"]["recorded"];
  metrics: Metrics;
  fusion: Fusion;
  volume: Volume;
}): string {
  const { name, version, seed, learning, recorded, metrics, fusion, volume } = options;
  const campaigns = new Set(
    learning.truth.flatMap(({ campaign }, index) =>
      campaign ? [`${campaign}/${learning.worldOf[index]}`] : [],
    ),
  );
  const rates = Object.keys(metrics.recallAtFpr);
  const rows = ["all", "blatant", "middle", "careful"];
  const others = Object.keys(metrics.recallAtFpr[rates[0] as string] ?? {}).filter(
    (key) => !rows.includes(key),
  );
  const table = [...rows, ...others.sort()]
    .map(
      (key) => `| ${key} | ${rates.map((rate) => percent(metrics.recallAtFpr[rate]?.[key])).join(" | ")} |`,
    )
    .join("\n");
  return `# ${name} ${version}

Says how consistent an account's last days are with a campaign of one of the known typologies. It accuses nobody: a
person decides.

- **Made from** simulated pools${recorded ? "" : " only"} (models/simulate, seed ${seed}): ${volume.learn} worlds of about
  ${volume.accounts} accounts to learn from (${learning.count} windows, ${campaigns.size} campaigns), ${volume.fit} others to fuse and
  calibrate, ${volume.judge} others again to judge. ${ofRecorded(recorded)}
- **Consists of** a denoising auto-encoder with a typology head, a monotone head over the risk features, and boosted
  trees, fused by a logistic regression (campaign ${fusion.campaign.toFixed(3)}, risk ${fusion.risk.toFixed(3)}, novelty ${fusion.novelty.toFixed(3)},
  trees ${fusion.forest.toFixed(3)}); and trees that see only when people act (${fusion.hours.factor.toFixed(3)}), for typologies that nobody
  has described: half of campaigns are believed to be of such.
- **Calibrated** for ${fusion.baseRate} campaigns an account: a value of .5 means that half of such accounts would be
  campaigns' at that base rate.

## Figures on worlds it has not seen

${metrics.cleanAccountDays} honest account-days of a usual pool's mix of owners; ${metrics.campaigns} campaigns.
Average precision at the base rate ${metrics.averagePrecisionAtBaseRate.toFixed(3)}, calibration error ${metrics.calibrationError.toFixed(5)}.

Campaigns found at a false-positive rate per account-day of:

| campaigns | ${rates.join(" | ")} |
|---|${rates.map(() => "---|").join("")}
${table}

## Limits

The honest owners and the campaigns are drawn by the same people who drew the typologies. A real pool has kinds of
owners that are not here. Where a source (sessions, payouts, routes) is not collected, the features that need it are
missing and recall is lower. \`assay evaluate population\` and \`assay evaluate holdouts\` give the figures with intervals.
`;
}
