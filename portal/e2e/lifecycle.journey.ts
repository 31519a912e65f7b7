// The lifecycle as its publisher walks it, while a developer's session is open.
import { expect, publishEcho, subscribed, test } from "./journey";

test("block closes live sessions in words; the API comes back, is deprecated and retired", async ({
  as,
  product,
  rest,
}) => {
  const api = await publishEcho(await rest("admin"), product, { publish: false });
  const page = await as("publisher");
  await page.goto(`/publisher/apis/${api.id}/lifecycle`);
  const moves = page.getByRole("region", { name: "Possible moves" });
  const dialog = page.getByRole("dialog");
  const state = (name: string) => page.getByRole("img", { name: new RegExp(`present state is ${name}`) });
  const move = async (verb: string) => {
    await moves.getByRole("button", { name: verb, exact: true }).click();
    await dialog.getByRole("button", { name: verb, exact: true }).click();
    await expect(dialog).toHaveCount(0);
  };
  await expect(moves.getByRole("button")).toHaveText(["Publish", "Deploy as a prototype"]);
  await move("Publish");
  await expect(state("Published")).toBeVisible();

  const application = await subscribed(await rest("developer"), api.id);
  const developer = await as("developer");
  await developer.goto(`/devportal/apis/${api.id}/console?application=${application.id}`);
  await developer.getByRole("button", { name: "Connect", exact: true }).click();
  const session = developer.getByRole("complementary", { name: "Session" });
  await expect(session.getByText("Open")).toBeVisible();

  await moves.getByRole("button", { name: "Block" }).click();
  await expect(dialog.getByText("New connections are refused and live sessions are closed")).toBeVisible();
  await expect(dialog.getByText("1 live session will be closed.")).toBeVisible();
  await dialog.getByRole("button", { name: "Block" }).click();
  await expect(state("Blocked")).toBeVisible();
  await expect(session.getByText("3003 Forbidden")).toBeVisible();
  await expect(session.getByText("The API is blocked for now.")).toBeVisible();
  await developer.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(session.getByText("3003 Forbidden")).toBeVisible();

  await move("Re-publish");
  await expect(state("Published")).toBeVisible();
  await developer.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(session.getByText("Open")).toBeVisible();
  await move("Deprecate");
  await expect(state("Deprecated")).toBeVisible();
  await expect(session.getByText("Open")).toBeVisible();
  await expect(moves.getByRole("button")).toHaveText(["Retire"]);
  await move("Retire");
  await expect(state("Retired")).toBeVisible();
  await expect(session.getByText("3003 Forbidden")).toBeVisible();
  await expect(session.getByText("The API was retired.")).toBeVisible();
  await expect(page.getByText("Retired is the end of its life.")).toBeVisible();

  const history = page.getByRole("region", { name: "History" }).getByRole("row");
  await expect(history).toContainText([
    "When",
    "Deprecated → Retired",
    "Published → Deprecated",
    "Blocked → Published",
    "Published → Blocked",
    "Created → Published",
    "Made as Created",
  ]);
  const anyone = await as(null);
  await anyone.goto(`/devportal/apis/${api.id}`);
  await expect(anyone.getByText("There is nothing here")).toBeVisible();
});

test("a new version starts as a copy and can take over", async ({ as, product, rest }) => {
  const api = await publishEcho(await rest("admin"), product);
  const page = await as("admin");
  await page.goto(`/publisher/apis/${api.id}/new-version`);
  const version = page.getByRole("textbox", { name: "Version" });
  await version.fill("1.0");
  await page.getByRole("button", { name: "Create version" }).click();
  await expect(page.getByText("This version exists already.")).toBeVisible();
  await version.fill("2.0");
  await expect(page.getByText(`${product.addresses.ws}/echowebsocket/2.0`)).toBeVisible();
  await page.getByLabel("Make it the default version").check();
  await page.getByRole("button", { name: "Create version" }).click();
  await expect(page.getByRole("region", { name: "State" }).getByText("Created")).toBeVisible();
  await expect(page.getByText("Gold")).toBeVisible();
  await page.goto("/publisher");
  const second = page.getByRole("row", { name: /EchoWebSocket 2\.0/ });
  await expect(second).toContainText("Default version when live");
  await second.getByRole("link").click();
  await page.getByRole("link", { name: "Lifecycle", exact: true }).click();
  await page.getByRole("button", { name: "Publish" }).click();
  await page.getByLabel("Deprecate older published versions").check();
  await page.getByRole("dialog").getByRole("button", { name: "Publish" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.goto("/publisher");
  await expect(page.getByRole("row", { name: /EchoWebSocket 1\.0/ })).toContainText("Deprecated");
  await expect(second).toContainText("Published");
  await expect(second.getByText("Default version", { exact: true })).toBeVisible();
});
