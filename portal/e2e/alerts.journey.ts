// Alerts: an administrator says when they are made, a developer uses a plan up, and everybody whom it concerns reads of it.
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
  await expect(admin.getByRole("button", { name: "Save" })).toBeDisabled();
  await thresholds.fill("100, 60");
  await admin.getByRole("button", { name: "Save" }).click();
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
