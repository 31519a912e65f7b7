// The product as a newcomer starts it: the real binary, an empty data folder, free ports.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** Slower than any start that ends well. */
const START_MILLIS = 40_000;
/** Between a signal to stop and one that cannot be refused. */
const STOP_MILLIS = 10_000;

const FREE = "localhost:0";
const ROOT = resolve(import.meta.dirname, "../..");
export const BINARY = resolve(process.env.TIDEGATE_BIN || join(ROOT, "target/debug/tidegate"));

export interface Addresses {
  portal: string;
  ws: string;
  wss: string;
  echo: string;
}

export class Product {
  private constructor(
    private readonly child: ChildProcess,
    readonly folder: string,
    readonly addresses: Addresses,
    private readonly users: Record<string, { password: string }>,
  ) {}

  /** Resolves when everything listens. */
  static async start(): Promise<Product> {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-journey-"));
    const flags = ["--portal", "--ws", "--wss", "--echo"].flatMap((flag) => [flag, FREE]);
    const child = spawn(BINARY, ["serve", "--demo", "--data", folder, ...flags], {
      env: environment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    try {
      await ready(child);
      const read = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8"));
      return new Product(child, folder, read("addresses.json"), read("first-start.json").users);
    } catch (error) {
      await ended(child);
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  password(user: string): string {
    const found = this.users[user]?.password;
    if (!found) throw new Error(`first-start.json holds no password of ${user}`);
    return found;
  }

  async stop(): Promise<void> {
    await ended(this.child);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Nothing of a product that somebody else has on this machine. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("TIDEGATE_"));
  const dist = process.env.TIDEGATE_PORTAL_DIST || join(ROOT, "portal/dist");
  return { ...Object.fromEntries(kept), TIDEGATE_PORTAL_DIST: dist };
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    const fail = (why: string) => reject(new Error(`${BINARY} ${why}\n${said}`));
    const late = setTimeout(() => fail("is not ready in time"), START_MILLIS);
    const hear = (chunk: Buffer) => {
      said += chunk;
      if (!said.includes("is ready.")) return;
      clearTimeout(late);
      resolve();
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
    child.once("error", (error) => fail(`does not start: ${error.message}`));
    child.once("exit", (code) => fail(`ended with ${code}`));
  });
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined)
    return Promise.resolve();
  return new Promise((resolve) => {
    const late = setTimeout(() => child.kill("SIGKILL"), STOP_MILLIS);
    child.once("exit", () => {
      clearTimeout(late);
      resolve();
    });
    child.kill("SIGTERM");
  });
}
