import { effect, signal } from "@preact/signals";
import { ApiError, client, type Status } from "./client.ts";
import type { Zone } from "./format.ts";

/** What every page shares: who is signed in, how the service is, the time zone, the address, and short messages. */

export const status = signal<Status | null>(null);
/** Null while nothing is known. */
export const signedOut = signal<boolean | null>(null);
/** Why the service cannot be reached, or null. */
export const unreachable = signal<string | null>(null);

const ZONE_KEY = "assay.zone";
export const zone = signal<Zone>(localStorage.getItem(ZONE_KEY) === "local" ? "local" : "UTC");
effect(() => localStorage.setItem(ZONE_KEY, zone.value));

/** Ticks twice a minute, for ages. */
export const nowMs = signal(Date.now());
setInterval(() => {
  nowMs.value = Date.now();
}, 30_000);

/** Asks who we are. Sets `signedOut` where a token is needed. */
export async function refreshStatus(): Promise<void> {
  try {
    status.value = await client.status();
    signedOut.value = false;
    unreachable.value = null;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) signedOut.value = true;
    else unreachable.value = error instanceof Error ? error.message : String(error);
  }
}

export const mayReview = (): boolean => ["reviewer", "admin"].includes(status.value?.user.role ?? "");

/** Path and query of the page, as signals; `navigate` changes both and the browser's history. */
export const path = signal(location.pathname);
export const search = signal(location.search);

function follow(): void {
  path.value = location.pathname;
  search.value = location.search;
}
addEventListener("popstate", follow);

export function navigate(to: string, replace = false): void {
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  const moved = path.value !== location.pathname;
  follow();
  if (moved) {
    scrollTo(0, 0);
    document.querySelector<HTMLElement>("main")?.focus({ preventScroll: true });
  }
}

/** Links inside the console change the page without loading it again; modified clicks are the browser's. */
addEventListener("click", (event) => {
  if (
    event.defaultPrevented ||
    event.button !== 0 ||
    event.metaKey ||
    event.ctrlKey ||
    event.shiftKey ||
    event.altKey
  )
    return;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (link.pathname.startsWith("/api/") || link.pathname === "/metrics") return;
  event.preventDefault();
  navigate(link.pathname + link.search);
});

/** One short message at a time, read out by screen readers; `undo` where what was done can be undone. */
export const toast = signal<{ text: string; undo?: () => void; bad?: boolean } | null>(null);
let leaving: ReturnType<typeof setTimeout> | undefined;
export function say(text: string, more: { undo?: () => void; bad?: boolean } = {}): void {
  toast.value = { text, ...more };
  clearTimeout(leaving);
  leaving = setTimeout(() => {
    toast.value = null;
  }, 8000);
}

/** Does it, and says so when it fails. */
export async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) signedOut.value = true;
    say(error instanceof Error ? error.message : String(error), { bad: true });
  }
}
