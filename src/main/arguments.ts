import { UsageError } from "./usage.ts";

/** A whole number of an argument, at least `least`. */
export function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    throw new UsageError(`${name}: a whole number from ${least}, not "${text}"`);
  return value;
}
