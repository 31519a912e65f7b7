// What becomes of what is too much, as a developer sees it in the console: the session is closed, or the message waits, is
// dropped, is dropped and told, or passes; and the application's overview has the count of each.
import type { Page } from "@playwright/test";
import { expect, figure, publishEcho, type Rest, test } from "./journey";

const NOTICE = { type: "limit", policy: "$policy", retry_after: "$retry_after" };

/** A plan of three messages a day from clients, by what becomes of the fourth; or of three at once, and then one a second. */
const plan = (on_excess: string) => ({
  name: on_excess,
  on_excess,
  limits: [
    on_excess === "delay"
      ? { amount: 1, per: "second", counting: "sliding", burst: 3, direction: "publish" }
      : { amount: 3, per: "day", direction: "publish" },
  ],
});

/** Sends four messages under the plan of this name; answers the application's id. */
async function sendFour(page: Page, developer: Rest, api: string, name: string): Promise<string> {
  const { id } = await developer.must("POST", "/applications", { name });
  await developer.must("POST", "/subscriptions", { application_id: id, api_id: api, plan: name });
  const key = { type: "production", grants: ["client_credentials"] };
  await developer.must("POST", `/applications/${id}/keys`, key);
  await page.goto(`/devportal/apis/${api}/console?application=${id}`);
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  const message = page.getByLabel("Message to send");
  await expect(page.getByRole("complementary", { name: "Session" }).getByText("Open")).toBeVisible();
  for (const text of ["one", "two", "three", "four"]) {
    await message.fill(text);
    await message.press("Control+Enter");
  }
  return id;
}

test("what is too much is closed, delayed, dropped, told or counted, as the plan says", async ({
  as,
  product,
  rest,
}) => {
  const admin = await rest("admin");
  const plans = ["close", "delay", "drop", "notify", "count"];
  for (const name of plans) await admin.must("POST", "/plans", plan(name));
  const { id: api } = await publishEcho(admin, product, { plans, notice: NOTICE });
  const developer = await rest("developer");
  const page = await as("developer");
  const session = page.getByRole("complementary", { name: "Session" });
  const timeline = page.getByRole("group", { name: "Timeline" });
  const received = figure(session, "Received");
  /** The application's overview counts one of these. */
  const counts = async (application: string, name: string) => {
    await page.goto(`/devportal/applications/${application}`);
    await expect(figure(page.getByRole("main"), name)).toContainText("1");
  };

  const closed = await sendFour(page, developer, api, "close");
  await expect(session.getByText("4429").first()).toBeVisible();
  await expect(session.getByText(/close/).first()).toBeVisible();
  await expect(received).toHaveText("3 (11 B)");
  await counts(closed, "Refusals");

  const delayed = await sendFour(page, developer, api, "delay");
  await expect(received).toHaveText("4 (15 B)");
  await expect(session.getByText("Open")).toBeVisible();
  await counts(delayed, "Delayed by limits");

  const dropped = await sendFour(page, developer, api, "drop");
  await expect(received).toHaveText("3 (11 B)");
  await expect(session.getByText("Open")).toBeVisible();
  await counts(dropped, "Dropped by limits");

  const told = await sendFour(page, developer, api, "notify");
  await expect(timeline.getByRole("button", { name: /^Received.*"policy":"notify"/ })).toBeVisible();
  await expect(session.getByText("Open")).toBeVisible();
  await counts(told, "Notices of dropped messages");

  const counted = await sendFour(page, developer, api, "count");
  await expect(received).toHaveText("4 (15 B)");
  await counts(counted, "Beyond limits that only count");
});
