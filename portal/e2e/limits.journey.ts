// Plans and policies: an administrator changes a plan under a live session, makes one, is told what is wrong and what is in
// use, and carries all of them in a file.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, publishEcho, subscribed, test } from "./journey";

/** Opens the page of limits from the first of the admin portal. */
async function limits(admin: Page): Promise<void> {
  await admin.goto("/admin");
  await admin.getByRole("link", { name: "Plans and policies" }).click();
  await expect(admin.getByRole("heading", { level: 1, name: "Plans and policies" })).toBeVisible();
}

test("a plan that is changed holds the live session, and says so to its client", async ({
  as,
  product,
  rest,
}) => {
  const api = await publishEcho(await rest("admin"), product);
  const { id } = await subscribed(await rest("developer"), api.id);
  const developer = await as("developer");
  await developer.goto(`/devportal/apis/${api.id}/console?application=${id}`);
  const session = developer.getByRole("complementary", { name: "Session" });
  await developer.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(session.getByText("Open")).toBeVisible();

  const admin = await as("admin");
  await limits(admin);
  const gold = admin.getByRole("row", { name: /^Gold 5,000 messages per minute/ });
  await gold.getByRole("button", { name: "Change Gold" }).click();
  const changing = admin.getByRole("dialog", { name: "Change Gold" });
  await changing.getByLabel("Description").fill("For a trial.");
  await changing.getByLabel("Amount of limit 1").fill("2");
  await changing.getByLabel("Time of limit 1").selectOption("day");
  await changing.getByRole("button", { name: "Save business plan" }).click();
  await expect(admin.getByRole("row", { name: /^Gold 2 messages per day Close the session/ })).toBeVisible();

  await expect(session.getByText("Open")).toBeVisible();
  const message = developer.getByLabel("Message to send");
  for (const text of ["the last", "one more"]) {
    await message.fill(text);
    await message.press("Control+Enter");
  }
  await expect(session.getByText("4429").first()).toBeVisible();
  await developer.goto(`/devportal/apis/${api.id}`);
  await expect(developer.getByText("2 messages per day")).toBeVisible();
  await expect(developer.getByText("For a trial.")).toBeVisible();
});

test("a plan is made, refused with its reasons, and deleted when nothing uses it", async ({
  as,
  product,
  rest,
}) => {
  await publishEcho(await rest("admin"), product);
  const admin = await as("admin");
  await limits(admin);
  await admin.getByRole("button", { name: "Create business plan" }).click();
  const making = admin.getByRole("dialog", { name: "Create business plan" });
  const create = making.getByRole("button", { name: "Create business plan" });
  await create.click();
  await expect(making.getByText("Enter a name.")).toBeVisible();
  const name = making.getByRole("textbox", { name: "Name" });
  await name.fill("gold");
  await create.click();
  await expect(
    making.getByText("There is a business plan “Gold” already. Change that one.").first(),
  ).toBeVisible();
  await name.fill("Stream");
  await making.getByLabel("Amount of limit 1").fill("600");
  await making.getByLabel("How limit 1 counts").selectOption("sliding");
  await create.click();
  await expect(making.getByText("Say how many may come at once.")).toBeVisible();
  await making.getByLabel("At once under limit 1").fill("20");
  await making.getByRole("button", { name: "Add a limit" }).click();
  await making.getByLabel("What limit 2 counts").selectOption("bytes");
  await making.getByLabel("Amount of limit 2").fill("2048");
  await making.getByLabel("Whose messages limit 2 counts").selectOption("publish");
  await making.getByLabel("Delay the message").check();
  await making.getByLabel("Sessions at once").fill("0");
  await create.click();
  await expect(making.getByText("Choose between 1 and 1000000 sessions.").first()).toBeVisible();
  await making.getByLabel("Sessions at once").fill("3");
  await create.click();
  const row = admin.getByRole("row", {
    name: /^Stream 600 messages per minute, evenly, at most 20 messages at once; 2 KiB published per minute; what is beyond waits; 3 sessions at once Delay/,
  });
  await expect(row).toBeVisible();
  await row.getByRole("button", { name: "Delete Stream" }).click();
  await admin.getByRole("button", { name: "Delete business plan" }).click();
  await expect(row).toHaveCount(0);

  await admin.getByRole("button", { name: "Delete Gold", exact: true }).click();
  await admin.getByRole("button", { name: "Delete business plan" }).click();
  await expect(admin.getByText(/Gold is in use: .*EchoWebSocket 1\.0/)).toBeVisible();
  await expect(admin.getByRole("row", { name: /^Gold 5,000/ })).toBeVisible();
});

