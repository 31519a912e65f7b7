// Tickets: a page of another origin buys one with its access token and opens a socket with it, if the API lets the page.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "@playwright/test";
import { expect, publishEcho, subscribed, test } from "./journey";

/** A site that is not the portal's, with nothing on its pages. */
async function site(): Promise<{ origin: string; stop: () => void }> {
  const server = createServer((_, response) => {
    response.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html><title>Shop</title>");
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, stop: () => server.close() };
}

/** What the page's own script does: buys a ticket, and says hello with it twice. Answers what happened. */
function buyAndUse(page: Page, ws: string, token: string, place: "query" | "subprotocol") {
  return page.evaluate(
    async ({ ws, token, place }) => {
      const address = new URL(ws);
      const counter = `http://${address.host}/.tidegate/tickets${address.pathname}`;
      const headers = { Authorization: `Bearer ${token}` };
      const answer = await fetch(counter, { method: "POST", headers }).catch(() => null);
      if (!answer) return { bought: "the page may not ask" };
      if (!answer.ok) return { bought: (await answer.json()).type.split("/").pop() };
      const { ticket } = await answer.json();
      const hello = () =>
        new Promise<string>((done) => {
          const socket =
            place === "query"
              ? new WebSocket(`${ws}?ticket=${ticket}`)
              : new WebSocket(ws, ["ticket", ticket]);
          socket.onopen = () => socket.send("hello");
          socket.onmessage = ({ data }) => {
            socket.close();
            done(`${data} by ${socket.protocol || "none"}`);
          };
          socket.onclose = ({ code }) => done(`closed ${code}`);
        });
      return { bought: "a ticket", first: await hello(), second: await hello() };
    },
    { ws, token, place },
  );
}

test("a page of a named origin opens one socket with a ticket, and no other page can buy one", async ({
  as,
  product,
  rest,
}) => {
  const [shop, evil] = [await site(), await site()];
  const admin = await rest("admin");
  const security = { origins: [shop.origin] };
  const api = await publishEcho(admin, product, { security });
  const developer = await rest("developer");
  const { id, client } = await subscribed(developer, api.id);
  const token = (await developer.must("POST", `/applications/${id}/keys/${client}/token`)).access_token;
  const ws = api.urls.ws;

  const page = await as(null);
  await page.goto(shop.origin);
  for (const place of ["query", "subprotocol"] as const) {
    const protocol = place === "query" ? "none" : "ticket";
    expect(await buyAndUse(page, ws, token, place)).toEqual({
      bought: "a ticket",
      first: `hello by ${protocol}`,
      // A browser tells a page no more of a refused handshake.
      second: "closed 1006",
    });
  }
  // What a page that may ask is refused for it can read.
  expect(await buyAndUse(page, ws, "nonsense", "query")).toEqual({ bought: "credential-invalid" });
  await page.goto(evil.origin);
  expect(await buyAndUse(page, ws, token, "query")).toEqual({ bought: "the page may not ask" });
  shop.stop();
  evil.stop();
});
