import { nameKey } from "./keys.ts";
import { jaroWinkler } from "./similarity.ts";

/** A name of a list that is like the one asked for, and how like. */
export interface Similar<T> {
  item: T;
  /** 0..1, by the method `createNameIndex` states. */
  score: number;
}

/** Legal forms and fillers, which half of all company names share. */
const FORMS = new Set(
  "ag ao co company corp corporation gmbh inc jsc kg limited llc llp ltd mbh nv oao ojsc ooo pao pjsc plc pte sa sarl srl the zao".split(
    " ",
  ),
);
/** Words closer than this are taken for spellings of each other. */
const WORD_LIKENESS = 0.85;

/**
 * Indexes names for matching that forgives spelling. The method, as records state it:
 *
 * 1. Names are folded (`nameKey`), split into words, and legal forms are left out; the order of words does not count.
 * 2. Each word of either name is paired with its likest word of the other by Jaro-Winkler; below .85 it counts 0, and
 *    words of up to three letters must be equal.
 * 3. The score is the mean over the words of both names, weighted by their length: a word that only one of them has
 *    lowers it.
 *
 * The likeness of spellings is not the likelihood that two parties are one.
 */
export function createNameIndex<T>(names: readonly { text: string; item: T }[]) {
  const entries = names.map(({ text, item }) => ({ words: wordsOf(text), item }));
  const byWord = new Map<string, number[]>();
  for (const [index, { words }] of entries.entries()) {
    for (const word of words) {
      const found = byWord.get(word);
      if (found) found.push(index);
      else byWord.set(word, [index]);
    }
  }
  // Words that share their first letter, or all but it: a misspelled first letter is found by the rest.
  const blocks = new Map<string, string[]>();
  for (const word of byWord.keys()) {
    for (const block of blocksOf(word)) {
      const found = blocks.get(block);
      if (found) found.push(word);
      else blocks.set(block, [word]);
    }
  }

  /** Names at least as like as `threshold`, likest first. */
  function find(text: string, threshold: number): Similar<T>[] {
    const words = wordsOf(text);
    const candidates = new Set<number>();
    for (const word of words) {
      for (const like of likeWords(word)) for (const index of byWord.get(like) ?? []) candidates.add(index);
    }
    return [...candidates]
      .map((index) => {
        const entry = entries[index] as (typeof entries)[number];
        return { item: entry.item, score: likeness(words, entry.words) };
      })
      .filter(({ score }) => score >= threshold)
      .sort((a, b) => b.score - a.score);
  }

  function likeWords(word: string): string[] {
    const seen = new Set(blocksOf(word).flatMap((block) => blocks.get(block) ?? []));
    return [...seen].filter((other) => wordLikeness(word, other) > 0);
  }

  return { find };
}

function wordsOf(text: string): string[] {
  const words = nameKey(text).split(" ").filter(Boolean);
  const telling = words.filter((word) => !FORMS.has(word));
  return [...new Set(telling.length > 0 ? telling : words)];
}

/** Two keys a word: its first two letters, and its second and third. */
function blocksOf(word: string): string[] {
  return [`^${word.slice(0, 2)}`, `~${word.slice(1, 3)}`];
}

function wordLikeness(a: string, b: string): number {
  if (a === b) return 1;
  if (a.length <= 3 || b.length <= 3) return 0;
  const likeness = jaroWinkler(a, b);
  return likeness >= WORD_LIKENESS ? likeness : 0;
}

function likeness(a: readonly string[], b: readonly string[]): number {
  let weight = 0;
  let sum = 0;
  for (const [words, others] of [
    [a, b],
    [b, a],
  ] as const) {
    for (const word of words) {
      weight += word.length;
      sum += word.length * Math.max(0, ...others.map((other) => wordLikeness(word, other)));
    }
  }
  return weight === 0 ? 0 : sum / weight;
}
