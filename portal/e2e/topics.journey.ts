// Topics: what a creator declares goes live, and the console is told what became of what it sent.
import { deploysWith, expect, publishEcho, subscribed, test } from "./journey";

test("a creator declares topics, and a client that speaks where it may only listen is closed", async ({
  as,
  product,
  rest,
}) => {
  const admin = await rest("admin");
  const api = await publishEcho(admin, product);
  const { id } = await subscribed(await rest("developer"), api.id);
  const page = await as("creator");
  await page.goto(`/publisher/apis/${api.id}`);
  await page.getByRole("link", { name: "Topics", exact: true }).click();
  await expect(page.getByText("No topic; at most 128")).toBeVisible();
  await page.getByRole("button", { name: "Add a topic" }).click();
  await page.getByRole("button", { name: "Add a topic" }).click();
  const path = page.getByLabel("Path of topic 1");
  await path.fill("chat/{room}");
  await page.getByLabel("Path of topic 2").fill("/news");
  await page.getByLabel("Description of topic 2").fill("What happened");
  await page.getByLabel("Who may send on topic 2").selectOption("The backend alone (subscribe)");
  await page.getByRole("checkbox", { name: "Topic 1 needs no credential" }).check();
  const needed = page.getByLabel("Scopes to listen to topic 2");
  await needed.fill("news:read");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(path).toHaveAccessibleDescription("Begin with “/”.");
  await expect(needed).toHaveAccessibleDescription(/There is no scope “news:read”/);
  await page.getByRole("button", { name: "Define a scope" }).click();
  await page.getByLabel("Name in tokens of scope 1").fill("news:read");
  await page
    .getByRole("group", { name: "Roles that may have scope 1" })
    .getByRole("checkbox", { name: "Subscriber" })
    .check();
  await path.fill("/chat/{room}");
  await page.getByRole("button", { name: "Move topic 2 up" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved to the working copy")).toBeVisible();
  await deploysWith(page, [
    "Topics: declared none /news (subscribe) subscribe with news:read: What happened, /chat/{room} (both) without a credential",
    "Scopes none news:read for subscriber",
  ]);

  const developer = await as("developer");
  await developer.goto(`/devportal/apis/${api.id}/console?application=${id}`);
  await developer.getByLabel("Topic", { exact: true }).fill("/news");
  await developer.getByRole("button", { name: "Connect", exact: true }).click();
  const session = developer.getByRole("complementary", { name: "Session" });
  await expect(session.getByText("Open")).toBeVisible();
  await developer.getByLabel("Message to send").fill("my opinion");
  await developer.getByRole("button", { name: "Send", exact: true }).click();
  await expect(developer.getByText(/1008/).first()).toBeVisible();
});

test("who may not design sees the topics and changes none", async ({ as, product, rest }) => {
  const admin = await rest("admin");
  const api = await publishEcho(admin, product);
  const page = await as("publisher");
  await page.goto(`/publisher/apis/${api.id}/topics`);
  await expect(page.getByText("A creator can change these.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Add a topic" })).toHaveCount(0);
  await expect(page.getByRole("radio", { name: "Drop" })).toBeDisabled();
});
