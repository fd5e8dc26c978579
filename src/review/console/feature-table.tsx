import { FEATURES } from "#core/features.ts";
import { figure, percent } from "./format.ts";

const KNOWN = new Map(FEATURES.map((feature) => [feature.name, feature]));

const UNITS: Record<string, string> = { log10: "log₁₀", log2: "log₂", ms: "ms", hours: "h", nats: "nats" };

/** A value with its unit, as docs/features.md lists it; logarithms stay what the model saw. */
export function readable(name: string, value: number): string {
  const unit = KNOWN.get(name)?.unit;
  return unit === "fraction" ? percent(value) : `${figure(value)} ${(unit && UNITS[unit]) ?? ""}`.trim();
}

/** What the model saw, by name. A feature that could not be computed says so: it is not nought. */
export function FeatureTable({ features }: { features: Readonly<Record<string, number | null>> }) {
  return (
    <div class="features">
      {Object.entries(features).map(([name, value]) => (
        <div key={name} class="feature" title={KNOWN.get(name)?.about ?? ""}>
          <code>{name}</code>
          <span class={value === null ? "muted" : ""}>
            {value === null ? "not known" : readable(name, value)}
          </span>
        </div>
      ))}
    </div>
  );
}
