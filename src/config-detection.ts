import { z } from "zod";
import { FEATURE_INDEX } from "#core/features.ts";
import { name, section } from "./config-fields.ts";

const sign = section({
  feature: z
    .string()
    .refine((feature) => FEATURE_INDEX.has(feature), "no feature of this name; docs/features.md lists them")
    .describe("A column of docs/features.md."),
  side: z.enum(["high", "low"]).default("high").describe("The side on which it is unusual."),
});

/** A typology of one's own. */
export const described = section({
  name,
  about: z.string().min(1).max(200).describe('Follows "consistent with".'),
  source: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe("From whom or where it is known; shown with its flags."),
  signs: z.array(sign).min(2).max(12).describe("What it shows, of two families at least."),
});
