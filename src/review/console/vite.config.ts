import { resolve } from "node:path";
import { defineConfig } from "vite";

// biome-ignore lint/style/noDefaultExport: Vite reads its configuration from a default export.
export default defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: resolve(import.meta.dirname, "../../../dist/console"),
    emptyOutDir: true,
    target: "es2022",
    // The policy of the page allows no inline script or data font, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
