import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { version: { type: "boolean" } }, strict: false });
process.stdout.write(values.version ? "0.1.0\n" : "assay: see README.md\n");
