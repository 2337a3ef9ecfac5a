/**
 * Build and development server of the page.
 *
 * The build goes to `../core/bedplate/www`, or to the folder that `BEDPLATE_WWW` or `--outDir` names. All its
 * URLs are relative, so that the host can serve it below any path. `npm run dev` forwards the host's routes to
 * `BEDPLATE_HOST` (http://127.0.0.1:5000).
 */
import { defineConfig } from "vitest/config";

const host = process.env["BEDPLATE_HOST"] ?? "http://127.0.0.1:5000";
const forwarded = ["/api", "/printers", "/sockjs", "/downloads", "/plugin"];

export default defineConfig({
  base: "./",
  define: { global: "globalThis" }, // sockjs-client expects Node's name for it
  build: {
    outDir: process.env["BEDPLATE_WWW"] ?? "../core/bedplate/www",
    emptyOutDir: true,
    assetsInlineLimit: 0, // a strict content security policy allows no data: URLs
    modulePreload: { polyfill: false },
  },
  server: {
    // The host refuses foreign origins, so the forwarded requests bear its own.
    proxy: Object.fromEntries(
      forwarded.map((path) => [
        path,
        { target: host, changeOrigin: true, ws: true, headers: { origin: host } },
      ]),
    ),
  },
  // Every test undoes what it changes, so that the files can share one process: a third of the time.
  test: { environment: "node", include: ["src/**/*.test.ts"], isolate: false, pool: "threads" },
});
