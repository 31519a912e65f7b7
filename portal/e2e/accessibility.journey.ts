// WCAG 2 A and AA by axe on the main pages, and the contrast of the other theme; then a narrow screen.
import AxeBuilder from "@axe-core/playwright";
import type { Locator, Page } from "@playwright/test";
import { expect, openSettings, publishEcho, type Rest, subscribed, test, unfold } from "./journey";
import type { Product } from "./product";

type Rules = Parameters<AxeBuilder["options"]>[0];

const ALL: Rules = {
  runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] },
  rules: { "page-has-heading-one": { enabled: true } },
  resultTypes: ["violations"],
};
const CONTRAST: Rules = {
  runOnly: { type: "rule", values: ["color-contrast"] },
  resultTypes: ["violations"],
};

async function passes(page: Page, rules: Rules, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).options(rules).analyze();
  const told = violations.map(({ id, nodes }) => ({
    id,
    at: nodes.map((node) => `${node.target} ${node.html}`),
  }));
  expect(told, `${page.url()} ${where}`).toEqual([]);
}

/** The page as it is in the light theme; what the dark one changes is contrast. */
async function check(page: Page): Promise<void> {
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByRole("status", { name: /^(Loading|Reading)/ })).toHaveCount(0);
  const scheme = page.locator("html");
  await expect(scheme).toHaveAttribute("data-mantine-color-scheme", "light");
  await passes(page, ALL, "in the light theme");
  await page.emulateMedia({ colorScheme: "dark" });
  await expect(scheme).toHaveAttribute("data-mantine-color-scheme", "dark");
  await passes(page, CONTRAST, "in the dark theme");
  await page.emulateMedia({ colorScheme: "light" });
}

async function visit(page: Page, pages: string[]): Promise<void> {
  for (const path of pages) {
    await page.goto(path);
    await check(page);
  }
}

/** A published API whose working copy differs, so that the banner is there as well. */
async function seed(admin: Rest, product: Product) {
  const api = await publishEcho(admin, product, { description: "Sends everything back." });
  const { body, etag } = await admin.call("GET", `/apis/${api.id}`);
  const { endpoints, description } = body;
  await admin.call("PUT", `/apis/${api.id}`, { endpoints, description, plans: ["Gold"] }, etag);
  return api;
}

/** Every setting of an endpoint in sight, those that others bring about among them. */
async function everyGroup(drawer: Locator): Promise<void> {
  await unfold(drawer, "Timeouts");
  await unfold(drawer, "Health checks");
  const balancing = await unfold(drawer, "Addresses and balancing");
  await balancing.getByRole("button", { name: "Add an address" }).click();
  await balancing.getByRole("radio", { name: "Sticky header" }).check();
  const trust = await unfold(drawer, "TLS with the backend");
  await trust.getByRole("switch", { name: "Check the backend's certificate" }).click();
  const credential = await unfold(drawer, "Credential for the backend");
  await credential.getByRole("radio", { name: "OAuth client credentials" }).check();
}

// Every page is looked at twice, each time for seconds.
test.describe.configure({ timeout: 120_000 });

