// Endpoints: the cogwheel's settings, the test that tells where it stopped, and the way of a change to what is live.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { deploysWith, expect, figure, openSettings, publishEcho, subscribed, test, unfold } from "./journey";

test("a change waits in the working copy, is shown, and goes live", async ({ as, product, rest }) => {
  const admin = await rest("admin");
  const production = {
    url: product.addresses.echo,
    lifetime_max_ms: 3_600_000,
    others: ["ws://127.0.0.1:1"],
  };
  const api = await publishEcho(admin, product, { endpoints: { production } });
  const page = await as("admin");
  await page.goto(`/publisher/apis/${api.id}/endpoints`);
  const drawer = await openSettings(page);
  const timeouts = await unfold(drawer, "Timeouts");
  const idle = timeouts.getByLabel("Idle timeout");
  const before = await idle.inputValue();
  await expect(idle).toHaveAccessibleDescription(/closed with code 1001/);
  await idle.fill("1");
  await expect(idle).toHaveAccessibleDescription(/Choose between/);
  await idle.fill("90000");
  await timeouts.getByLabel("Connect timeout").fill("3000");
  await timeouts.getByLabel("TLS timeout").fill("2500");
  await timeouts.getByLabel("Handshake timeout").fill("4000");
  // Folded, a group says what its fields say.
  await timeouts.getByRole("button", { name: "Timeouts" }).click();
  await expect(timeouts.getByText("Connect 3 s, TLS 2.5 s, handshake 4 s, idle 1 min 30 s")).toBeVisible();
  await drawer.getByRole("button", { name: "Done" }).click();
  await expect(drawer).toBeHidden();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved to the working copy")).toBeVisible();

  const differs = page.getByRole("group", { name: "What differs" });
  await expect(differs.getByRole("row", { name: /Production endpoint: connect timeout/ })).toContainText(
    "3 s",
  );
  await expect(differs.getByRole("row", { name: /Production endpoint: TLS timeout/ })).toContainText("2.5 s");
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
  await unfold(await openSettings(page), "Timeouts");
  await expect(idle).toHaveValue("90,000");
  expect(before).not.toBe("90,000");
  // What nobody touched is as it was.
  const { endpoints } = await admin.must("GET", `/apis/${api.id}`);
  expect(endpoints.production).toMatchObject(production);
});

test("a further address takes over, and a session lives as long as it is let", async ({
  as,
  product,
  rest,
}) => {
  const admin = await rest("admin");
  const api = await publishEcho(admin, product);
  const { id } = await subscribed(await rest("developer"), api.id);
  const page = await as("creator");
  await page.goto(`/publisher/apis/${api.id}/endpoints`);
  const production = page.getByRole("region", { name: "Production" });
  await expect(production.getByText("1 address", { exact: true })).toBeVisible();
  // Nobody listens on port 1: what answers is the second address.
  await page.getByLabel("Production endpoint", { exact: true }).fill("ws://127.0.0.1:1");
  const drawer = await openSettings(page);
  const balancing = await unfold(drawer, "Addresses and balancing");
  const further = balancing.getByLabel("Further address 1", { exact: true });
  await balancing.getByRole("button", { name: "Add an address" }).click();
  await further.fill("ws://127.0.0.1:1");
  await further.blur();
  await expect(further).toHaveAccessibleDescription(/This address is there already/);
  await further.fill(product.addresses.echo);
  await balancing.getByRole("button", { name: "Test further address 1" }).click();
  await expect(balancing.getByText("The backend answers")).toBeVisible();
  await balancing.getByRole("button", { name: "Add an address" }).click();
  await expect(balancing.getByText("3 addresses of at most 16")).toBeVisible();
  await balancing.getByRole("button", { name: "Remove further address 2" }).click();
  await balancing.getByRole("radio", { name: "Failover" }).check();
  await expect(balancing.getByRole("radio", { name: "Failover" })).toHaveAccessibleDescription(
    /the others are for when it does not work/,
  );

  const keepAlive = await unfold(drawer, "Keep-alive");
  const life = keepAlive.getByLabel("Longest life of a session");
  await expect(life).toHaveValue("0");
  await expect(life).toHaveAccessibleDescription(/closed with code 1001.*0 means never/);
  await expect(keepAlive.getByText("never", { exact: true })).toHaveCount(2);
  await life.fill("2000");
  await keepAlive.getByLabel("Ping interval").fill("30000");
  await keepAlive.getByLabel("Pong timeout").fill("5000");
  const suspension = await unfold(drawer, "Suspension");
  await suspension.getByLabel("Suspended after").fill("0");
  await suspension.getByLabel("First suspension").fill("");
  await drawer.getByRole("button", { name: "Done" }).click();
  // What is wrong in the drawer opens it.
  await page.getByRole("button", { name: "Save" }).click();
  await expect(suspension.getByLabel("First suspension")).toHaveAccessibleDescription(
    /Choose between 100 and 3,600,000 milliseconds\./,
  );
  await suspension.getByLabel("First suspension").fill("1000");
  await drawer.getByRole("button", { name: "Done" }).click();
  await expect(production.getByText("2 addresses, failover")).toBeVisible();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved to the working copy")).toBeVisible();

  const echo = product.addresses.echo;
  await deploysWith(page, [
    `Production endpoint: address ${echo} ws://127.0.0.1:1`,
    `Production endpoint: further addresses none ${echo}`,
    "Production endpoint: choice of address Round robin Failover",
    "Production endpoint: suspended after 3 failures never",
    "Production endpoint: first suspension 30 s 1 s",
    "Production endpoint: ping interval never 30 s",
    "Production endpoint: pong timeout 10 s 5 s",
    "Production endpoint: longest life of a session never 2 s",
  ]);

  const developer = await as("developer");
  await developer.goto(`/devportal/apis/${api.id}/console?application=${id}`);
  const session = developer.getByRole("complementary", { name: "Session" });
  await developer.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(session.getByText("Open")).toBeVisible();
  await developer.getByLabel("Message to send").fill("by the second address");
  await developer.getByLabel("Message to send").press("Control+Enter");
  await expect(figure(session, "Received")).toHaveText(/^1 /);
  await expect(session.getByText("1001 Going away")).toBeVisible();
  await expect(session.getByText("The session was as old as the API lets one get.")).toBeVisible();
});

