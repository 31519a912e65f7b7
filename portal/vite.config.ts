// Build of the three portals: one application, split by door.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  build: { target: "es2022", manifest: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: {
    proxy: {
      "/api": { target: "https://localhost:9443", secure: false },
      "/console": { target: "wss://localhost:9443", ws: true, secure: false },
    },
  },
  test: { include: ["src/**/*.test.ts"] },
});
