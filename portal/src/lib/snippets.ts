// Commands and programs that talk to an API, ready to paste. Without a token they read the variable TOKEN, and
// `placeholder` says so.

export type SnippetTool = "tidegate" | "wscat" | "websocat" | "browser" | "python";

export interface Snippet {
  tool: SnippetTool;
  label: string;
  language: "sh" | "js" | "py";
  text: string;
  /** What must be installed or known first. */
  note: string;
}

/** Quoted for a POSIX shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

export function snippets(url: string, token: string | null): Snippet[] {
  const shell = token ?? "$TOKEN";
  const address = quoted(url);
  const js = token ? JSON.stringify(token) : "TOKEN";
  const py = token ? JSON.stringify(token) : 'os.environ["TOKEN"]';
  return [
    {
      tool: "tidegate",
      label: "tidegate",
      language: "sh",
      text: `tidegate connect --token "${shell}" ${address}`,
      note: "A line you type is a message; Ctrl-D ends it. Nothing else needs to be installed.",
    },
    {
      tool: "wscat",
      label: "wscat",
      language: "sh",
      text: `wscat -c ${address} -H "Authorization: Bearer ${shell}"`,
      note: "Install it with: npm install -g wscat",
    },
    {
      tool: "websocat",
      label: "websocat",
      language: "sh",
      text: `websocat -H="Authorization: Bearer ${shell}" ${address}`,
      note: "Install it with: cargo install websocat",
    },
    {
      tool: "browser",
      label: "Browser",
      language: "js",
      text: [
        ...(token ? [] : ['const TOKEN = "paste an access token here";']),
        `const socket = new WebSocket(${JSON.stringify(url)}, ["bearer", ${js}]);`,
        'socket.onopen = () => socket.send("hello");',
        "socket.onmessage = (event) => console.log(event.data);",
        "socket.onclose = (event) => console.log(event.code, event.reason);",
      ].join("\n"),
      note: "A browser cannot set headers on a WebSocket, so the token travels as a subprotocol.",
    },
    {
      tool: "python",
      label: "Python",
      language: "py",
      text: [
        ...(token ? [] : ["import os"]),
        "from websockets.sync.client import connect",
        "",
        `headers = {"Authorization": "Bearer " + ${py}}`,
        `with connect(${JSON.stringify(url)}, additional_headers=headers) as socket:`,
        '    socket.send("hello")',
        "    print(socket.recv())",
      ].join("\n"),
      note: "Install it with: pip install websockets",
    },
  ];
}

/** How to fill the variable that the snippets read while there is no token yet. */
export const placeholder = "TOKEN stands for your access token. In a shell, set it first: export TOKEN=…";
