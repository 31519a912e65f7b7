// Self sign-up: closed, opened by an administrator, asked for, seen while waiting, approved and refused.
import { expect, test } from "./journey";

const PASSWORD = "seven grey boats adrift";

test("somebody signs up, waits, is approved, and gets in with the role they were given", async ({ as }) => {
  const eve = await as(null);
  await eve.goto("/sign-in");
  await expect(eve.getByRole("button", { name: "Sign in" })).toBeVisible();
  await expect(eve.getByRole("link", { name: "Sign up" })).toHaveCount(0);
  expect((await eve.goto("/sign-up"))?.status()).toBe(200);
  await expect(eve.getByText("Nobody signs up here.", { exact: false })).toBeVisible();

  const admin = await as("admin");
  await admin.goto("/admin/users");
  await admin.getByRole("switch", { name: "People may sign up by themselves" }).click();
  await expect(admin.getByRole("switch", { name: "People may sign up by themselves" })).toBeChecked();

  await eve.goto("/sign-in");
  await eve.getByRole("link", { name: "Sign up" }).click();
  await eve.getByLabel("User name").fill("eve");
  await eve.getByLabel("Password", { exact: true }).fill("password12345");
  await eve.getByLabel("Password, again", { exact: true }).fill("password12345");
  await eve.getByRole("button", { name: "Sign up" }).click();
  await expect(eve.getByText("among the first that are guessed", { exact: false })).toBeVisible();
  await eve.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await eve.getByLabel("Password, again", { exact: true }).fill(PASSWORD);
  await eve.getByRole("button", { name: "Sign up" }).click();
  await expect(eve.getByText("An administrator has to approve it")).toBeVisible();
  await eve.getByRole("link", { name: "Sign in" }).last().click();
  const signIn = async () => {
    await eve.getByLabel("User name").fill("eve");
    await eve.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await eve.getByRole("button", { name: "Sign in" }).click();
  };
  await signIn();
  await expect(eve.getByText("Your account waits for an administrator")).toBeVisible();

  await admin.reload();
  const waiting = admin.getByRole("table", { name: "Waiting for approval" });
  await expect(waiting.getByRole("row", { name: /eve/ })).toBeVisible();
  await admin.getByRole("button", { name: "Approve eve" }).click();
  const dialog = admin.getByRole("dialog", { name: "Approve eve" });
  await expect(dialog.getByRole("checkbox", { name: "Subscriber" })).toBeChecked();
  await dialog.getByRole("checkbox", { name: "Creator" }).check();
  await dialog.getByRole("button", { name: "Approve" }).click();
  await expect(waiting).toHaveCount(0);

  await eve.goto("/sign-in?to=/publisher");
  await signIn();
  await expect(eve.getByRole("heading", { name: "APIs" })).toBeVisible();
});

test("a name that somebody has is answered as any other, and who is refused is nobody", async ({
  as,
  rest,
}) => {
  const boss = await rest("admin");
  const { etag } = await boss.call("GET", "/sign-up");
  await boss.call("PUT", "/sign-up", { open: true }, etag);
  const stranger = await as(null);
  for (const name of ["developer", "mallory"]) {
    await stranger.goto("/sign-up");
    await stranger.getByLabel("User name").fill(name);
    await stranger.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await stranger.getByLabel("Password, again", { exact: true }).fill(PASSWORD);
    await stranger.getByRole("button", { name: "Sign up" }).click();
    await expect(stranger.getByText("An administrator has to approve it")).toBeVisible();
  }
  const admin = await as("admin");
  await admin.goto("/admin/users");
  const waiting = admin.getByRole("table", { name: "Waiting for approval" });
  await expect(waiting.getByRole("row")).toHaveCount(2);
  await admin.getByRole("button", { name: "Refuse mallory" }).click();
  await admin.getByRole("dialog").getByRole("button", { name: "Refuse" }).click();
  await expect(waiting).toHaveCount(0);
  await stranger.goto("/sign-in");
  await stranger.getByLabel("User name").fill("mallory");
  await stranger.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await stranger.getByRole("button", { name: "Sign in" }).click();
  await expect(stranger.getByText("The user name or the password is wrong.")).toBeVisible();
});
