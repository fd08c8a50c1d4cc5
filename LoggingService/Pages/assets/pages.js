"use strict";
(() => {
  const each = (selector, action, root = document) => root.querySelectorAll(selector).forEach(action);
  const two = number => String(number).padStart(2, "0");

  const dateOf = at => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;

  // Times in the reader's zone; the days are the server's.
  const localize = root => {
    each("time[datetime]", time => {
      const at = new Date(time.dateTime);
      if (isNaN(at)) return;
      const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
      time.textContent = time.dataset.date === undefined ? clock : `${dateOf(at)} ${clock}`;
      time.title = at.toLocaleString();
    }, root);
    each("button.copy", button => { button.hidden = false; }, root);
  };
  localize(document);

  // A day is the server's: where the reader's date changes, a line says so.
  const chat = document.getElementById("chat");
  const timesOf = line => [...line.querySelectorAll("time[datetime]")].map(time => new Date(time.dateTime)).filter(at => !isNaN(at));
  const separate = line => {
    const before = line.previousElementSibling;
    const [at] = timesOf(line);
    if (!at || before?.matches(".date-line")) return;
    const shown = before ? timesOf(before).at(before.matches(".fold") ? -1 : 0) : null;
    if (before && !shown || dateOf(at) === (shown ? dateOf(shown) : chat.dataset.day)) return;
    const mark = document.createElement("p");
    const hint = document.createElement("span");
    mark.className = "date-line";
    hint.className = "unseen";
    hint.textContent = `${document.body.dataset.newDate} `;
    mark.append(hint, at.toLocaleDateString(document.body.dataset.locale, { dateStyle: "full" }));
    line.before(mark);
  };
  each("#chat > *, #chat > .fold > .sentence", separate);
  document.addEventListener("line", event => {
    localize(event.detail);
    separate(event.detail);
  });
  const zone = document.getElementById("zone");
  if (zone) zone.textContent = document.body.dataset.zoneNote;

  // A line as plain text. What a spoiler hides stays hidden.
  const left = ".head, .reply, .versions, .reactions, .thread, .actions, .time, summary, input";
  const blocks = "p, div, li, blockquote, pre, tr";
  const textOf = node => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    if (node.nodeType !== Node.ELEMENT_NODE || node.matches(left)) return "";
    if (node.matches("br")) return "\n";
    if (node.matches(".spoiler")) return `(${node.querySelector(".reason").textContent.trim()})`;
    const text = [...node.childNodes].map(textOf).join("");
    return node.matches(blocks) ? `\n${text}\n` : text;
  };
  const lineOf = line => {
    const text = textOf(line).replace(/\n\s*\n/g, "\n").trim();
    const time = line.querySelector("time").textContent;
    const sender = line.matches(".message") && line.querySelector(".sender bdi").textContent;
    return `[${time}] ${!sender ? "" : line.matches(".emote") ? `* ${sender} ` : `${sender}: `}${text}`;
  };

  // Over plain http, browsers have no clipboard for scripts.
  const copy = async text => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch { }
    const focused = document.activeElement;
    const field = document.createElement("textarea");
    field.className = "unseen";
    field.value = text;
    document.body.append(field);
    field.select();
    const isCopied = document.execCommand("copy");
    field.remove();
    focused?.focus({ preventScroll: true });
    return isCopied;
  };

  document.addEventListener("click", async event => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    const { link, label = button.textContent } = button.dataset;
    button.dataset.label = label;
    const isCopied = await copy(link ? new URL(link, location.href).href : lineOf(button.closest(".message, .sentence")));
    button.textContent = isCopied ? document.body.dataset.copied : document.body.dataset.copyFailed;
    setTimeout(() => { button.textContent = label; }, 1500);
  });

  // Without a pointer that can hover, a tap on a line shows what can be done with it.
  document.addEventListener("click", event => {
    const message = event.target.closest(".message, .sentence");
    if (!message || event.target.closest("a, button, summary, label, input") || !matchMedia("(hover: none)").matches) return;
    message.tabIndex = -1;
    message.focus({ preventScroll: true });
  });

  const filter = document.getElementById("filter");
  if (filter) {
    filter.closest("p").hidden = false;
    filter.addEventListener("input", () => {
      const wanted = filter.value.toLocaleLowerCase();
      each(".rooms > li", row => { row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted); });
    });
  }

  // Single keys can be switched off: they may collide with those of assistive technology.
  const box = document.getElementById("shortcuts");
  box.closest("p").hidden = false;
  try { box.checked = localStorage.getItem("shortcuts") !== "off"; } catch { }
  box.addEventListener("change", () => { try { localStorage.setItem("shortcuts", box.checked ? "on" : "off"); } catch { } });
  document.addEventListener("keydown", event => {
    if (!box.checked || event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input:not([type=checkbox]), textarea, select")) return;
    const keyed = `a[data-key="${CSS.escape(event.key)}"]`;
    const link = document.querySelector(`.pages ${keyed}`) ?? document.querySelector(keyed);
    if (link) { event.preventDefault(); link.click(); return; }
    if (event.key !== "j" && event.key !== "k") return;
    const lines = [...document.querySelectorAll("#chat > .message, #chat > .sentence, #chat > details")];
    // From the line that an address leads to, or the end of the page, as long as no line has the focus.
    const target = document.querySelector(":target");
    const focused = lines.indexOf(document.activeElement.closest("#chat > *"));
    const at = focused >= 0 ? focused : target?.id === "end" ? lines.length : lines.indexOf(target?.closest("#chat > *"));
    const line = lines[event.key === "j" ? at + 1 : Math.max(0, at - 1)];
    if (line) { line.tabIndex = -1; line.focus(); }
  });
})();
