// Alerts: an administrator says when they are made, a developer uses a plan up, and everybody whom it concerns reads of it,
// or is told by a webhook.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, publishEcho, subscribed, test } from "./journey";

test("whoever uses a plan up, and whoever offers it, reads of it once", async ({ as, product, rest }) => {
  const admin = await as("admin");
  await admin.goto("/admin");
  await admin.getByRole("link", { name: "Alerts" }).click();
  await expect(admin.getByText("No alerts", { exact: true })).toBeVisible();
  const thresholds = admin.getByLabel("Thresholds");
  await expect(thresholds).toHaveValue("80, 100");
  await thresholds.fill("0");
  await expect(admin.getByText("A threshold is a whole number from 1 to 100.")).toBeVisible();
  await expect(admin.getByRole("button", { name: "Save", exact: true })).toBeDisabled();
  await thresholds.fill("100, 60");
  await admin.getByRole("button", { name: "Save", exact: true }).click();
  await expect(thresholds).toHaveValue("60, 100");

  const publishing = await rest("admin");
  const limits = [{ amount: 10, per: "day" }];
  await publishing.must("POST", "/plans", { name: "Ten", limits });
  const api = await publishEcho(publishing, product, { plans: ["Ten"] });
  const application = await subscribed(await rest("developer"), api.id, "Ten");
  const developer = await as("developer");
  await developer.goto(`/devportal/apis/${api.id}/console?application=${application.id}`);
  const session = developer.getByRole("complementary", { name: "Session" });
  await developer.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(session.getByText("Open")).toBeVisible();
  const message = developer.getByLabel("Message to send");
  // Each comes back, so that six are used; then all are.
  const send = async (times: number) => {
    for (let sent = 0; sent < times; sent += 1) {
      await message.fill("hello");
      await message.press("Control+Enter");
    }
  };
  await send(3);
  const reader = await developer.context().newPage();
  await reader.goto(`/devportal/applications/${application.id}`);
  await reader.getByRole("link", { name: "Alerts" }).click();
  const of = (percent: number, used: string) =>
    new RegExp(`${percent} % ${used} of 10 messages per day Ten plan Shop on EchoWebSocket 1\\.0`);
  await expect(reader.getByRole("row", { name: of(60, "6") })).toBeVisible({ timeout: 20_000 });
  await send(3);
  await expect(session.getByText("4429").first()).toBeVisible();
  const publisher = await as("publisher");
  await publisher.goto(`/publisher/apis/${api.id}/alerts`);
  await expect(publisher.getByRole("row", { name: of(100, "10") })).toBeVisible({ timeout: 20_000 });
  await expect(publisher.getByRole("row", { name: /of 10 messages/ })).toHaveCount(2);
  await reader.goto("/devportal/alerts");
  await expect(reader.getByRole("row", { name: /of 10 messages/ })).toHaveCount(2);
  await admin.reload();
  await expect(admin.getByRole("row", { name: of(100, "10") })).toBeVisible();
  await admin.goto("/admin/audit?kind=alert");
  await expect(admin.getByText("changed when alerts are made")).toBeVisible();
});

test("a webhook is made, tested and told, and mails say what they lack", async ({ as, product, rest }) => {
  const told: string[] = [];
  const receiver = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += part;
    });
    request.on("end", () => {
      told.push(`${request.headers["webhook-signature"]?.slice(0, 3)} ${JSON.parse(body).type}`);
      response.end();
    });
  });
  await new Promise<void>((listening) => receiver.listen(0, "127.0.0.1", listening));
  const { port } = receiver.address() as AddressInfo;

  const publishing = await rest("admin");
  await publishing.must("POST", "/plans", { name: "Ten", limits: [{ amount: 10, per: "day" }] });
  const api = await publishEcho(publishing, product, { plans: ["Ten"] });
  const application = await subscribed(await rest("developer"), api.id, "Ten");
  const developer = await as("developer");
  await developer.goto(`/devportal/applications/${application.id}/alerts`);
  const address = developer.getByRole("textbox", { name: "Address" });
  await address.fill("http://hooks.example.com/");
  await developer.getByRole("button", { name: "Create webhook" }).click();
  await expect(developer.getByText(/must begin with https/).first()).toBeVisible();
  await address.fill(`http://127.0.0.1:${port}/`);
  await developer.getByRole("button", { name: "Create webhook" }).click();
  await expect(developer.getByText(/^whsec_/)).toBeVisible();
  await developer.getByRole("button", { name: "Post a test" }).click();
  await expect(developer.getByText("The test was taken")).toBeVisible();
  expect(told).toEqual(["v1, test"]);
  await developer.getByRole("textbox", { name: "Mailboxes" }).fill("ada@example.com");
  await developer.getByRole("button", { name: "Send mails", exact: true }).click();
  await developer.getByRole("button", { name: "Mail a test" }).click();
  await expect(developer.getByText(/no mail server is set/)).toBeVisible();

  const sender = await developer.context().newPage();
  await sender.goto(`/devportal/apis/${api.id}/console?application=${application.id}`);
  const session = sender.getByRole("complementary", { name: "Session" });
  await sender.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(session.getByText("Open")).toBeVisible();
  const message = sender.getByLabel("Message to send");
  for (let sent = 0; sent < 4; sent += 1) {
    await message.fill("hello");
    await message.press("Control+Enter");
  }
  const last = developer.getByRole("table", { name: "Told last by Webhook" });
  await expect(last.getByRole("row", { name: /Delivered 80 % of Ten 1/ })).toBeVisible({ timeout: 20_000 });
  expect(told).toEqual(["v1, test", "v1, alert"]);
  await developer.reload();
  await expect(developer.getByText(/^whsec_/)).toHaveCount(0);
  await developer.getByRole("button", { name: "Delete webhook" }).click();
  await developer.getByRole("dialog").getByRole("button", { name: "Delete webhook" }).click();
  await expect(developer.getByRole("button", { name: "Create webhook" })).toBeVisible();

  const admin = await as("admin");
  await admin.goto("/admin/alerts");
  await admin.getByRole("textbox", { name: "Host" }).fill("127.0.0.1");
  await admin.getByRole("textbox", { name: "Port", exact: true }).fill("1");
  await admin.getByLabel("Security").selectOption("none");
  await admin.getByRole("textbox", { name: "From" }).fill("tidegate@example.com");
  await admin.getByRole("button", { name: "Save mail server" }).click();
  await admin.getByLabel("Mail a test to").fill("ada@example.com");
  await admin.getByRole("button", { name: "Send test" }).click();
  await expect(admin.getByText("The test was not taken")).toBeVisible();
  await expect(admin.getByText(/cannot be reached/)).toBeVisible();
  receiver.close();
});
