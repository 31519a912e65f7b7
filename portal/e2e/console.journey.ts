// The console: what passes, how it ends, and ten thousand messages.
import type { Page } from "@playwright/test";
import { Backend, close, text } from "./backend";
import { expect, figure, publishEcho, subscribed, test } from "./journey";

const FLOOD = 10_000;

function parts(page: Page) {
  return {
    connect: page.getByRole("button", { name: "Connect", exact: true }),
    session: page.getByRole("complementary", { name: "Session" }),
    timeline: page.getByRole("group", { name: "Timeline" }),
    message: page.getByLabel("Message to send"),
  };
}

test("text, JSON and binary go out and come back; search and pause lose nothing", async ({
  as,
  product,
  rest,
}) => {
  const developer = await rest("developer");
  const api = await publishEcho(await rest("admin"), product);
  const { id } = await subscribed(developer, api.id);
  const page = await as("developer");
  await page.goto(`/devportal/apis/${api.id}/console?application=${id}`);
  const { connect, session, timeline, message } = parts(page);
  await expect(page.getByRole("button", { name: "Send", exact: true })).toBeDisabled();
  await connect.click();
  await expect(session.getByText("Open")).toBeVisible();

  await message.fill("plain");
  await message.press("Control+Enter");
  await page.getByText("JSON", { exact: true }).click();
  await message.fill("{broken");
  await message.press("Control+Enter");
  await expect(page.getByText(/This is not JSON/)).toBeVisible();
  await message.fill('{"order":{"id":7}}');
  await message.press("Control+Enter");
  await page.getByText("Binary", { exact: true }).click();
  await message.fill("00 ff 1");
  await message.press("Control+Enter");
  await expect(page.getByText("A byte has two digits; one is missing.")).toBeVisible();
  await message.fill("00 ff 10");
  await message.press("Control+Enter");
  await expect(figure(session, "Sent")).toHaveText("3 (26 B)");
  await expect(figure(session, "Received")).toHaveText("3 (26 B)");

  await timeline.getByRole("button", { name: /^Received.*order/ }).click();
  const detail = page.getByRole("region", { name: "Message", exact: true });
  await detail.getByText("order:").click();
  await expect(detail.getByText("id:")).toBeVisible();
  await page.getByLabel("Search messages").fill("00 ff");
  await expect(timeline.getByRole("listitem")).toHaveCount(2);
  await page.getByLabel("Search messages").fill("");

  await page.getByRole("button", { name: "Pause" }).click();
  await message.press("ArrowUp");
  await expect(message).toHaveValue("00 ff 10");
  await message.press("Control+Enter");
  await expect(page.getByRole("button", { name: "Resume (2 new)" })).toBeVisible();
  await page.getByRole("button", { name: /Resume/ }).click();
  await expect(page.getByText("9 entries")).toBeVisible();
});

test("a pasted token that is wrong is refused with the reason in words", async ({ as, product, rest }) => {
  const api = await publishEcho(await rest("admin"), product);
  const page = await as(null);
  await page.goto(`/devportal/apis/${api.id}/console`);
  const { connect, session } = parts(page);
  await page.getByLabel("Access token").fill("nonsense");
  await connect.click();
  await expect(session.getByText("3000 Unauthorized")).toBeVisible();
  await expect(session.getByText("Get a new token and connect again.")).toBeVisible();
});

test("a spent plan is told in words", async ({ as, product, rest }) => {
  const backend = await Backend.start((socket) => {
    socket.write(Buffer.concat(Array.from({ length: 1_001 }, (_, number) => text(`message ${number}`))));
  });
  const developer = await rest("developer");
  const api = await publishEcho(await rest("admin"), product, {
    endpoints: { production: { url: backend.url } },
    plans: ["Bronze"],
  });
  const { id } = await subscribed(developer, api.id, "Bronze");
  const page = await as("developer");
  await page.goto(`/devportal/apis/${api.id}/console?application=${id}`);
  const { connect, session } = parts(page);
  await connect.click();
  await expect(session.getByText("4429 Limit reached")).toBeVisible();
  await expect(session.getByText(/Plan: Bronze\. Try again in \d+ seconds?\./)).toBeVisible();
  await expect(figure(session, "Received")).toHaveText(/^1,000 /);
  backend.stop();
});

test("a backend's own goodbye is told as its own", async ({ as, product, rest }) => {
  const backend = await Backend.start((socket) => socket.write(close(4321, "see you tomorrow")));
  const developer = await rest("developer");
  const api = await publishEcho(await rest("admin"), product, {
    endpoints: { production: { url: backend.url } },
  });
  const { id } = await subscribed(developer, api.id);
  const page = await as("developer");
  await page.goto(`/devportal/apis/${api.id}/console?application=${id}`);
  const { connect, session } = parts(page);
  await connect.click();
  await expect(session.getByText("4321 The backend's own code")).toBeVisible();
  await expect(session.getByText("see you tomorrow")).toBeVisible();
  backend.stop();
});

test("ten thousand messages leave the page light", async ({ as, product, rest }) => {
  const backend = await Backend.start((socket) => {
    socket.write(Buffer.concat(Array.from({ length: FLOOD }, (_, number) => text(`message ${number}`))));
  });
  const developer = await rest("developer");
  const api = await publishEcho(await rest("admin"), product, {
    endpoints: { production: { url: backend.url } },
    plans: ["Unlimited"],
  });
  const { id } = await subscribed(developer, api.id, "Unlimited");
  const page = await as("developer");
  await page.goto(`/devportal/apis/${api.id}/console?application=${id}`);
  const { connect, session, timeline } = parts(page);
  await connect.click();
  await expect(figure(session, "Received")).toHaveText(/^10,000 /);
  await expect(timeline.getByText(`message ${FLOOD - 1}`, { exact: true })).toBeVisible();
  expect(await timeline.getByRole("listitem").count()).toBeLessThan(60);
  await timeline.press("Home");
  await expect(timeline.getByText("message 0", { exact: true })).toBeVisible();
  await page.getByLabel("Search messages").fill("message 777");
  await expect(timeline.getByText("message 7777", { exact: true })).toBeVisible();
  await expect(page.getByText("11 of 10,001 entries")).toBeVisible();
  backend.stop();
});
