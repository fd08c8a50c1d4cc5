"use strict";
// Appends the lines of the newest day as they are logged. Each replaces the line of the same event, if the page has one.
(() => {
  const button = document.getElementById("newest");
  const chat = document.getElementById("chat");
  const address = new URL(button.dataset.live, location.href);
  let source = null;
  let delay = 1000;
  let hasEnded = false;

  const isAtEnd = () => innerHeight + scrollY >= document.documentElement.scrollHeight - 80;
  const toEnd = () => scrollTo({ top: document.documentElement.scrollHeight });

  const show = (html, isNew) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    const line = template.content.firstElementChild;
    const shown = document.getElementById(line.id);
    if (!shown && !isNew) return;
    const wasAtEnd = isAtEnd();
    if (shown) {
      // What the reader has opened stays open.
      const opened = [...shown.querySelectorAll("details")].map(details => details.open);
      line.querySelectorAll("details").forEach((details, i) => { details.open = opened[i] === true; });
      const focused = shown.contains(document.activeElement);
      shown.replaceWith(line);
      if (focused) { line.tabIndex = -1; line.focus({ preventScroll: true }); }
    } else {
      chat.append(line);
    }
    document.dispatchEvent(new CustomEvent("line", { detail: line }));
    if (shown) return;
    if (wasAtEnd) toEnd(); else button.hidden = false;
  };

  const end = () => { hasEnded = true; source.close(); };
  const open = () => {
    source = new EventSource(address);
    const on = (type, action) => source.addEventListener(type, event => {
      if (event.lastEventId) address.searchParams.set("from", event.lastEventId);
      action(event);
    });
    source.onopen = () => { delay = 1000; };
    on("line", event => show(event.data, true));
    on("change", event => show(event.data, false));
    on("day", event => {
      end();
      const notice = document.getElementById("next-day");
      notice.querySelector("a").href = event.data;
      notice.hidden = false;
    });
    on("gone", () => {
      end();
      chat.replaceChildren();
      document.getElementById("gone").hidden = false;
    });
    on("reload", () => { end(); setTimeout(() => location.reload(), Math.random() * 500); });
    source.onerror = () => {
      // The browser connects again by itself unless the answer was no stream, as while a proxy finds no server.
      if (source.readyState !== EventSource.CLOSED || hasEnded) return;
      setTimeout(() => { if (!document.hidden && source.readyState === EventSource.CLOSED && !hasEnded) open(); }, delay);
      delay = Math.min(2 * delay, 60000);
    };
  };

  // A page that is not seen needs no connection.
  document.addEventListener("visibilitychange", () => {
    if (hasEnded) return;
    source?.close();
    if (!document.hidden) open();
  });
  addEventListener("scroll", () => { if (isAtEnd()) button.hidden = true; }, { passive: true });
  button.addEventListener("click", toEnd);
  chat.setAttribute("role", "log");
  if (!document.hidden) open();
})();