test("a header that decides, and health checks, are set where they belong", async ({ as, product, rest }) => {
  const admin = await rest("admin");
  const production = { url: product.addresses.echo, others: ["ws://127.0.0.1:1"] };
  const api = await publishEcho(admin, product, { endpoints: { production } });
  const page = await as("creator");
  await page.goto(`/publisher/apis/${api.id}/endpoints`);
  const drawer = await openSettings(page);
  const balancing = await unfold(drawer, "Addresses and balancing");
  const header = balancing.getByLabel("Header that decides");
  await expect(header).toHaveCount(0);
  await balancing.getByRole("radio", { name: "Sticky header" }).check();
  const health = await unfold(drawer, "Health checks");
  const interval = health.getByLabel("Time between checks");
  await expect(interval).toHaveValue("0");
  await expect(interval).toHaveAccessibleDescription(
    /0 means never; else at least 100\. Default 0 \(never\)/,
  );
  await interval.fill("50");
  await health.getByLabel("Unhealthy after").fill("3");
  await drawer.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(interval).toHaveAccessibleDescription(/Choose 0 for no checks, or between 100 and/);
  await expect(header).toHaveAccessibleDescription(/Enter the name of a header\./);
  await interval.fill("10000");
  await header.fill("X-Device");
  await drawer.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved to the working copy")).toBeVisible();
  await deploysWith(page, [
    "Production endpoint: choice of address Round robin Sticky header",
    "Production endpoint: sticky header nothing X-Device",
    "Production endpoint: time between health checks never 10 s",
    "Production endpoint: unhealthy after 2 checks 3 checks",
  ]);
});

test("the health of each address is told where it is set", async ({ as, product, rest }) => {
  const admin = await rest("admin");
  const production = {
    url: product.addresses.echo,
    // Nobody listens on port 1.
    others: ["ws://127.0.0.1:1"],
    health: { interval_ms: 100, unhealthy_after: 1 },
  };
  const api = await publishEcho(admin, product, { endpoints: { production } });
  const page = await as("publisher");
  await page.goto(`/publisher/apis/${api.id}/endpoints`);
  const health = page.getByRole("group", { name: "Health of the production addresses that are live" });
  await expect(health.getByRole("row", { name: `${product.addresses.echo} Up 0 Passed` })).toBeVisible();
  await expect(health.getByRole("row", { name: "ws://127.0.0.1:1 Unhealthy 0 Failed" })).toBeVisible();
  await expect(page.getByRole("group", { name: /^Health of the sandbox/ })).toHaveCount(0);
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
