// Headers and topics: what a creator sets on the page is what a backend gets.
import type { Page } from "@playwright/test";
import { Backend, text } from "./backend";
import { deploysWith, expect, publishEcho, subscribed, test } from "./journey";

async function save(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved to the working copy")).toBeVisible();
}

test("a header that is set and a topic that is mapped reach the backend", async ({ as, product, rest }) => {
  const backend = await Backend.start((socket) => socket.write(text("hello")));
  const production = { url: `${backend.url}/base` };
  const api = await publishEcho(await rest("admin"), product, { endpoints: { production } });
  const { id } = await subscribed(await rest("developer"), api.id);
  const page = await as("creator");
  await page.goto(`/publisher/apis/${api.id}`);
  await page.getByRole("link", { name: "Headers and topics" }).click();
  await expect(page.getByRole("radio", { name: "All headers" })).toBeChecked();
  const set = page.getByRole("group", { name: "Set", exact: true });
  await expect(set.getByText("No set header; at most 32")).toBeVisible();
  await set.getByRole("button", { name: "Set a header" }).click();
  await set.getByLabel("Name of set header 1").fill("X-Who");
  await set.getByLabel("Value of set header 1").fill("{application} on ");
  await set.getByText("Put in something of the session").click();
  await set.getByRole("button", { name: "Put {plan} into set header 1" }).click();
  await expect(set.getByLabel("Value of set header 1")).toHaveValue("{application} on {plan}");

  const topics = page.getByRole("region", { name: "Topic mappings" });
  const tried = topics.getByLabel("Try a topic");
  for (const [topic, path] of [
    ["/rooms/{room}", "/chat?room={room}"],
    ["/rooms/lobby", "/lobby"],
  ] as const) {
    const place = await topics.getByRole("button", { name: /^Remove topic mapping/ }).count();
    await topics.getByRole("button", { name: "Add a topic mapping" }).click();
    await topics.getByLabel(`Topic of topic mapping ${place + 1}`).fill(topic);
    await topics.getByLabel(`Path at the backend of topic mapping ${place + 1}`).fill(path);
  }
  await tried.fill("/rooms/lobby");
  await expect(topics.getByText("Topic mapping 1: the backend is asked for /chat?room=lobby")).toBeVisible();
  await topics.getByRole("button", { name: "Move topic mapping 2 up" }).click();
  await expect(topics.getByText("Topic mapping 1: the backend is asked for /lobby")).toBeVisible();
  await tried.fill("/users/7");
  await expect(topics.getByText("No mapping fits: the backend is asked for /users/7")).toBeVisible();
  await tried.fill("/rooms//7");
  await expect(topics.getByText("a client that asks for this is refused")).toBeVisible();

  await save(page);
  await page.reload();
  await expect(set.getByLabel("Name of set header 1")).toHaveValue("X-Who");
  await expect(topics.getByLabel("Topic of topic mapping 1")).toHaveValue("/rooms/lobby");
  await deploysWith(page, [
    "Headers: set none X-Who: {application} on {plan}",
    "Topic mappings none /rooms/lobby → /lobby, /rooms/{room} → /chat?room={room}",
  ]);

  const developer = await as("developer");
  await developer.goto(`/devportal/apis/${api.id}/console?application=${id}`);
  await developer.getByLabel("Topic").fill("/rooms/7");
  await developer.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(developer.getByRole("button", { name: /^Received/ })).toHaveCount(1);
  const [asked] = backend.asked;
  expect(asked?.url).toBe("/base/chat?room=7");
  expect(asked?.headers["x-who"]).toBe("Shop on Gold");
  backend.stop();
});

test("what is wrong with a rule is told beside its field", async ({ as, product, rest }) => {
  const api = await publishEcho(await rest("admin"), product);
  const page = await as("creator");
  await page.goto(`/publisher/apis/${api.id}/headers`);
  await page.getByRole("button", { name: "Set a header" }).click();
  await page.getByRole("button", { name: "Set a header" }).click();
  const [first, second] = [page.getByLabel("Name of set header 1"), page.getByLabel("Name of set header 2")];
  await first.fill("X-Plan");
  await page.getByLabel("Value of set header 1").fill("{plans}");
  await second.fill("x-plan");
  await page.getByRole("button", { name: "Add a topic mapping" }).click();
  await page.getByLabel("Path at the backend of topic mapping 1").fill("/chat/{room}");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByLabel("Value of set header 1")).toHaveAccessibleDescription("There is no {plans}.");
  await expect(second).toHaveAccessibleDescription("This header stands here already.");
  await expect(page.getByLabel("Path at the backend of topic mapping 1")).toHaveAccessibleDescription(
    "The topic has no parameter {room}.",
  );

  // What only the control plane knows finds its field as well.
  await page.getByRole("button", { name: "Remove set header 2" }).click();
  await first.fill("X-Request-Id");
  await page.getByLabel("Value of set header 1").fill("{plan}");
  await page.getByLabel("Topic of topic mapping 1").fill("/rooms/{room}");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(first).toHaveAccessibleDescription(/“X-Request-Id” belongs to the connection/);
  await first.fill("X-Plan");
  await save(page);
});

test("someone else's rules in between are shown beside one's own", async ({ as, product, rest }) => {
  const admin = await rest("admin");
  const api = await publishEcho(admin, product);
  const page = await as("creator");
  await page.goto(`/publisher/apis/${api.id}/headers`);
  await page.getByRole("radio", { name: "Only listed headers" }).check();
  const { body, etag } = await admin.call("GET", `/apis/${api.id}`);
  const { description, endpoints, plans } = body;
  const changed = { description, endpoints, plans, headers: { ...body.headers, deny: ["X-Debug"] } };
  expect((await admin.call("PUT", `/apis/${api.id}`, changed, etag)).status).toBe(200);
  await page.getByRole("button", { name: "Save" }).click();
  const both = page.getByRole("status").filter({ hasText: "Someone else changed this" });
  await expect(both.getByRole("row", { name: "Headers: denied none X-Debug" })).toBeVisible();
  await expect(
    both.getByRole("row", { name: "Headers: forwarded Only listed headers All headers" }),
  ).toBeVisible();
  await page.getByRole("button", { name: "Take theirs" }).click();
  await expect(page.getByLabel("Name of denied header 1")).toHaveValue("X-Debug");
  await expect(page.getByRole("radio", { name: "All headers" })).toBeChecked();
});