test("an API policy holds everybody on an API and on a topic, from the publisher's choice to the client's close", async ({
  as,
  product,
  rest,
}) => {
  const topics = { declared: [{ path: "/news" }, { path: "/*" }] };
  const api = await publishEcho(await rest("admin"), product, { topics });
  const { id } = await subscribed(await rest("developer"), api.id);

  const admin = await as("admin");
  await limits(admin);
  const shipped = admin.getByRole("table", { name: "API policies" });
  await expect(shipped.getByRole("row", { name: /^10KPerMin 10,000 messages per minute/ })).toBeVisible();
  await admin.getByRole("button", { name: "Create API policy" }).click();
  const making = admin.getByRole("dialog", { name: "Create API policy" });
  await making.getByRole("textbox", { name: "Name" }).fill("Tight");
  await making.getByLabel("Amount of limit 1").fill("2");
  await making.getByLabel("Time of limit 1").selectOption("day");
  await making.getByRole("button", { name: "Create API policy" }).click();
  await expect(shipped.getByRole("row", { name: /^Tight 2 messages per day/ })).toBeVisible();

  const publisher = await as("publisher");
  await publisher.goto(`/publisher/apis/${api.id}/plans`);
  await publisher.getByLabel("API policy of the API").selectOption("10KPerMin");
  await publisher.getByLabel("API policy of the topic /*").selectOption("Tight");
  await publisher.getByRole("button", { name: "Save" }).click();
  await expect(publisher.getByText("Saved to the working copy")).toBeVisible();
  await publisher.reload();
  await expect(publisher.getByLabel("API policy of the API")).toHaveValue("10KPerMin");
  await expect(publisher.getByLabel("API policy of the topic /news")).toHaveValue("");
  await expect(publisher.getByLabel("API policy of the topic /*")).toHaveValue("Tight");
  await publisher.getByRole("button", { name: "Deploy" }).first().click();
  await expect(publisher.getByText(/differs from what is live/i)).toHaveCount(0);

  const developer = await as("developer");
  await developer.goto(`/devportal/apis/${api.id}/console?application=${id}`);
  const session = developer.getByRole("complementary", { name: "Session" });
  await developer.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(session.getByText("Open")).toBeVisible();
  const message = developer.getByLabel("Message to send");
  for (const text of ["and its echo", "one more"]) {
    await message.fill(text);
    await message.press("Control+Enter");
  }
  await expect(session.getByText("4429").first()).toBeVisible();

  await admin.getByRole("button", { name: "Delete Tight" }).click();
  await admin.getByRole("button", { name: "Delete API policy" }).click();
  await expect(admin.getByText(/Tight is in use: 1 API held to it \(EchoWebSocket 1\.0\)/)).toBeVisible();
});

