// Asks for what changed every two seconds; keeps open what the reader opened.
const main = document.querySelector("main");
let version = null;

function keepOpen(render) {
  const open = [...document.querySelectorAll("details[open]")].map((one) => one.id);
  const pane = () => document.querySelector("section > div");
  const top = pane()?.scrollTop;
  const atEnd = !pane() || pane().scrollHeight - pane().clientHeight - top < 40;
  render();
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (pane()) pane().scrollTop = atEnd ? pane().scrollHeight : top;
}

async function refresh() {
  const channel = document.querySelector("section")?.dataset.channel ?? "";
  const headers = version ? { "If-None-Match": version } : {};
  const answer = await fetch(`/main?channel=${channel}`, { headers, cache: "no-store" });
  if (answer.status !== 200) return;
  version = answer.headers.get("ETag");
  const text = await answer.text();
  keepOpen(() => { main.innerHTML = text; });
}

function start() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const pane = document.querySelector("section > div");
  target?.closest("details")?.setAttribute("open", "");
  if (target) target.scrollIntoView();
  else if (pane) pane.scrollTop = pane.scrollHeight;
}

start();
addEventListener("hashchange", start);
setInterval(() => refresh().catch(() => {}), 2000);
