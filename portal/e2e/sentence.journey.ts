// The sentence that must always be true: from an empty data folder to an echoed message and its count.
import { expect, figure, test } from "./journey";

test("a newcomer publishes an API, subscribes, gets a token and exchanges a message", async ({
  as,
  product,
}) => {
  const { ws, echo } = product.addresses;
  const page = await as(null);

  await page.goto("/publisher");
  await page.getByLabel("User name").fill("admin");
  await page.getByLabel("Password", { exact: true }).fill(product.password("admin"));
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "APIs" })).toBeVisible();

  await page.getByRole("button", { name: "Create API" }).click();
  await page.getByRole("menuitem", { name: "Design a New WebSocket API" }).click();
  const publish = page.getByRole("button", { name: "Create & publish" });
  await expect(publish).toBeDisabled();
  await page.getByLabel("Name").fill("EchoWebSocket");
  await expect(page.getByLabel("Context")).toHaveValue("/echowebsocket");
  await expect(page.getByLabel("Version")).toHaveValue("1.0");
  await expect(page.getByText(`${ws}/echowebsocket/1.0`)).toBeVisible();
  await expect(
    page.getByText("To publish at once, enter an endpoint and at least one business plan."),
  ).toBeVisible();
  await page.getByRole("button", { name: "Use the built-in echo backend" }).click();
  await expect(page.getByRole("textbox", { name: "Endpoint" })).toHaveValue(echo);
  await page.getByRole("button", { name: "Test endpoint" }).click();
  await expect(page.getByText("The backend answers")).toBeVisible();
  await expect(page.getByText("The backend answered 101")).toBeVisible();
  await expect(page.getByText("5,000 messages per minute")).toBeVisible();
  await page.getByRole("checkbox", { name: "Gold", exact: true }).check();
  await page.getByRole("checkbox", { name: "Silver", exact: true }).check();
  await publish.click();

  await expect(page.getByRole("heading", { name: "EchoWebSocket" })).toBeVisible();
  const overview = page.url();
  const answers = page.getByRole("region", { name: "Where it answers" });
  await expect(answers.getByText(`${ws}/echowebsocket/1.0`, { exact: true })).toBeVisible();
  await answers.getByRole("button", { name: "Copy ws address" }).click();
  await expect(answers.getByRole("button", { name: "ws address copied", exact: true })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`${ws}/echowebsocket/1.0`);
  await expect(page.getByRole("region", { name: "State" }).getByText("Published")).toBeVisible();
  await expect(page.getByText("No session has been opened yet.")).toBeVisible();

  await page
    .getByRole("navigation", { name: "Doors" })
    .getByRole("link", { name: "Developer portal" })
    .click();
  await page.getByLabel("Search the catalogue").fill("echowebs");
  await expect(page.getByRole("link", { name: "Demo Echo" })).toBeHidden();
  await page.getByRole("link", { name: "EchoWebSocket 1.0" }).click();
  await page.getByRole("link", { name: "Get a key" }).click();

  const step = (name: string) => page.getByRole("region", { name });
  await step("Step 1").getByLabel("Name of the application").fill("Shop");
  await step("Step 1").getByRole("button", { name: "Create application" }).click();
  await step("Step 2").getByRole("radio", { name: "Silver" }).check();
  await step("Step 2").getByRole("button", { name: "Subscribe" }).click();
  await expect(step("Step 2").getByText("Shop is subscribed under Silver.")).toBeVisible();
  await step("Step 3").getByRole("button", { name: "Generate production keys" }).click();
  await expect(step("Step 3").getByText("The secret is shown this once.")).toBeVisible();
  await step("Step 3").getByRole("button", { name: "Copy client secret" }).click();
  const secret = await page.evaluate(() => navigator.clipboard.readText());
  expect(secret.length).toBeGreaterThan(20);
  const saving = page.waitForEvent("download");
  await step("Step 3").getByRole("button", { name: "Save as a file" }).click();
  expect((await saving).suggestedFilename()).toBe("tidegate-production-key.json");
  await step("Step 4").getByRole("button", { name: "Generate access token" }).click();
  await step("Step 4").getByRole("button", { name: "Copy access token" }).click();
  const token = await page.evaluate(() => navigator.clipboard.readText());
  expect(token.split(".")).toHaveLength(3);
  await expect(step("Step 4").getByText(`tidegate connect --token "${token}"`)).toBeVisible();

  await step("Step 4").getByRole("link", { name: "Open console" }).click();
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  const status = page.getByRole("complementary", { name: "Session" });
  await expect(status.getByText("Open")).toBeVisible();
  await page.getByLabel("Message to send").fill("hello");
  await page.getByLabel("Message to send").press("Control+Enter");
  const timeline = page.getByRole("group", { name: "Timeline" });
  await expect(timeline.getByRole("button", { name: /^Sent.*hello/ })).toBeVisible();
  await expect(timeline.getByRole("button", { name: /^Received.*hello/ })).toBeVisible();
  await expect(status.getByText("1 (5 B)")).toHaveCount(2);

  // The count appears while one looks; the console is still open in its own tab.
  const second = await page.context().newPage();
  await second.goto(overview);
  const traffic = second.getByRole("region", { name: "Traffic" });
  const tile = (name: string) => figure(traffic, name);
  await expect(tile("Sessions open")).toContainText("1");
  await expect(tile("Messages from clients")).toContainText("1");
  await expect(tile("Messages from backends")).toContainText("1");
  await page.getByLabel("Message to send").fill("again");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(tile("Messages from clients")).toContainText("2");
  await page.getByRole("button", { name: "Disconnect" }).click();
  await expect(status.getByText("1000 Normal closure")).toBeVisible();
  await expect(tile("Sessions open")).toContainText("0");

  // The secret is gone with the page.
  await page.goBack();
  await expect(step("Step 3").getByText("Its secret was shown when the key was made.")).toBeVisible();
  await expect(page.getByText(secret)).toHaveCount(0);
});
