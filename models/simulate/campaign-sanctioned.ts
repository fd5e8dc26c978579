import { blend, drawBase, type Plan, planSingle, pyongyang, relayed } from "./campaign-parts.ts";
import { pathRttMs } from "./networks.ts";
import type { Typology } from "./plan.ts";
import { drawCountry, drawHostingCountry, makeOperator } from "./world.ts";

/** Campaigns from places, or to wallets, under sanctions: open, behind a relay, in step with the home network or grid. */
export const SANCTIONED_PLANS = {
  "sanctioned-origin": (draft) => {
    const { random, hide } = draft;
    const country = random.weighted([
      ["KP", 1],
      ["IR", 2],
    ] as const);
    const exit = drawHostingCountry(random);
    return planSingle(draft, {
      country,
      operator: country === "KP" ? pyongyang(draft) : makeOperator(random, "IR", draft.machines),
      site: () =>
        hide < 1 / 3
          ? {}
          : {
              places: [
                { country: exit, access: "hosting" },
                { country, access: "residential" },
              ],
              rotateHours: random.logUniform(4, 40),
              renewHours: random.logUniform(4, 40),
              hiddenLegMs: pathRttMs(random, exit, country),
              hiddenPart: blend(draft, 0.6, 1),
              trueCountry: country,
            },
    });
  },

  "sanctioned-wallet": (draft) => planSingle(draft, { country: drawCountry(draft.random).code }),

  relay: (draft) => {
    const country = draft.random.chance(0.3) ? "KP" : drawBase(draft.random);
    return planSingle(draft, { country, site: () => relayed(draft, country) });
  },

  "outage-synchrony": (draft) => {
    const { random, world } = draft;
    const follows = blend(draft, 0.97, 0.5);
    const jitterMs = blend(draft, 0.5, 12) * 60_000;
    return planSingle(draft, {
      country: "KP",
      site: () => ({
        ...relayed(draft, "KP"),
        load: {
          off: world.outages
            .filter(() => random.chance(follows))
            .map(({ fromMs, toMs }) => ({
              fromMs: fromMs + random.next() * jitterMs,
              toMs: toMs + random.next() * jitterMs,
              jitterMs,
            })),
          wander: 0.03,
        },
      }),
    });
  },

  "seasonal-curtailment": (draft) => {
    const { random } = draft;
    const exit = drawHostingCountry(random, ["DE", "NL", "FR", "FI", "RU"]);
    return planSingle(draft, {
      algorithms: ["sha256d", "scrypt"],
      settings: ["farm"],
      country: "IR",
      operator: makeOperator(random, "IR", draft.machines),
      site: () => ({
        ...relayed(draft, "IR"),
        ...(random.chance(0.5) ? { places: [{ country: exit, access: "hosting" as const }] } : {}),
        load: {
          off: [],
          wander: 0.03,
          dear: { part: random.between(0.15, 0.4), rest: blend(draft, 0, 0.7), region: "IR" },
        },
      }),
    });
  },
} satisfies Partial<Record<Typology, Plan>>;