test("a group of an API policy holds those in it to limits of their own, and says what is wrong with it", async ({
  as,
  product,
  rest,
}) => {
  const root = await rest("admin");
  const api = await publishEcho(root, product);
  const { id } = await subscribed(await rest("developer"), api.id);
  const admin = await as("admin");
  await limits(admin);
  await admin.getByRole("button", { name: "Create business plan" }).click();
  await expect(admin.getByRole("button", { name: "Add a group" })).toHaveCount(0);
  await admin.keyboard.press("Escape");
  await admin.getByRole("button", { name: "Create API policy" }).click();
  const making = admin.getByRole("dialog", { name: "Create API policy" });
  const create = making.getByRole("button", { name: "Create API policy" });
  await making.getByRole("textbox", { name: "Name", exact: true }).fill("Apart");
  await making.getByRole("button", { name: "Add a group" }).click();
  await create.click();
  await expect(making.getByText("Enter a value.")).toBeVisible();
  await making.getByLabel("Name of group 1").fill("Partners");
  await making.getByLabel("What condition 1 of group 1 looks at").selectOption("header");
  await making.getByLabel("Name in condition 1 of group 1").fill("Cookie");
  await making.getByLabel("Values of condition 1 of group 1").fill("*");
  await making.getByRole("button", { name: "Remove limit 1 of group 1" }).click();
  await expect(making.getByText("Without a limit, everything of this group passes.")).toBeVisible();
  await making.getByRole("button", { name: "Add a group" }).click();
  await making.getByLabel("Name of group 2").fill("Here");
  await making.getByLabel("Values of condition 1 of group 2").fill("127.0.0.0/8\nnowhere");
  await making.getByLabel("Amount of limit 1 of group 2").fill("2");
  await making.getByLabel("Time of limit 1 of group 2").selectOption("day");
  await create.click();
  await expect(making.getByText("Enter an address or a range like").first()).toBeVisible();
  await making.getByLabel("Values of condition 1 of group 2").fill("127.0.0.0/8\n::1");
  await create.click();
  await expect(
    making.getByText("“Cookie” holds a credential, which no policy looks at.").first(),
  ).toBeVisible();
  await making.getByLabel("Name in condition 1 of group 1").fill("X-Partner");
  await making.getByRole("button", { name: "Add a condition of group 1" }).click();
  await making.getByLabel("Values of condition 2 of group 1").fill("192.0.2.0/24");
  await making.getByLabel("How condition 2 of group 1 compares").selectOption("is none of");
  await making.getByRole("button", { name: "Move group 2 up" }).click();
  await expect(making.getByLabel("Name of group 1")).toHaveValue("Here");
  const { violations } = await new AxeBuilder({ page: admin })
    .withTags(["wcag2a", "wcag2aa", "wcag22aa"])
    .analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  await create.click();
  const row = admin.getByRole("row", {
    name: /^Apart 1,000 messages per minute; 2 groups with limits of their own Close/,
  });
  await expect(row).toBeVisible();
  await row.getByRole("button", { name: "Change Apart" }).click();
  const changing = admin.getByRole("dialog", { name: "Change Apart" });
  await expect(changing.getByLabel("Name in condition 1 of group 2")).toHaveValue("X-Partner");
  await expect(changing.getByLabel("How condition 2 of group 2 compares")).toHaveValue("not");
  await expect(changing.getByLabel("Values of condition 1 of group 1")).toHaveValue("127.0.0.0/8\n::1");
  await changing.getByRole("button", { name: "Remove condition 2 of group 2" }).click();
  await changing.getByLabel("Sessions of one user at once").fill("5");
  await changing.getByRole("button", { name: "Save API policy" }).click();
  await expect(admin.getByRole("row", { name: /^Apart .*; 5 sessions of one user at once/ })).toBeVisible();

  const publisher = await as("publisher");
  await publisher.goto(`/publisher/apis/${api.id}/plans`);
  await publisher.getByLabel("API policy of the API").selectOption("Apart");
  await publisher.getByRole("button", { name: "Save" }).click();
  await expect(publisher.getByText("Saved to the working copy")).toBeVisible();
  await publisher.getByRole("button", { name: "Deploy" }).first().click();
  await expect(publisher.getByText(/differs from what is live/i)).toHaveCount(0);

  const developer = await as("developer");
  await developer.goto(`/devportal/apis/${api.id}/console?application=${id}`);
  const session = developer.getByRole("complementary", { name: "Session" });
  await developer.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(session.getByText("Open")).toBeVisible();
  const message = developer.getByLabel("Message to send");
  for (const text of ["and its echo", "one more"]) {
    await message.fill(text);
    await message.press("Control+Enter");
  }
  await expect(session.getByText("4429").first()).toBeVisible();
});

