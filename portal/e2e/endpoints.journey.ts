// Endpoints: the cogwheel's timeouts, the test that tells where it stopped, and the way of a change to what is live.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, publishEcho, test } from "./journey";

test("a change waits in the working copy, is shown, and goes live", async ({ as, product, rest }) => {
  const admin = await rest("admin");
  const production = { url: product.addresses.echo, lifetime_max_ms: 3_600_000 };
  const api = await publishEcho(admin, product, { endpoints: { production } });
  const page = await as("admin");
  await page.goto(`/publisher/apis/${api.id}/endpoints`);
  await page.getByRole("button", { name: "Timeouts of the production endpoint" }).click();
  const drawer = page.getByRole("dialog", { name: "Timeouts of the production endpoint" });
  const idle = drawer.getByLabel("Idle timeout");
  const before = await idle.inputValue();
  await expect(idle).toHaveAccessibleDescription(/closed with code 1001/);
  await idle.fill("1");
  await expect(idle).toHaveAccessibleDescription(/Choose between/);
  await idle.fill("90000");
  await drawer.getByLabel("Connect timeout").fill("3000");
  await drawer.getByLabel("Handshake timeout").fill("4000");
  await drawer.getByRole("button", { name: "Done" }).click();
  await expect(drawer).toBeHidden();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved to the working copy")).toBeVisible();

  const differs = page.getByRole("group", { name: "What differs" });
  await expect(differs.getByRole("row", { name: /Production endpoint: connect timeout/ })).toContainText(
    "3 s",
  );
  await expect(differs.getByRole("row", { name: /Production endpoint: handshake timeout/ })).toContainText(
    "4 s",
  );
  await expect(differs.getByRole("row", { name: /Production endpoint: idle timeout/ })).toContainText(
    "1 min 30 s",
  );
  expect((await admin.must("GET", `/apis/${api.id}/revisions`)).items).toHaveLength(1);

  await page.getByRole("button", { name: "Deploy", exact: true }).click();
  await expect(differs).toHaveCount(0);
  await page.getByRole("link", { name: "Deployments" }).click();
  await expect(page.getByRole("row", { name: /^2 Live/ })).toContainText("admin");
  await page.getByRole("link", { name: "Endpoints" }).click();
  await page.getByRole("button", { name: "Timeouts of the production endpoint" }).click();
  await expect(idle).toHaveValue("90,000");
  expect(before).not.toBe("90,000");
  // What the page does not show is as it was.
  const { endpoints } = await admin.must("GET", `/apis/${api.id}`);
  expect(endpoints.production.lifetime_max_ms).toBe(production.lifetime_max_ms);
});

test("a test of an endpoint tells where it stopped and what to try", async ({ as, product, rest }) => {
  const api = await publishEcho(await rest("admin"), product);
  const page = await as("admin");
  await page.goto(`/publisher/apis/${api.id}/endpoints`);
  const url = page.getByLabel("Production endpoint", { exact: true });
  const probe = page.getByRole("button", { name: "Test production endpoint" });
  const report = page.getByRole("alert");

  await probe.click();
  await expect(page.getByRole("status").getByText("The backend answers")).toBeVisible();
  await expect(page.getByRole("status").getByText("A Ping came back.")).toBeVisible();

  // Nobody listens on port 1.
  await url.fill("ws://127.0.0.1:1");
  await probe.click();
  await expect(report.getByText("The backend does not answer")).toBeVisible();
  await expect(report.getByText("Not connected")).toBeVisible();
  await expect(report.getByText("Check that the backend runs and listens on 127.0.0.1:1")).toBeVisible();

  const plain = createServer((_, response) => response.writeHead(404).end());
  await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
  await url.fill(`ws://127.0.0.1:${(plain.address() as AddressInfo).port}`);
  await probe.click();
  await expect(report.getByText("WebSocket handshake not accepted")).toBeVisible();
  await expect(report.getByText("Check the path of the address.")).toBeVisible();
  plain.close();

  // The gateway's own listener would be a circle.
  await url.fill(product.addresses.ws);
  await probe.click();
  await expect(report.getByText("enter the address of the backend itself")).toBeVisible();
});

test("someone else's change in between is shown beside one's own", async ({ as, product, rest }) => {
  const admin = await rest("admin");
  const api = await publishEcho(admin, product);
  const page = await as("admin");
  await page.goto(`/publisher/apis/${api.id}/basics`);
  await page.getByLabel("Description").fill("Mine");
  const { body, etag } = await admin.call("GET", `/apis/${api.id}`);
  const { endpoints, plans } = body;
  const changed = { description: "Theirs", endpoints, plans };
  expect((await admin.call("PUT", `/apis/${api.id}`, changed, etag)).status).toBe(200);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Someone else changed this while you were editing")).toBeVisible();
  await expect(page.getByRole("row", { name: "Description Mine Theirs" })).toBeVisible();
  await page.getByRole("button", { name: "Save mine" }).click();
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
  expect((await admin.must("GET", `/apis/${api.id}`)).description).toBe("Mine");
});
