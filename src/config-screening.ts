import { z } from "zod";
import { FILE_OR_URL, fileOrUrl, name, oneOfFileAndUrl, section } from "./config-fields.ts";

/** What values are held against. */
export const screening = section({
  lists: z
    .array(
      section({
        name,
        ...fileOrUrl,
        format: z
          .enum(["text", "csv", "json", "xml"])
          .default("text")
          .describe(
            "xml: OFAC's SDN.XML, SDN_ADVANCED.XML or SDN_ENHANCED.XML, or the European Union's consolidated list.",
          ),
        subject: z
          .enum(["address", "network", "region", "name"])
          .default("address")
          .describe("What the entries are where the list does not say."),
        maxAgeDays: z
          .number()
          .min(0.1)
          .default(7)
          .describe("A source not reached for longer makes the list stale."),
      }).refine(oneOfFileAndUrl, FILE_OR_URL),
    )
    .default([])
    .describe("Watch lists: official ones by URL or offline file, and the operator's own."),
  checkHours: z.number().min(0.1).default(6).describe("How often the lists' sources are asked."),
  maxShrinkPercent: z
    .number()
    .min(0)
    .max(100)
    .default(5)
    .describe("A version that lost more of its entries is refused; the last good one stays."),
  nameThreshold: z
    .number()
    .min(0.5)
    .max(1)
    .default(0.9)
    .describe("Likeness of spelling from which a name is a match. Addresses match exactly."),
}).prefault({});
