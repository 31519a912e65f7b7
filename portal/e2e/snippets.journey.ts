// The snippets of the key wizard run when they are pasted: what is copied is run as it is, by what it names.
import { spawn } from "node:child_process";
import { mkdtempSync, symlinkSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Page } from "@playwright/test";
import { expect, publishEcho, type Rest, subscribed, test } from "./journey";
import { BINARY, type Product } from "./product";

/** Clients that are installed for the tests; websocat is not among them. */
const CLIENTS = { wscat: process.env.TIDEGATE_WSCAT, python: process.env.TIDEGATE_PYTHON };

async function wizard(
  as: (user: "developer") => Promise<Page>,
  admin: Rest,
  developer: Rest,
  product: Product,
) {
  const api = await publishEcho(admin, product);
  const { id } = await subscribed(developer, api.id);
  const page = await as("developer");
  await page.goto(`/devportal/apis/${api.id}/keys?application=${id}`);
  await page.getByRole("button", { name: "Generate access token" }).click();
  return page;
}

async function copied(page: Page, client: string): Promise<string> {
  await page.getByRole("radiogroup", { name: "Client" }).getByText(client, { exact: true }).click();
  await page.getByRole("button", { name: `Copy ${client} snippet` }).click();
  return page.evaluate(() => navigator.clipboard.readText());
}

/** How often a program is spoken to: without a terminal wscat does not say when it is connected. */
const AGAIN_MILLIS = 200;
/** Longer than any of them needs, so that a program that hears nothing is named. */
const PATIENCE_MILLIS = 20_000;

/** Runs a program, says `hello` to it until it is heard, and waits for the echo. */
async function echoes(command: string, args: string[], path: string): Promise<void> {
  const child = spawn(command, args, {
    env: { ...process.env, PATH: [path, process.env.PATH].join(delimiter) },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let late: NodeJS.Timeout | undefined;
  const asking = setInterval(() => child.stdin.write("hello\n"), AGAIN_MILLIS);
  // A program that is gone reads no more; its end is told below.
  child.stdin.on("error", () => clearInterval(asking));
  try {
    await new Promise<void>((resolve, reject) => {
      let said = "";
      late = setTimeout(() => reject(new Error(`${args.join(" ")} heard no echo: ${said}`)), PATIENCE_MILLIS);
      const hear = (chunk: Buffer) => {
        said += chunk;
        // Behind a prompt, where there is one; nothing that was typed is shown without a terminal.
        if (/^(> )*hello$/m.test(said)) resolve();
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`${args.join(" ")} ended with ${code}: ${said}`)));
    });
  } finally {
    clearInterval(asking);
    clearTimeout(late);
    child.kill("SIGKILL");
  }
}

test("every snippet exchanges a message when it is pasted", async ({ as, product, rest }) => {
  const page = await wizard(as, await rest("admin"), await rest("developer"), product);
  const tools = mkdtempSync(join(product.folder, "tools-"));
  symlinkSync(BINARY, join(tools, "tidegate"));
  await echoes("sh", ["-c", `exec ${await copied(page, "tidegate")}`], tools);

  const wscat = await copied(page, "wscat");
  if (CLIENTS.wscat) {
    symlinkSync(CLIENTS.wscat, join(tools, "wscat"));
    await echoes("sh", ["-c", `exec ${wscat}`], tools);
  } else expect(wscat).toContain("wscat -c ws://");
  const python = await copied(page, "Python");
  if (CLIENTS.python) await echoes(CLIENTS.python, ["-c", python], tools);
  else expect(python).toContain("from websockets.sync.client import connect");
  expect(await copied(page, "websocat")).toMatch(/^websocat -H="Authorization: Bearer [\w.-]+" ws:\/\//);

  const pasted = await copied(page, "Browser");
  const other = await page.context().newPage();
  const heard = other.waitForEvent("console", (message) => message.text() === "hello");
  await other.evaluate(pasted);
  await heard;
});
