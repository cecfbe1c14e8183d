// Updates the page: requests it periodically and replaces its content.
const INTERVAL_MS = 2000;

async function refresh() {
  if (document.hidden || String(getSelection())) return;
  try {
    const response = await fetch(location.pathname, { cache: "no-store" });
    if (!response.ok) throw new Error(`status ${response.status}`);
    replaceContent(await response.text());
  } catch (error) {
    const state = document.getElementById("state");
    state.textContent = `no response since ${new Date().toLocaleTimeString()} (${error.message})`;
    state.className = "stale";
  }
}

function replaceContent(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("main");
  const current = document.querySelector("main");
  for (const details of current.querySelectorAll("details[open]")) {
    fresh.querySelector(`#${CSS.escape(details.id)}`)?.setAttribute("open", "");
  }
  const scrolled = [...current.querySelectorAll(".scroll")].map((element) => element.scrollLeft);
  current.replaceWith(fresh);
  [...fresh.querySelectorAll(".scroll")].forEach((element, index) => (element.scrollLeft = scrolled[index] ?? 0));
}

async function follow() {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    await refresh();
  }
}

follow();
