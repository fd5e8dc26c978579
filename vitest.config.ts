import { defineConfig } from "vitest/config";

// biome-ignore lint/style/noDefaultExport: Vitest reads its configuration from a default export.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Real servers and a real browser start inside tests; two cores is what continuous integration has.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What is waited for comes when it comes: a busy machine is no failure.
    expect: { poll: { timeout: 20_000 } },
    reporters: process.env.CI ? ["default", "json"] : ["default"],
    outputFile: { json: "coverage/test-report.json" },
  },
});
