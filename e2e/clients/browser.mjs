// What a person does in a browser, with `fetch` alone: signs in to the portal, visits an address of the authorization
// server, allows what is asked, and tells where they were sent to in the end.

/** Signs in; the answer visits addresses as that person. */
export async function signedIn(issuer, username, password) {
  const answer = await fetch(`${issuer}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username, password }),
  });
  if (!answer.ok) throw new Error(`the sign-in was answered with ${answer.status}`);
  const cookie = answer.headers.get("set-cookie").split(";")[0];
  const visit = async (address) => {
    const page = await fetch(address, { headers: { cookie }, redirect: "manual" });
    const sent = page.status === 200 ? await allow(issuer, cookie, await page.text()) : page;
    const to = sent.headers.get("location");
    if (sent.status !== 303 || !to) throw new Error(`sent nowhere: ${sent.status} ${await sent.text()}`);
    return new URL(to);
  };
  /** Types the code of a device on its page, decides, and tells the page's heading. */
  visit.decide = async (address, user_code, decision) => {
    const post = (form) =>
      fetch(address, { method: "POST", headers: { cookie }, body: new URLSearchParams(form), redirect: "manual" });
    const asked = field(await (await post({ user_code })).text());
    const answered = await post({ user_code: asked("user_code"), seal: asked("seal"), decision });
    return (await answered.text()).match(/<h1>(.*)<\/h1>/)?.[1];
  };
  return visit;
}

async function allow(issuer, cookie, page) {
  const asked = field(page);
  const body = new URLSearchParams({ request: asked("request"), seal: asked("seal"), decision: "allow" });
  return fetch(`${issuer}/oauth2/consent`, { method: "POST", headers: { cookie }, body, redirect: "manual" });
}

/** Reads hidden fields of a page. */
const field = (page) => (name) => text(page.match(new RegExp(`name="${name}" value="([^"]*)"`))?.[1] ?? "");

const text = (markup) =>
  markup.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&");
