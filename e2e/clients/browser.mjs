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
  return async (address) => {
    const page = await fetch(address, { headers: { cookie }, redirect: "manual" });
    const sent = page.status === 200 ? await allow(issuer, cookie, await page.text()) : page;
    const to = sent.headers.get("location");
    if (sent.status !== 303 || !to) throw new Error(`sent nowhere: ${sent.status} ${await sent.text()}`);
    return new URL(to);
  };
}

async function allow(issuer, cookie, page) {
  const field = (name) => text(page.match(new RegExp(`name="${name}" value="([^"]*)"`))?.[1] ?? "");
  const body = new URLSearchParams({ request: field("request"), seal: field("seal"), decision: "allow" });
  return fetch(`${issuer}/oauth2/consent`, { method: "POST", headers: { cookie }, body, redirect: "manual" });
}

const text = (markup) =>
  markup.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&");
