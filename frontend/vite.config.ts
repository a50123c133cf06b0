import { fileURLToPath } from "node:url";

import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

// The server's template links the entry through the manifest, so there is no index.html here and
// no inline script or style anywhere (docs/threat-model.md).
export default defineConfig({
  base: "/static/dist/",
  plugins: [vue()],
  resolve: { alias: { "@": fileURLToPath(new URL("src", import.meta.url)) } },
  build: {
    outDir: fileURLToPath(new URL("../static/dist", import.meta.url)),
    emptyOutDir: true,
    // static/dist/.vite/manifest.json, which config/vite.py reads.
    manifest: true,
    // Every asset is a file of its own: the policy allows no data: fonts.
    assetsInlineLimit: 0,
    target: "es2023",
    rolldownOptions: { input: fileURLToPath(new URL("src/main.ts", import.meta.url)) },
  },
  server: { host: "127.0.0.1", port: 5173, strictPort: true, cors: true },
  test: {
    environment: "node",
    include: ["src/**/*.test.ts"],
    restoreMocks: true,
  },
});
