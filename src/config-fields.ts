import { z } from "zod";

/** What the sections of the configuration are made of. */

export const path = z.string().min(1);
export const host = z.string().min(1).default("127.0.0.1");
export const port = (fallback: number) => z.number().int().min(0).max(65_535).default(fallback);
export const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "lower-case letters, digits and hyphens, 63 at most");
export const section = <T extends z.ZodRawShape>(shape: T) => z.strictObject(shape);
