// WCAG 2 A and AA by axe, on the main pages, in both themes and on a narrow screen.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, publishEcho, subscribed, test } from "./journey";

async function check(page: Page, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
    .analyze();
  const told = violations.map(({ id, nodes }) => ({
    id,
    at: nodes.map((node) => `${node.target} ${node.html}`),
  }));
  expect(told, where).toEqual([]);
}

for (const scheme of ["light", "dark"] as const) {
  test(`the main pages pass in the ${scheme} theme`, async ({ as, product, rest }) => {
    const admin = await rest("admin");
    const api = await publishEcho(admin, product, { description: "Sends everything back." });
    const draft = await admin.must("POST", "/apis", { name: "Draft", context: "/draft", version: "1.0" });
    const application = await subscribed(admin, api.id);
    const of = (page: string) => `/publisher/apis/${api.id}${page}`;
    // A change that is not deployed, so that the banner is there as well.
    const { body, etag } = await admin.call("GET", `/apis/${api.id}`);
    const { endpoints, description } = body;
    await admin.call("PUT", `/apis/${api.id}`, { endpoints, description, plans: ["Gold"] }, etag);

    const anyone = await as(null, { colorScheme: scheme });
    for (const path of ["/", "/sign-in", "/devportal"]) {
      await anyone.goto(path);
      await expect(anyone.getByRole("heading", { level: 1 })).toBeVisible();
      await check(anyone, path);
    }
    const page = await as("admin", { colorScheme: scheme });
    for (const path of [
      "/publisher",
      "/publisher/apis/new/websocket",
      of(""),
      of("/endpoints"),
      of("/lifecycle"),
      `/publisher/apis/${draft.id}`,
      `/devportal/apis/${api.id}`,
      `/devportal/apis/${api.id}/keys?application=${application.id}`,
      `/devportal/apis/${api.id}/console?application=${application.id}`,
      "/devportal/applications",
      `/devportal/applications/${application.id}/keys`,
      `/devportal/applications/${application.id}/subscriptions`,
    ]) {
      await page.goto(path);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      await expect(page.getByRole("status", { name: /^(Loading|Reading)/ })).toHaveCount(0);
      await check(page, path);
    }
    // What opens over a page.
    await page.goto(of("/endpoints"));
    await page.getByRole("button", { name: "Timeouts of the production endpoint" }).click();
    await expect(page.getByRole("dialog")).toBeVisible();
    await check(page, "the timeouts");
    await page.goto(of("/lifecycle"));
    await page.getByRole("button", { name: "Block" }).click();
    await expect(page.getByRole("dialog")).toBeVisible();
    await check(page, "a move");
  });
}

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
    `/publisher/apis/${api.id}/lifecycle`,
    `/devportal/apis/${api.id}`,
    `/devportal/apis/${api.id}/keys?application=${id}`,
    `/devportal/apis/${api.id}/console`,
    "/admin",
  ]) {
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    const wider = () =>
      page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    await expect.poll(wider, { message: path }).toBeLessThanOrEqual(0);
  }
  await page.getByRole("button", { name: "Account of admin" }).click();
  await page.getByRole("menuitem", { name: "Publisher" }).click();
  await page.getByRole("link", { name: "EchoWebSocket 1.0" }).click();
  await page
    .getByRole("navigation", { name: "Pages of EchoWebSocket" })
    .getByRole("link", { name: "Delete" })
    .click();
  await expect(page.getByLabel(/to confirm/)).toBeVisible();
});