test("a client is told of what is dropped in the notice that its API declares", async ({
  as,
  product,
  rest,
}) => {
  const api = await publishEcho(await rest("admin"), product);
  const { id } = await subscribed(await rest("developer"), api.id);
  const creator = await as("creator");
  await creator.goto(`/publisher/apis/${api.id}/protocol`);
  const notice = creator.getByLabel("Notice of dropped messages");
  await notice.fill("[1]");
  await creator.getByRole("button", { name: "Save" }).click();
  await expect(creator.getByText("Write a JSON object, or nothing.")).toBeVisible();
  await notice.fill('{"of": "$user"}');
  await creator.getByRole("button", { name: "Save" }).click();
  await expect(creator.getByText(/A string that begins with “\$” is one of/).first()).toBeVisible();
  await notice.fill("");
  await creator.getByRole("button", { name: "Begin with an example" }).click();
  await creator.getByRole("button", { name: "Save" }).click();
  await expect(creator.getByText("Saved to the working copy")).toBeVisible();
  await creator.getByRole("button", { name: "Deploy" }).first().click();
  await expect(creator.getByText(/differs from what is live/i)).toHaveCount(0);

  const admin = await as("admin");
  await limits(admin);
  await admin.getByRole("button", { name: "Change Gold" }).click();
  const changing = admin.getByRole("dialog", { name: "Change Gold" });
  await changing.getByLabel("Amount of limit 1").fill("2");
  await changing.getByLabel("Time of limit 1").selectOption("day");
  await changing.getByLabel("Drop it and tell the client").check();
  await changing.getByRole("button", { name: "Save business plan" }).click();
  await expect(
    admin.getByRole("row", { name: /^Gold 2 messages per day; what is beyond is dropped, and told/ }),
  ).toBeVisible();

  const developer = await as("developer");
  await developer.goto(`/devportal/apis/${api.id}/console?application=${id}`);
  const session = developer.getByRole("complementary", { name: "Session" });
  await developer.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(session.getByText("Open")).toBeVisible();
  const message = developer.getByLabel("Message to send");
  for (const text of ["and its echo", "dropped"]) {
    await message.fill(text);
    await message.press("Control+Enter");
  }
  await expect(developer.getByText(/"policy":"Gold","retry_after":\d+,"type":"limit"/).first()).toBeVisible();
  await expect(session.getByText("Open")).toBeVisible();
});

test("all of them go out as a file and come in again, whole or not at all", async ({ as }) => {
  const admin = await as("admin");
  await limits(admin);
  const card = admin.getByRole("region", { name: "All of them as a file" });
  const [file] = await Promise.all([
    admin.waitForEvent("download"),
    card.getByRole("button", { name: "Export" }).click(),
  ]);
  expect(file.suggestedFilename()).toBe("tidegate-policies.json");
  const text = (await (await file.createReadStream()).toArray()).join("");
  const take = async (body: string) => {
    const [chooser] = await Promise.all([
      admin.waitForEvent("filechooser"),
      card.getByRole("button", { name: "Import a file" }).click(),
    ]);
    await chooser.setFiles({
      name: "policies.json",
      mimeType: "application/json",
      buffer: Buffer.from(body),
    });
  };
  await take(text);
  await expect(card.getByText("0 policies created, 0 changed, 16 as before.")).toBeVisible();
  await take("no document");
  await expect(card.getByText(/policies\.json is no JSON document/)).toBeVisible();
  const limit = { amount: 0, per: "day" };
  const plan = { name: "Carried", limits: [] };
  await take(JSON.stringify({ plans: [plan, { name: "Bad", limits: [limit] }] }));
  await expect(card.getByText(/\/plans\/1\/limits\/0\/amount: Choose between 1 and/)).toBeVisible();
  await expect(admin.getByRole("row", { name: /^Carried/ })).toHaveCount(0);
  await take(JSON.stringify({ plans: [plan] }));
  await expect(card.getByText("1 policy created, 0 changed, 0 as before.")).toBeVisible();
  await expect(admin.getByRole("row", { name: /^Carried No limit/ })).toBeVisible();
});
