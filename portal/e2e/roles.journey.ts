// Each role sees the controls it may use and no other, and REST refuses what the page does not show.
import { expect, openSettings, publishEcho, type Rest, subscribed, test, type User, unfold } from "./journey";

const EVERY_PAGE = [
  "Overview",
  "Basics",
  "Endpoints",
  "Headers and topics",
  "Topics",
  "Security",
  "Protocol",
  "Plans",
  "Subscriptions",
  "Alerts",
  "Deployments",
  "Lifecycle",
  "New version",
  "Delete",
];

test("a creator designs and does not publish", async ({ as, product, rest }) => {
  const api = await publishEcho(await rest("admin"), product);
  const page = await as("creator");
  await page.goto("/publisher");
  await expect(page.getByRole("navigation", { name: "Doors" }).getByRole("link")).toHaveText([
    "Publisher",
    "Developer portal",
  ]);
  await page.getByRole("button", { name: "Create API" }).click();
  await page.getByRole("menuitem", { name: "Design a New WebSocket API" }).click();
  await expect(page.getByRole("button", { name: "Create", exact: true })).toBeEnabled();
  await expect(page.getByRole("button", { name: "Create & publish" })).toHaveCount(0);

  await page.goto(`/publisher/apis/${api.id}`);
  await expect(page.getByRole("navigation", { name: "Pages of EchoWebSocket" }).getByRole("link")).toHaveText(
    EVERY_PAGE,
  );
  await page.getByRole("link", { name: "Lifecycle" }).click();
  await expect(page.getByRole("img", { name: /present state is Published/ })).toBeVisible();
  await expect(page.getByText("A person with the role publisher can move the API")).toBeVisible();
  await expect(page.getByRole("region", { name: "Possible moves" })).toHaveCount(0);

  await page.goto(`/devportal/apis/${api.id}`);
  await expect(page.getByRole("heading", { name: "EchoWebSocket" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Get a key" })).toHaveCount(0);
  await page.goto("/devportal/applications");
  await expect(page.getByText("It needs the role subscriber or admin.")).toBeVisible();

  const creator = await rest("creator");
  const second = { name: "Second", context: "/second", version: "1.0" };
  await refused(creator, [
    ["POST", `/apis/${api.id}/lifecycle`, { event: "block" }],
    [
      "POST",
      "/apis",
      {
        ...second,
        endpoints: { production: { url: product.addresses.echo } },
        plans: ["Gold"],
        publish: true,
      },
    ],
    ["POST", "/applications", { name: "Mine" }],
    ["GET", "/applications", undefined],
  ]);
  // Nothing of what was refused is there.
  expect((await creator.call("POST", "/apis", second)).status).toBe(201);
});

test("a publisher releases and does not design", async ({ as, product, rest }) => {
  const credential = { kind: "basic", username: "gateway", password: "shown to nobody" };
  const production = { url: product.addresses.echo, credential };
  const api = await publishEcho(await rest("admin"), product, {
    endpoints: { production },
    headers: { set: [{ name: "X-Plan", value: "{plan}" }] },
    mappings: [{ topic: "/a", backend: "/b" }],
  });
  const page = await as("publisher");
  await page.goto("/publisher");
  await expect(page.getByRole("link", { name: "EchoWebSocket 1.0" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Create API" })).toHaveCount(0);
  await page.goto("/publisher/apis/new/websocket");
  await expect(page.getByText("It needs the role creator or admin.")).toBeVisible();

  await page.goto(`/publisher/apis/${api.id}`);
  const pages = page.getByRole("navigation", { name: "Pages of EchoWebSocket" });
  await expect(pages.getByRole("link")).toHaveText(
    EVERY_PAGE.filter((name) => !["Basics", "New version", "Delete"].includes(name)),
  );
  await pages.getByRole("link", { name: "Endpoints" }).click();
  await expect(page.getByLabel("Production endpoint", { exact: true })).toHaveAttribute("readonly", "");
  await expect(page.getByRole("button", { name: "Save" })).toHaveCount(0);
  const drawer = await openSettings(page);
  const keepAlive = await unfold(drawer, "Keep-alive");
  await expect(keepAlive.getByLabel("Ping interval")).toHaveAttribute("readonly", "");
  const balancing = await unfold(drawer, "Addresses and balancing");
  await expect(balancing.getByRole("radio", { name: "Failover" })).toBeDisabled();
  await expect(balancing.getByRole("button", { name: "Add an address" })).toHaveCount(0);
  const trust = await unfold(drawer, "TLS with the backend");
  await expect(trust.getByRole("switch", { name: "Check the backend's certificate" })).toBeDisabled();
  await expect(trust.getByLabel("Own authorities")).toHaveAttribute("readonly", "");
  const shown = await unfold(drawer, "Credential for the backend");
  await expect(shown.getByRole("radio", { name: "OAuth client credentials" })).toBeDisabled();
  await expect(shown.getByLabel("User name", { exact: true })).toHaveValue("gateway");
  await expect(shown.getByLabel("Password", { exact: true })).toHaveAttribute("readonly", "");
  await expect(shown.getByLabel("Password", { exact: true })).toHaveValue("");
  await drawer.getByRole("button", { name: "Done" }).click();
  await pages.getByRole("link", { name: "Headers and topics" }).click();
  await expect(page.getByRole("radio", { name: "Only listed headers" })).toBeDisabled();
  await expect(page.getByLabel("Value of set header 1")).toHaveAttribute("readonly", "");
  await expect(page.getByRole("switch", { name: "Say who the client is" })).toBeDisabled();
  await expect(
    page.getByRole("button", { name: /^(Allow|Deny|Rename|Set|Add|Remove|Move|Save)/ }),
  ).toHaveCount(0);
  await expect(page.getByText("A creator can change these.")).toBeVisible();
  // To try a topic changes nothing.
  await page.getByLabel("Try a topic").fill("/a");
  await expect(page.getByText("Topic mapping 1: the backend is asked for /b")).toBeVisible();
  await pages.getByRole("link", { name: "Protocol" }).click();
  await expect(page.getByLabel("Largest message")).toHaveAttribute("readonly", "");
  await expect(page.getByRole("radio", { name: "Terminate" })).toBeDisabled();
  await expect(page.getByRole("switch", { name: "Check of text" })).toBeDisabled();
  await expect(page.getByRole("switch", { name: "Frame checks" })).toBeDisabled();
  await expect(page.getByText("A creator can change these.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Save" })).toHaveCount(0);
  await page.goto(`/publisher/apis/${api.id}/delete`);
  await expect(page.getByText("It needs the role creator or admin.")).toBeVisible();
  await page.goto(`/publisher/apis/${api.id}/lifecycle`);
  await expect(page.getByRole("region", { name: "Possible moves" }).getByRole("button")).toHaveCount(5);
  await page.goto(`/publisher/apis/${api.id}/plans`);
  await page.getByRole("checkbox", { name: "Bronze", exact: true }).check();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved to the working copy")).toBeVisible();

  await refused(await rest("publisher"), [
    ["POST", "/apis", { name: "Second", context: "/second", version: "1.0" }],
    ["POST", `/apis/${api.id}/versions`, { version: "2.0" }],
    ["DELETE", `/apis/${api.id}`, undefined],
    ["POST", "/endpoints/test", { url: product.addresses.echo }],
    ["POST", "/applications", { name: "Mine" }],
  ]);
});

test("a developer subscribes and sees nothing of the publisher portal", async ({ as, product, rest }) => {
  const api = await publishEcho(await rest("admin"), product);
  const page = await as("developer");
  await page.goto("/");
  await expect(page.getByRole("navigation", { name: "Doors of the product" }).getByRole("link")).toHaveCount(
    1,
  );
  await page.goto("/publisher");
  await expect(page.getByText("It needs the role creator, publisher, observer or admin.")).toBeVisible();
  await page.goto(`/publisher/apis/${api.id}`);
  await expect(page.getByRole("heading", { name: "Your roles do not open this page" })).toBeVisible();
  await page.goto("/admin");
  await expect(page.getByText("It needs the role admin.")).toBeVisible();
  await page.goto(`/devportal/apis/${api.id}`);
  await expect(page.getByRole("link", { name: "Get a key" })).toBeVisible();

  await refused(await rest("developer"), [
    ["GET", "/apis", undefined],
    ["GET", `/apis/${api.id}`, undefined],
    ["GET", `/apis/${api.id}/traffic`, undefined],
    ["POST", "/apis", { name: "Second", context: "/second", version: "1.0" }],
    ["POST", `/apis/${api.id}/lifecycle`, { event: "block" }],
  ]);
});

test("an administrator has every door", async ({ as }) => {
  const page = await as("admin");
  await page.goto("/admin");
  await expect(page.getByRole("navigation", { name: "Doors" }).getByRole("link")).toHaveText([
    "Publisher",
    "Developer portal",
    "Admin",
  ]);
  await expect(page.getByRole("region", { name: "This installation" })).toContainText("Tidegate 0.1.0");
});

test("an administrator is offered their own applications for a key", async ({ as, product, rest }) => {
  const admin = await rest("admin");
  const api = await publishEcho(admin, product);
  const { id } = await subscribed(await rest("developer"), api.id);
  const page = await as("admin");
  const first = page.getByRole("region", { name: "Step 1: Application" });
  await page.goto(`/devportal/apis/${api.id}/keys`);
  await expect(first.getByLabel("Name of the application")).toBeVisible();
  await expect(first.getByRole("button", { name: "Use one that exists" })).toHaveCount(0);
  await admin.must("POST", "/applications", { name: "Own" });
  await page.goto(`/devportal/apis/${api.id}/keys`);
  await expect(first.getByLabel("Your application").getByRole("option")).toHaveText(["Own"]);
  // The way from another person's application leads on with it, and says whose it is.
  await page.goto(`/devportal/apis/${api.id}/keys?application=${id}`);
  await expect(first.getByText("Shop")).toBeVisible();
  await expect(first.getByText("of developer")).toBeVisible();
});

test("nobody looks through the catalogue and is asked who they are for the rest", async ({
  as,
  product,
  rest,
}) => {
  const api = await publishEcho(await rest("admin"), product);
  await publishEcho(await rest("admin"), product, { name: "Hidden", context: "/hidden", publish: false });
  const page = await as(null);
  await page.goto("/devportal");
  await expect(page.getByRole("link", { name: "EchoWebSocket 1.0" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Hidden" })).toHaveCount(0);
  await page.getByRole("link", { name: "EchoWebSocket 1.0" }).click();
  await expect(page.getByText(api.urls.ws, { exact: true })).toBeVisible();
  await page.getByRole("link", { name: "Get a key" }).click();
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  for (const [method, path] of [
    ["GET", "/apis"],
    ["POST", "/apis"],
    ["GET", "/applications"],
    ["POST", `/apis/${api.id}/lifecycle`],
  ] as const) {
    const answer = await page.request.fetch(`/api/v1${path}`, { method, data: {} });
    expect(answer.status(), `${method} ${path}`).toBe(401);
  }
});

async function refused(rest: Rest, calls: [method: string, path: string, data: unknown][]): Promise<void> {
  for (const [method, path, data] of calls) {
    const answer = await rest.call(method, path, data);
    expect(answer.status, `${method} ${path}`).toBe(403);
    expect(answer.body.title).toBe("Your roles do not allow this");
  }
}

test("every person's account says who they are", async ({ as }) => {
  const people: [User, string][] = [
    ["creator", "creator"],
    ["publisher", "publisher"],
    ["developer", "subscriber"],
  ];
  for (const [user, role] of people) {
    const page = await as(user);
    await page.goto("/devportal");
    await page.getByRole("button", { name: `Account of ${user}` }).click();
    await expect(page.getByText(`Roles: ${role}`)).toBeVisible();
  }
});
