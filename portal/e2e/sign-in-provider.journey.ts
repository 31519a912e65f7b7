// Signing in by an issuer of other hands (`oidc-provider`): set up by an administrator, used in a real browser, and every
// way in which somebody else must not come in by it.

import { type ChildProcess, spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { Page } from "@playwright/test";
import { expect, test } from "./journey";

const CLIENTS = resolve(import.meta.dirname, "../../e2e/clients");

class Issuer {
  private constructor(
    private readonly child: ChildProcess,
    private readonly lines: Interface,
    readonly url: string,
    readonly secret: string,
  ) {}

  static async start(): Promise<Issuer> {
    const child = spawn("node", [join(CLIENTS, "sign-in-provider.mjs")], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    if (!child.stdout) throw new Error("the issuer says nothing");
    const lines = createInterface({ input: child.stdout });
    const [url = "", , secret = ""] = (await said(lines, "issuer: ")).split(" ");
    return new Issuer(child, lines, url, secret);
  }

  /** Where it sends people back to. */
  async redirects(to: string): Promise<void> {
    const done = said(this.lines, "redirect: ");
    this.child.stdin?.write(`${to}\n`);
    await done;
  }

  stop(): void {
    this.child.kill();
  }
}

function said(lines: Interface, word: string): Promise<string> {
  return new Promise((found) => {
    const hear = (line: string) => {
      if (!line.startsWith(word)) return;
      lines.off("line", hear);
      found(line.slice(word.length));
    };
    lines.on("line", hear);
  });
}

/** Somebody types this name at the issuer, and lets it say who they are. */
async function signInThere(page: Page, name: string): Promise<void> {
  await page.getByPlaceholder("Enter any login").fill(name);
  await page.getByPlaceholder("and password").fill("whatever");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
}

test("people sign in by another issuer as an administrator decides, and nobody by somebody else's name", async ({
  as,
  product,
}) => {
  const issuer = await Issuer.start();
  const admin = await as("admin");
  await admin.goto("/admin");
  await admin.getByRole("link", { name: "Sign-in providers" }).click();
  await expect(admin.getByText("No sign-in providers yet")).toBeVisible();
  await admin.getByRole("button", { name: "Add a sign-in provider" }).click();
  const form = admin.getByRole("region", { name: "New sign-in provider" });
  await form.getByRole("button", { name: "Add sign-in provider" }).click();
  await expect(form.getByLabel("Client secret")).toHaveAccessibleDescription(/Enter the secret/);
  await form.getByLabel("Name", { exact: true }).fill("Corporate");
  await form.getByLabel("Issuer").fill(issuer.url);
  await form.getByLabel("Client id").fill("tidegate");
  await form.getByLabel("Client secret").fill(issuer.secret);
  await form.getByRole("switch", { name: "The provider decides roles" }).check();
  await form.getByLabel("Value 1", { exact: true }).fill("bosses");
  await form
    .getByRole("group", { name: "Roles of value 1" })
    .getByRole("checkbox", { name: "Publisher" })
    .check();
  await form.getByRole("button", { name: "Add sign-in provider" }).click();
  const card = admin.getByRole("region", { name: "Corporate" });
  await card.getByRole("button", { name: "Check Corporate" }).click();
  await expect(card.getByText("Its documents are as they have to be")).toBeVisible();
  expect(await admin.content()).not.toContain(issuer.secret);
  const redirect = await card.getByText(/\/sign-in\/callback\//).textContent();
  await issuer.redirects(redirect ?? "");

  // Nobody new comes in unless somebody decided so.
  const page = await as(null);
  await page.goto("/publisher");
  await page.getByRole("link", { name: "Sign in with Corporate" }).click();
  await signInThere(page, "ada-boss");
  await expect(page.getByRole("heading", { name: "You have no account here" })).toBeVisible();

  const choose = async (newcomers: RegExp) => {
    await card.getByRole("button", { name: "Change Corporate" }).click();
    const change = admin.getByRole("region", { name: "Change Corporate" });
    await change.getByRole("combobox", { name: "People who are not known here yet" }).click();
    await admin.getByRole("option", { name: newcomers }).click();
    await change.getByRole("button", { name: "Save sign-in provider" }).click();
    await expect(change).toHaveCount(0);
  };
  await choose(/wait until an administrator approves/);
  await page.goto("/publisher");
  await page.getByRole("link", { name: "Sign in with Corporate" }).click();
  await expect(page.getByRole("heading", { name: "Your account waits for an administrator" })).toBeVisible();
  await admin.goto("/admin/users");
  await admin.getByRole("button", { name: "Approve ada-boss" }).click();
  const approving = admin.getByRole("dialog");
  await expect(approving.getByRole("checkbox", { name: "Publisher" })).toBeChecked();
  await approving.getByRole("button", { name: "Approve" }).click();
  await expect(admin.getByRole("button", { name: "Approve ada-boss" })).toHaveCount(0);

  // In, and where one was going.
  await page.goto("/publisher?q=echo");
  await page.getByRole("link", { name: "Sign in with Corporate" }).click();
  await expect(page.getByRole("button", { name: "Account of ada-boss" })).toBeVisible();
  expect(new URL(page.url()).pathname).toBe("/publisher");
  await page.getByRole("button", { name: "Account of ada-boss" }).click();
  await expect(page.getByRole("menuitem", { name: "Portal sessions" })).toBeVisible();
  await expect(page.getByRole("menuitem", { name: "Password", exact: true })).toHaveCount(0);
  const cookies = await page.context().cookies(product.addresses.portal);
  const session = cookies.find(({ name }) => name === "__Host-tidegate_session");
  expect(session).toMatchObject({ httpOnly: true, secure: true, sameSite: "Lax", path: "/" });
  expect(cookies.map(({ name }) => name)).not.toContain("__Host-tidegate_sign_in");
  await admin.goto("/admin/users");
  await admin.getByRole("link", { name: "ada-boss" }).click();
  await expect(admin.getByText(`Known at ${issuer.url} as`)).toBeVisible();

  // Somebody at the issuer who is called as a person here is.
  await admin.goto("/admin/sign-in-providers");
  await choose(/and are in/);
  const stranger = await as(null);
  await stranger.goto("/sign-in");
  await stranger.getByRole("link", { name: "Sign in with Corporate" }).click();
  await signInThere(stranger, "creator");
  await expect(stranger.getByRole("heading", { name: "Your name is taken here" })).toBeVisible();
  await stranger.getByRole("link", { name: "Back to the sign-in page" }).click();
  await expect(stranger.getByLabel("User name")).toBeVisible();

  // Out with the provider, at once.
  await card.getByRole("button", { name: "Delete Corporate" }).click();
  await admin.getByRole("button", { name: "Delete sign-in provider" }).click();
  await expect(admin.getByText("No sign-in providers yet")).toBeVisible();
  await page.goto("/publisher");
  await expect(page.getByLabel("User name")).toBeVisible();
  await expect(page.getByRole("link", { name: "Sign in with Corporate" })).toHaveCount(0);
  issuer.stop();
});

test("what was changed on the way, comes twice or is of somebody else signs nobody in", async ({
  as,
  rest,
}) => {
  const issuer = await Issuer.start();
  const admin = await rest("admin");
  const provider = await admin.must("POST", "/sign-in-providers", {
    name: "Corporate",
    issuer: issuer.url,
    client_id: "tidegate",
    client_secret: issuer.secret,
    newcomers: "enter",
    roles: ["subscriber"],
  });
  await issuer.redirects(provider.redirect_uri);

  /** Somebody signs in while the browser's way there or back is bent; what the last page says. */
  const bent = async (
    name: string,
    there: (address: URL) => void,
    back: (address: URL) => void,
  ): Promise<Page> => {
    const page = await as(null);
    // Redirects are held by the browser itself: what the runner can route is only where they begin.
    const browser = await page.context().newCDPSession(page);
    await browser.send("Fetch.enable", {
      patterns: [{ urlPattern: `${issuer.url}/auth*` }, { urlPattern: "*/sign-in/callback/*" }],
    });
    browser.on("Fetch.requestPaused", async ({ requestId, request }) => {
      const address = new URL(request.url);
      if (address.pathname === "/auth") there(address);
      else if (address.pathname.startsWith("/sign-in/callback/")) back(address);
      await browser.send("Fetch.continueRequest", { requestId, url: address.href });
    });
    await page.goto("/sign-in");
    await page.getByRole("link", { name: "Sign in with Corporate" }).click();
    await signInThere(page, name);
    return page;
  };
  const same = () => {};
  const set = (name: string, value: string) => (address: URL) => address.searchParams.set(name, value);
  const nobody = async (page: Page, why: string) => {
    await expect(page.getByRole("heading", { name: "You are not signed in" })).toBeVisible();
    await expect(page.getByText(why)).toBeVisible();
    expect((await page.request.get("/api/v1/session")).status()).toBe(401);
  };

  const mine = await bent("ada", same, same);
  await expect(mine.getByRole("button", { name: "Account of ada" })).toBeVisible();
  await nobody(await bent("ada", set("nonce", "another"), same), "of another sign-in");
  await nobody(await bent("ada", set("client_id", "somebody-else"), same), "worth nothing there");
  await nobody(await bent("ada", same, set("state", "another")), "not begun in this browser");
  await nobody(await bent("ada", same, set("iss", "https://evil.example")), "another issuer");
  await nobody(await bent("ada", same, set("code", "another")), "worth nothing there");
  await nobody(
    await bent("ada", set("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), same),
    "worth nothing there",
  );

  // The same answer a second time: this browser has forgotten what it began, and no other has begun it.
  let answer = "";
  const page = await bent("ada", same, (address) => {
    answer = address.href;
  });
  await expect(page.getByRole("button", { name: "Account of ada" })).toBeVisible();
  await page.goto(answer);
  await expect(page.getByText("not begun in this browser")).toBeVisible();
  const other = await as(null);
  await other.goto(answer);
  await nobody(other, "not begun in this browser");
  expect((await admin.call("GET", "/users?q=ada")).body.items).toHaveLength(1);
  issuer.stop();
});
