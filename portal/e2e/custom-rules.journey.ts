// Custom rules: an administrator tries an expression, limits each topic by it, and a program that is connected is held to it.
import { expect, publishEcho, subscribed, test } from "./journey";

test("an expression is tried, limits a live session, and is switched off", async ({ as, product, rest }) => {
  const api = await publishEcho(await rest("admin"), product);
  const { id } = await subscribed(await rest("developer"), api.id);
  const developer = await as("developer");
  await developer.goto(`/devportal/apis/${api.id}/console?application=${id}`);
  const connect = developer.getByRole("button", { name: "Connect", exact: true });
  const session = developer.getByRole("complementary", { name: "Session" });
  await connect.click();
  await expect(session.getByText("Open")).toBeVisible();

  const admin = await as("admin");
  await admin.goto("/admin");
  await admin.getByRole("link", { name: "Custom rules" }).click();
  await expect(admin.getByText("No custom rules")).toBeVisible();
  await admin.getByRole("button", { name: "Create custom rule" }).click();
  const making = admin.getByRole("dialog", { name: "Create custom rule" });
  await making.getByRole("textbox", { name: "Name" }).fill("PerProgram");
  const expression = making.getByRole("textbox", { name: "Expression" });
  const run = making.getByRole("button", { name: "Try expression" });
  await expression.fill("claims.owner");
  await run.click();
  await expect(making.getByText("It fails: there is no “owner”.")).toBeVisible();
  await expression.fill("application.nme");
  await run.click();
  await expect(
    making.getByText("Line 1, column 12: “application” has no “nme”. It has: id, name.").first(),
  ).toBeVisible();
  await making.getByText("Examples").click();
  await making.getByRole("button", { name: "Use size > 65536 ? user : null" }).click();
  await run.click();
  await expect(making.getByText("Key: ada")).toBeVisible();
  await expect(making.getByText("Asked: for each message.")).toBeVisible();
  await making.getByLabel("Size (bytes)").fill("5");
  await run.click();
  await expect(making.getByText("The rule does not apply", { exact: true })).toBeVisible();
  await expression.fill("application.name");
  await run.click();
  await expect(making.getByText("Key: Shop")).toBeVisible();
  await making.getByLabel("Amount of limit 1").fill("2");
  await making.getByLabel("Time of limit 1").selectOption("day");
  await making.getByRole("button", { name: "Create custom rule" }).click();
  const row = admin.getByRole("row", {
    name: "PerProgram application.name 2 messages per day Once for each session",
  });
  await expect(row).toBeVisible();

  // The session that was open before is held to it.
  const message = developer.getByLabel("Message to send");
  const send = async () => {
    await message.fill("hello");
    await message.press("Control+Enter");
  };
  await send();
  await send();
  await expect(session.getByText("4429").first()).toBeVisible();
  await expect(session.getByText(/Custom rule: PerProgram\./)).toBeVisible();

  const enabled = admin.getByRole("switch", { name: "Enabled: PerProgram" });
  await enabled.press("Space");
  await expect(enabled).not.toBeChecked();
  await connect.click();
  await expect(session.getByText("Open")).toBeVisible();

  await row.getByRole("button", { name: "Change PerProgram" }).click();
  const changing = admin.getByRole("dialog", { name: "Change PerProgram" });
  await changing.getByRole("textbox", { name: "Expression" }).fill("user == 'ada'");
  await changing.getByRole("button", { name: "Save custom rule" }).click();
  await expect(changing.getByText(/An expression yields a key/).first()).toBeVisible();
  await changing.getByRole("textbox", { name: "Expression" }).fill("user == 'ada' ? user : null");
  await changing.getByRole("button", { name: "Save custom rule" }).click();
  const changed = admin.getByRole("row", { name: /PerProgram user == 'ada' \? user : null/ });
  await expect(changed).toBeVisible();
  await changed.getByRole("button", { name: "Delete PerProgram" }).click();
  await admin.getByRole("button", { name: "Delete rule" }).click();
  await expect(admin.getByText("No custom rules")).toBeVisible();
});
