import { signal } from "@preact/signals";

/** Counts changes of the colour scheme: a canvas that reads it is drawn again. */
export const scheme = signal(0);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  scheme.value += 1;
});

/** A colour of the style sheet, for what is drawn on a canvas. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Tiers from what an operator must see first to what is ordinary; the order of stacks and legends. */
export const TIERS = ["comprehensive", "watch", "unknown", "none"] as const;
