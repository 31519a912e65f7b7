// Protocol: what is set, saved, told in words and deployed is what a client then meets.
import type { Page } from "@playwright/test";
import { deploysWith, expect, publishEcho, subscribed, test } from "./journey";

const fields = (page: Page) => ({
  off: page.getByRole("radio", { name: "Off" }),
  terminate: page.getByRole("radio", { name: "Terminate" }),
  frames: page.getByRole("switch", { name: "Frame checks" }),
  text: page.getByRole("switch", { name: "Check of text" }),
  message: page.getByLabel("Largest message"),
  frame: page.getByLabel("Largest frame"),
  save: page.getByRole("button", { name: "Save" }),
});

test("a smaller message limit goes live, and a client that crosses it is told", async ({
  as,
  product,
  rest,
}) => {
  const admin = await rest("admin");
  const api = await publishEcho(admin, product);
  const { id } = await subscribed(await rest("developer"), api.id);
  const page = await as("creator");
  await page.goto(`/publisher/apis/${api.id}`);
  await page.getByRole("link", { name: "Protocol" }).click();
  const { off, terminate, frames, text, message, frame, save } = fields(page);
  await expect(off).toBeChecked();
  await expect(text).toBeChecked();
  await expect(message).toHaveValue("16,777,216");
  await expect(message).toHaveAccessibleDescription(/code 1009.*Default 16,777,216 \(16 MiB\), from 125 to/);
  await expect(terminate).toHaveAccessibleDescription(/checked and measured as it is/);
  await terminate.check();
  await expect(frames).toBeChecked();
  await expect(frames).toHaveAccessibleDescription(
    /code 1002.*Off: such frames pass as they are.*Default on\./,
  );
  await frames.uncheck();
  await expect(page.getByText("all frames are checked all the same")).toBeVisible();
  await text.uncheck();
  await message.fill("1");
  await expect(message).toHaveAccessibleDescription(/Choose between 125 and 1,073,741,824 bytes\./);
  await message.fill("1024");
  await frame.fill("2048");
  await save.click();
  await expect(page.getByText("Saved to the working copy")).toBeVisible();

  await deploysWith(page, [
    "Protocol: compression Off Terminate",
    "Protocol: frame checks on off",
    "Protocol: check of text on off",
    "Protocol: largest message 16 MiB 1 KiB",
    "Protocol: largest frame 16 MiB 2 KiB",
  ]);

  const developer = await as("developer");
  await developer.goto(`/devportal/apis/${api.id}/console?application=${id}`);
  const session = developer.getByRole("complementary", { name: "Session" });
  const composer = developer.getByLabel("Message to send");
  await developer.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(session.getByText("Open")).toBeVisible();
  await composer.fill("x".repeat(1_024));
  await composer.press("Control+Enter");
  await expect(developer.getByRole("button", { name: /^Received/ })).toHaveCount(1);
  await composer.fill("x".repeat(1_025));
  await composer.press("Control+Enter");
  await expect(session.getByText("1009 Message too big")).toBeVisible();
  await expect(session.getByText("A message or a frame was larger than the API allows.")).toBeVisible();
});

test("someone else's protocol in between is shown beside one's own", async ({ as, product, rest }) => {
  const admin = await rest("admin");
  const api = await publishEcho(admin, product);
  const page = await as("admin");
  await page.goto(`/publisher/apis/${api.id}/protocol`);
  const { terminate, message, save } = fields(page);
  await terminate.check();
  const { body, etag } = await admin.call("GET", `/apis/${api.id}`);
  const { description, endpoints, plans } = body;
  const protocol = { ...body.protocol, message_bytes_max: 65_536 };
  const changed = { description, endpoints, plans, protocol };
  expect((await admin.call("PUT", `/apis/${api.id}`, changed, etag)).status).toBe(200);
  await save.click();
  await expect(page.getByText("Someone else changed this while you were editing")).toBeVisible();
  const both = page.getByRole("status").filter({ hasText: "Someone else changed this" });
  await expect(both.getByRole("row", { name: "Protocol: compression Terminate Off" })).toBeVisible();
  await expect(both.getByRole("row", { name: "Protocol: largest message 16 MiB 64 KiB" })).toBeVisible();
  await page.getByRole("button", { name: "Take theirs" }).click();
  await expect(message).toHaveValue("65,536");
  await expect(fields(page).off).toBeChecked();
});
