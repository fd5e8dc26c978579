import { readFile, rename, writeFile } from "node:fs/promises";
import type { DomainState } from "./state.ts";
import { decoderState } from "./state.ts";

/** The saved state; none when there is no file yet. Rejects when the file is there and is not one of ours. */
export async function readState(file: string): Promise<DomainState[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return decoderState.parse(JSON.parse(text)).domains;
}

/** Writes the state beside its place and moves it there, so that a reader never meets half of it. */
export async function writeState(file: string, domains: readonly DomainState[]): Promise<void> {
  const temporary = `${file}.new`;
  await writeFile(temporary, JSON.stringify({ version: 1, domains }));
  await rename(temporary, file);
}
