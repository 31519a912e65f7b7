// What people write is text everywhere: no page makes elements or scripts of it.
import { expect, publishEcho, subscribed, test } from "./journey";

const HOSTILE = `<img src=x onerror="window.taken=1"><script>window.taken=1</script>{{7*7}}`;

test("markup in descriptions and names stays text on every page that shows it", async ({
  as,
  product,
  rest,
}) => {
  const admin = await rest("admin");
  // An API's name may not hold such characters at all.
  const named = { name: HOSTILE, context: "/x", version: "1.0" };
  expect((await admin.call("POST", "/apis", named)).status).toBe(400);

  const api = await publishEcho(admin, product, { description: HOSTILE });
  const application = await admin.must("POST", "/applications", { name: HOSTILE, description: HOSTILE });
  await admin.must("POST", "/subscriptions", {
    application_id: application.id,
    api_id: api.id,
    plan: "Gold",
  });
  const { id } = await subscribed(admin, api.id);
  const page = await as("admin");
  page.on("dialog", (dialog) => {
    throw new Error(`a dialog opened: ${dialog.message()}`);
  });
  for (const path of [
    "/devportal",
    `/devportal/apis/${api.id}`,
    `/publisher/apis/${api.id}/basics`,
    `/publisher/apis/${api.id}/subscriptions`,
    `/publisher/apis/${api.id}`,
    "/devportal/applications",
    `/devportal/applications/${application.id}`,
    `/devportal/applications/${application.id}/settings`,
    `/devportal/apis/${api.id}/keys?application=${application.id}`,
  ]) {
    await page.goto(path);
    await expect(
      page.getByText(HOSTILE).or(page.getByRole("textbox").getByText(HOSTILE)).first(),
    ).toBeVisible();
    await expect(page.locator("main img[src=x]")).toHaveCount(0);
    expect(await page.evaluate(() => "taken" in window), path).toBe(false);
  }

  // A message that comes back is text as well, in the row and unfolded.
  await page.goto(`/devportal/apis/${api.id}/console?application=${id}`);
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByLabel("Message to send").fill(JSON.stringify({ [HOSTILE]: HOSTILE }));
  await expect(page.getByText("Open", { exact: false }).first()).toBeVisible();
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByRole("button", { name: /^Received/ }).click();
  await expect(
    page.getByRole("region", { name: "Message", exact: true }).getByText("onerror").first(),
  ).toBeVisible();
  expect(await page.evaluate(() => "taken" in window)).toBe(false);

  // Where to go after a sign-in is a page of the portal, whatever the address says.
  await page.goto("/sign-in?to=https://example.com");
  await expect(page.getByRole("heading", { name: "WebSocket APIs, managed" })).toBeVisible();
  await page.goto("/sign-in?to=//example.com");
  expect(new URL(page.url()).origin).toBe(product.addresses.portal);
});
