import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { references } from "../../docs/generate.ts";

const docs = join(import.meta.dirname, "../../docs");

test.each(Object.entries(references()))("docs/%s is what the schemas say: npm run docs", (name, content) => {
  expect(readFileSync(join(docs, name), "utf8")).toBe(content);
});
