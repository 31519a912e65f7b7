// What a journey is made of: a product of its own, pages opened as somebody, and REST beside them. A script that
// fails in a page, or something that the page's policy refuses, fails the journey.
import {
  type APIRequestContext,
  type BrowserContextOptions,
  test as base,
  expect,
  type Locator,
  type Page,
} from "@playwright/test";
import { Product } from "./product";

export type User = "admin" | "creator" | "publisher" | "developer";

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the answers of every call, read by the journey that made it
  body: any;
  etag: string;
}

/** REST as a script of one person would use it: the session's cookie and its CSRF token. */
export class Rest {
  constructor(
    private readonly requests: APIRequestContext,
    private readonly csrf: string,
  ) {}

  static async signIn(requests: APIRequestContext, product: Product, user: User): Promise<Rest> {
    const data = { username: user, password: product.password(user) };
    const answer = await requests.post("/api/v1/session", { data });
    expect(answer.status(), await answer.text()).toBe(200);
    return new Rest(requests, (await answer.json()).csrf_token);
  }

  async call(method: string, path: string, data?: unknown, etag?: string): Promise<Answer> {
    const headers = { "X-CSRF-Token": this.csrf, ...(etag && { "If-Match": etag }) };
    const answer = await this.requests.fetch(`/api/v1${path}`, {
      method,
      headers,
      ...(data ? { data } : {}),
    });
    const text = await answer.text();
    return {
      status: answer.status(),
      body: text === "" ? null : JSON.parse(text),
      etag: answer.headers().etag ?? "",
    };
  }

  /** The same, where nothing else than success will do. */
  // biome-ignore lint/suspicious/noExplicitAny: see `Answer`
  async must(method: string, path: string, data?: unknown): Promise<any> {
    const answer = await this.call(method, path, data);
    expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
    return answer.body;
  }
}

interface Journey {
  product: Product;
  /** A page of somebody's browser, signed in, or of nobody's. */
  as: (user: User | null, options?: BrowserContextOptions) => Promise<Page>;
  rest: (user: User) => Promise<Rest>;
}

export const test = base.extend<Journey>({
  // biome-ignore lint/correctness/noEmptyPattern: the runner reads which fixtures are wanted from this pattern
  product: async ({}, use) => {
    const product = await Product.start();
    await use(product);
    await product.stop();
  },
  as: async ({ browser, product }, use) => {
    const broken: string[] = [];
    await use(async (user, options) => {
      const context = await browser.newContext({ baseURL: product.addresses.portal, ...options });
      if (user) await Rest.signIn(context.request, product, user);
      const page = await context.newPage();
      page.on("pageerror", (error) => broken.push(error.message));
      page.on("console", (message) => {
        if (message.text().includes("Content Security Policy")) broken.push(message.text());
      });
      return page;
    });
    await Promise.all(browser.contexts().map((context) => context.close()));
    expect(broken).toEqual([]);
  },
  rest: async ({ playwright, product }, use) => {
    const made: APIRequestContext[] = [];
    await use(async (user) => {
      const requests = await playwright.request.newContext({
        baseURL: product.addresses.portal,
        ignoreHTTPSErrors: true,
      });
      made.push(requests);
      return Rest.signIn(requests, product, user);
    });
    await Promise.all(made.map((requests) => requests.dispose()));
  },
});

export { expect };

/** An API on the echo backend, published under Gold and Silver. */
// biome-ignore lint/suspicious/noExplicitAny: see `Answer`
export function publishEcho(rest: Rest, product: Product, over: Record<string, unknown> = {}): Promise<any> {
  return rest.must("POST", "/apis", {
    name: "EchoWebSocket",
    context: "/echowebsocket",
    version: "1.0",
    endpoints: { production: { url: product.addresses.echo } },
    plans: ["Gold", "Silver"],
    publish: true,
    ...over,
  });
}

/** An application that is subscribed and holds a production key. */
export async function subscribed(
  rest: Rest,
  api: string,
  plan = "Gold",
): Promise<{ id: string; client: string }> {
  const application = await rest.must("POST", "/applications", { name: "Shop" });
  await rest.must("POST", "/subscriptions", { application_id: application.id, api_id: api, plan });
  const key = await rest.must("POST", `/applications/${application.id}/keys`, {
    type: "production",
    grants: ["client_credentials"],
  });
  return { id: application.id, client: key.client_id };
}

/** The number beneath a name. */
export const figure = (inside: Locator, name: string): Locator =>
  inside.getByText(name, { exact: true }).locator("xpath=following-sibling::dd[1]");

/** The banner has these rows, word for word; after Deploy it is gone. */
export async function deploysWith(page: Page, rows: string[]): Promise<void> {
  const differs = page.getByRole("group", { name: "What differs" });
  for (const row of rows) {
    await expect(differs.getByRole("row", { name: row, exact: true })).toBeVisible();
  }
  await page.getByRole("button", { name: "Deploy", exact: true }).click();
  await expect(differs).toHaveCount(0);
}

/** The drawer behind the cogwheel of the production endpoint. */
export async function openSettings(page: Page): Promise<Locator> {
  const name = "Settings of the production endpoint";
  await page.getByRole("button", { name }).click();
  return page.getByRole("dialog", { name });
}

/** A group of the drawer with its fields to be seen. */
export async function unfold(drawer: Locator, name: string): Promise<Locator> {
  const group = drawer.getByRole("group", { name, exact: true });
  const sign = group.getByRole("button", { name, exact: true });
  if ((await sign.getAttribute("aria-expanded")) === "false") await sign.click();
  return group;
}