test("the publisher portal is accessible", async ({ as, product, rest }) => {
  const admin = await rest("admin");
  const api = await seed(admin, product);
  const draft = await admin.must("POST", "/apis", { name: "Draft", context: "/draft", version: "1.0" });
  const of = (page: string) => `/publisher/apis/${api.id}${page}`;
  const page = await as("admin");
  await visit(page, ["/publisher", "/publisher/apis/new/websocket", of(""), `/publisher/apis/${draft.id}`]);
  await visit(page, [of("/lifecycle")]);
  await page.getByRole("button", { name: "Block" }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await check(page);
});

test("the design of an API is accessible with all its settings in sight", async ({ as, product, rest }) => {
  const api = await seed(await rest("admin"), product);
  const of = (page: string) => `/publisher/apis/${api.id}${page}`;
  const page = await as("admin");
  await visit(page, [of("/protocol"), of("/headers")]);
  for (const name of ["Allow a header", "Rename a header", "Set a header", "Add a topic mapping"]) {
    await page.getByRole("button", { name }).click();
  }
  await page.getByText("Put in something of the session").click();
  await page.getByRole("switch", { name: "Say who the client is" }).click();
  await page.getByLabel("Try a topic").fill("/rooms/7");
  await check(page);
  await visit(page, [of("/endpoints")]);
  const drawer = await openSettings(page);
  await everyGroup(drawer);
  await check(page);
});

test("plans and policies are accessible with their form open", async ({ as }) => {
  const page = await as("admin");
  await visit(page, ["/admin/limits"]);
  await page.getByRole("button", { name: "Create business plan" }).click();
  const dialog = page.getByRole("dialog", { name: "Create business plan" });
  await dialog.getByLabel("How limit 1 counts").selectOption("sliding");
  await dialog.getByRole("button", { name: "Create business plan" }).click();
  await expect(dialog.getByText("Say how many may come at once.")).toBeVisible();
  await check(page);
});

test("custom rules are accessible with their form open and an expression tried", async ({ as }) => {
  const page = await as("admin");
  await visit(page, ["/admin/custom-rules"]);
  await page.getByRole("button", { name: "Create custom rule" }).click();
  const dialog = page.getByRole("dialog", { name: "Create custom rule" });
  await dialog.getByText("What an expression can name").click();
  await dialog.getByText("Examples").click();
  await dialog.getByRole("button", { name: "Use user", exact: true }).click();
  await dialog.getByRole("button", { name: "Try expression" }).click();
  await expect(dialog.getByText("Key: ada")).toBeVisible();
  await dialog.getByRole("button", { name: "Create custom rule" }).click();
  await expect(dialog.getByText("Enter a name.")).toBeVisible();
  await check(page);
});

test("the developer portal is accessible", async ({ as, product, rest }) => {
  const admin = await rest("admin");
  const api = await seed(admin, product);
  const { id } = await subscribed(admin, api.id);
  await visit(await as(null), ["/", "/sign-in", "/devportal"]);
  await visit(await as("admin"), [
    `/devportal/apis/${api.id}`,
    `/devportal/apis/${api.id}/keys?application=${id}`,
    `/devportal/apis/${api.id}/console?application=${id}`,
    "/devportal/applications",
    `/devportal/applications/${id}/keys`,
    `/devportal/applications/${id}/certificates`,
    `/devportal/applications/${id}/subscriptions`,
  ]);
});

test("on a narrow screen nothing is wider than it and every page is reached", async ({
  as,
  product,
  rest,
}) => {
  const admin = await rest("admin");
  const api = await publishEcho(admin, product);
  const { id } = await subscribed(admin, api.id);
  const page = await as("admin", { viewport: { width: 390, height: 844 } });
  for (const path of [
    "/publisher",
    "/publisher/apis/new/websocket",
    `/publisher/apis/${api.id}`,
    `/publisher/apis/${api.id}/endpoints`,
    `/publisher/apis/${api.id}/headers`,
    `/publisher/apis/${api.id}/protocol`,
    `/publisher/apis/${api.id}/security`,
    `/publisher/apis/${api.id}/lifecycle`,
    `/devportal/apis/${api.id}`,
    `/devportal/apis/${api.id}/keys?application=${id}`,
    `/devportal/apis/${api.id}/console`,
    "/admin",
    "/admin/users",
    "/admin/roles",
    "/sign-up",
    "/admin/audit",
    "/account/sessions",
    "/account/authorizations",
    "/admin/signing-keys",
    "/admin/key-managers",
    "/admin/sign-in-providers",
    "/admin/custom-rules",
    "/admin/gateways",
    "/admin/deny-rules",
    "/admin/registration-tokens",
    "/admin/limits",
    "/account/password",
  ]) {
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    const wider = () =>
      page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    await expect.poll(wider, { message: path }).toBeLessThanOrEqual(0);
  }
  await page.goto(`/publisher/apis/${api.id}/endpoints`);
  const drawer = await openSettings(page);
  await everyGroup(drawer);
  const inside = () =>
    drawer.evaluate((element) =>
      [element, ...element.querySelectorAll("*")]
        .filter((part) => part.getBoundingClientRect().right > window.innerWidth)
        .map((part) => part.outerHTML.slice(0, 120)),
    );
  await expect.poll(inside).toEqual([]);
  await drawer.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Account of admin" }).click();
  await page.getByRole("menuitem", { name: "Publisher" }).click();
  await page.getByRole("link", { name: "EchoWebSocket 1.0" }).click();
  await page
    .getByRole("navigation", { name: "Pages of EchoWebSocket" })
    .getByRole("link", { name: "Delete" })
    .click();
  await expect(page.getByLabel(/to confirm/)).toBeVisible();
});
