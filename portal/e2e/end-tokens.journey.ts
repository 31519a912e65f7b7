// A token has got into wrong hands: its owner ends all tokens of the key, and goes on with a new one.
import { expect, publishEcho, subscribed, test } from "./journey";

test("all tokens of a key end with their sessions, and the key gets new ones", async ({
  as,
  product,
  rest,
}) => {
  const api = await publishEcho(await rest("admin"), product);
  const { id } = await subscribed(await rest("developer"), api.id);
  const console = await as("developer");
  await console.goto(`/devportal/apis/${api.id}/console?application=${id}`);
  await console.getByRole("button", { name: "Connect", exact: true }).click();
  const session = console.getByRole("complementary", { name: "Session" });
  await expect(session.getByText("Open")).toBeVisible();

  const keys = await as("developer");
  await keys.goto(`/devportal/applications/${id}/keys`);
  await keys.getByRole("button", { name: "Generate access token" }).click();
  await expect(keys.getByText(/This access token works for/)).toBeVisible();
  await keys.getByRole("button", { name: "End all tokens" }).click();
  const dialog = keys.getByRole("dialog");
  await expect(dialog.getByText(/live sessions .* close within a second/)).toBeVisible();
  await dialog.getByRole("button", { name: "End tokens" }).click();
  await expect(dialog).toHaveCount(0);
  // The one that was shown is worth nothing any more.
  await expect(keys.getByText(/This access token works for/)).toHaveCount(0);
  await expect(session.getByText("3000").first()).toBeVisible();
  await keys.getByRole("button", { name: "Generate access token" }).click();
  await expect(keys.getByText(/This access token works for/)).toBeVisible();
});
