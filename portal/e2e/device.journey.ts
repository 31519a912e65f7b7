// A device without a browser shows a code; its person types it on another screen, sees who asks, and decides.
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "./journey";

const GRANT = "urn:ietf:params:oauth:grant-type:device_code";

/** What nobody should have to read twice: the page is sound in each of its states. */
async function isSound(page: Page) {
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
}

test("a person connects a device with the code that it shows, and refuses another", async ({
  as,
  product,
  rest,
}) => {
  const developer = await rest("developer");
  const application = await developer.must("POST", "/applications", { name: "Jukebox" });
  const { client_id } = await developer.must("POST", `/applications/${application.id}/keys`, {
    type: "production",
    client_type: "native",
  });
  const own = await as("developer");
  await own.goto(`/devportal/applications/${application.id}/keys`);
  const card = own.getByRole("region", { name: "Production key" });
  await card.getByText("Client and tokens").click();
  await card.getByLabel("Device", { exact: true }).check();
  await card.getByRole("button", { name: "Save client" }).click();
  await expect(card.getByText("Saved.")).toBeVisible();

  const ask = async (path: string, form: Record<string, string>) => {
    const answer = await own.request.post(path, { form: { client_id, ...form } });
    return answer.json();
  };
  const device = () => ask("/oauth2/device_authorization", { scope: "openid profile" });
  const poll = (device_code: string) => ask("/oauth2/token", { grant_type: GRANT, device_code });
  const [first, second] = [await device(), await device()];
  expect(first.verification_uri).toBe(`${product.addresses.portal}/device`);
  expect((await poll(first.device_code)).error).toBe("authorization_pending");

  // Somebody who is not signed in yet, with a code that was mistyped.
  const page = await as(null);
  await page.goto(first.verification_uri);
  await page.getByLabel("User name").fill("publisher");
  await page.getByLabel("Password", { exact: true }).fill(product.password("publisher"));
  await page.getByRole("button", { name: "Sign in" }).click();
  const code = page.getByLabel("Code");
  await expect(code).toBeFocused();
  await isSound(page);
  await code.fill("BBBB-BBBB");
  await page.getByRole("button", { name: "Go on" }).click();
  await expect(page.getByRole("alert")).toContainText("No device waits with this code.");
  await isSound(page);
  await code.fill(first.user_code.toLowerCase());
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Allow Jukebox on a device?" })).toBeVisible();
  await expect(page.getByText("an application of developer")).toBeVisible();
  await expect(page.getByText("see your user name")).toBeVisible();
  await expect(page.getByText(first.user_code)).toBeVisible();
  await isSound(page);
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  await expect(page.getByRole("heading", { name: "The device is connected" })).toBeVisible();
  await isSound(page);
  const tokens = await poll(first.device_code);
  expect([tokens.token_type, tokens.scope]).toEqual(["Bearer", "openid profile"]);

  // Whoever allowed it can take that back, and the device is out.
  await page.goto("/publisher");
  await page.getByRole("button", { name: "Account of publisher" }).click();
  await page.getByRole("menuitem", { name: "Allowed applications" }).click();
  const table = page.getByRole("table", { name: "Allowed applications" });
  await expect(table.getByRole("row").filter({ hasText: "Jukebox" })).toContainText("openid, profile");
  const info = () =>
    own.request.get("/oauth2/userinfo", { headers: { authorization: `Bearer ${tokens.access_token}` } });
  expect((await info()).status()).toBe(200);
  await page.getByRole("button", { name: "Withdraw from Jukebox" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Withdraw" }).click();
  await expect(page.getByText("You have allowed nobody")).toBeVisible();
  expect((await info()).status()).toBe(401);

  // Another device shows a QR code, and the person does not know it.
  await page.goto(second.verification_uri_complete);
  await expect(code).toHaveValue(second.user_code);
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByRole("button", { name: "Do not allow" }).click();
  await expect(page.getByRole("heading", { name: "The device was not allowed" })).toBeVisible();
  expect((await poll(second.device_code)).error).toBe("access_denied");
});
