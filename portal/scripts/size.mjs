// Refuses a build whose first load is heavier than the budget: everything that index.html asks for at once, and
// everything those modules import statically. Chunks loaded on demand do not count.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const BUDGET = { js: 230 * 1024, css: 45 * 1024 };
const manifest = JSON.parse(readFileSync("dist/.vite/manifest.json", "utf8"));

const wanted = new Set();
const visit = (key) => {
  const chunk = manifest[key];
  if (!chunk || wanted.has(chunk.file)) return;
  wanted.add(chunk.file);
  for (const sheet of chunk.css ?? []) wanted.add(sheet);
  for (const next of chunk.imports ?? []) visit(next);
};
for (const [key, chunk] of Object.entries(manifest)) if (chunk.isEntry) visit(key);

let failed = false;
for (const [kind, most] of Object.entries(BUDGET)) {
  const bytes = [...wanted]
    .filter((file) => file.endsWith(`.${kind}`))
    .reduce((sum, file) => sum + gzipSync(readFileSync(join("dist", file))).length, 0);
  console.log(`first load, ${kind}: ${(bytes / 1024).toFixed(1)} KiB gzipped of ${most / 1024} KiB`);
  if (bytes > most) failed = true;
}
if (failed) {
  console.error("The first load is over its budget. Load what a door needs only behind that door.");
  process.exit(1);
}
