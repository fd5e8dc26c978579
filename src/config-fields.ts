import { z } from "zod";
import { ALGORITHMS } from "#core/hashrate.ts";

/** What the sections of the configuration are made of. */

export const path = z.string().min(1);
export const host = z.string().min(1).default("127.0.0.1");
export const port = (fallback: number) => z.number().int().min(0).max(65_535).default(fallback);
export const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "lower-case letters, digits and hyphens, 63 at most");
/** Shares of an algorithm that is not in the table would be counted in the wrong unit: not accepted. */
export const algorithm = z.enum(ALGORITHMS);
export const section = <T extends z.ZodRawShape>(shape: T) => z.strictObject(shape);

const anyNetwork = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]);
export const network = z
  .string()
  .refine((text) => anyNetwork.safeParse(text).success, "neither an address nor a network");

/** Where a list comes from: exactly one of the two. */
export const fileOrUrl = { file: path.optional(), url: z.url({ protocol: /^https?$/ }).optional() };
/** Whether a list names exactly one of them. */
export const oneOfFileAndUrl = (list: { file?: string | undefined; url?: string | undefined }) =>
  (list.file === undefined) !== (list.url === undefined);
/** What a list that does not is told. */
export const FILE_OR_URL = "needs either file or url";
