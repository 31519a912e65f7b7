// Fails when the committed REST client differs from what the OpenAPI document gives today.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

const fresh = mkdtempSync(join(tmpdir(), "tidegate-client-"));
const committed = "src/api/generated";

function files(folder) {
  const found = new Map();
  const walk = (at) => {
    for (const name of readdirSync(at)) {
      const path = join(at, name);
      if (statSync(path).isDirectory()) walk(path);
      else found.set(relative(folder, path), readFileSync(path, "utf8"));
    }
  };
  walk(folder);
  return found;
}

try {
  const run = spawnSync("npx", ["--no-install", "openapi-ts"], {
    env: { ...process.env, GENERATED_PATH: fresh },
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (run.status !== 0) process.exit(run.status ?? 1);
  const [a, b] = [files(committed), files(fresh)];
  const stale = [...new Set([...a.keys(), ...b.keys()])].filter((name) => a.get(name) !== b.get(name));
  if (stale.length > 0) {
    console.error(
      `The REST client is stale: ${stale.join(", ")}. Run \`npm run generate\` and commit the result.`,
    );
    process.exit(1);
  }
  console.log(`The REST client matches openapi/control.json (${a.size} files).`);
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
