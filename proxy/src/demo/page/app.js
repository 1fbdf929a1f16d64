// The demo page: a chat, a ticker and an echo box, each on a WebSocket of its own.
"use strict";

const $ = (id) => document.getElementById(id);

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function vector(tag, attributes, parent) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (parent) parent.append(made);
  return made;
}

const clock = () => new Date().toTimeString().slice(0, 8);
const count = (n) => n.toLocaleString("en");
const hex = (octets) => Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join(" ");

// Adds a line to a log, keeps the log short, and follows its end unless the reader has scrolled up.
function append(list, line, most) {
  const follows = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.append(line);
  while (list.childElementCount > most) list.firstElementChild.remove();
  if (follows) list.scrollTop = list.scrollHeight;
}

// RFC 6455 section 7.4.1 and the IANA registry.
const CLOSE_CODES = {
  1000: "normal closure", 1001: "going away", 1002: "protocol error", 1003: "unsupported data",
  1005: "no status received", 1006: "abnormal closure", 1007: "invalid payload data", 1008: "policy violation",
  1009: "message too big", 1010: "mandatory extension", 1011: "internal error", 1012: "service restart",
  1013: "try again later", 1014: "bad gateway", 1015: "TLS handshake",
};

function closeText(event) {
  return [event.code, CLOSE_CODES[event.code], event.reason].filter(Boolean).join(" · ");
}

// One WebSocket that says how it is, and comes back when it was lost.
class Connection {
  constructor({ name, path, protocol, dial, comesBack, onOpen, onText, onBinary, onClose }) {
    Object.assign(this, { path, protocol, dial, comesBack, onOpen, onText, onBinary, onClose });
    this.badge = $(`${name}-state`);
    this.toggle = $(`${name}-toggle`);
    this.words = { open: this.toggle.dataset.open, closed: this.toggle.dataset.closed };
    this.toggle.addEventListener("click", () => (this.socket ? this.close() : this.open()));
    this.attempts = 0;
  }

  open() {
    clearTimeout(this.timer);
    const url = new URL(this.path(), location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.show("connecting", "connecting");
    const socket = this.dial?.() ?? (this.protocol ? new WebSocket(url, this.protocol) : new WebSocket(url));
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    let opened = false;
    socket.addEventListener("open", () => {
      opened = true;
      this.attempts = 0;
      const parts = ["open", socket.protocol, socket.extensions];
      this.show("open", parts.filter(Boolean).join(" · "));
      this.onOpen?.();
    });
    socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string") this.onText?.(data);
      else this.onBinary?.(new Uint8Array(data));
    });
    socket.addEventListener("close", (event) => {
      if (this.socket !== socket) return;
      this.socket = null;
      const bad = !event.wasClean || !opened;
      const text = `closed ${closeText(event)}`;
      this.onClose?.(event);
      if (this.comesBack && !this.left) this.comeBack(text, bad);
      else this.show(bad ? "failed" : "closed", text);
      this.left = false;
    });
  }

  comeBack(text, bad) {
    const seconds = Math.min(1 << Math.min(this.attempts++, 4), 15);
    this.show(bad ? "failed" : "closed", `${text} · again in ${seconds} s`);
    this.timer = setTimeout(() => this.open(), seconds * 1000);
  }

  close(code = 1000, reason = "") {
    this.left = true;
    this.show("closing", "closing");
    this.socket.close(code, reason);
  }

  // Ends this socket without waiting for its Close, and opens anew.
  reopen() {
    const old = this.socket;
    this.socket = null;
    old?.close(1000, "changing rooms");
    this.open();
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  send(data) {
    if (this.isOpen) this.socket.send(data);
    return this.isOpen;
  }

  show(state, text) {
    this.badge.dataset.state = state;
    this.badge.textContent = text;
    const live = state === "open" || state === "connecting";
    this.toggle.textContent = live ? this.words.open : this.words.closed;
    this.toggle.disabled = state === "closing";
  }
}

// ---- Chat

const memory = {
  recall(key) { try { return localStorage.getItem(key); } catch { return null; } },
  keep(key, value) { try { localStorage.setItem(key, value); } catch { /* private window: forget it */ } },
};

const chat = {
  rooms: ["lobby", "ops", "random"],
  room: /^#[\w-]{1,32}$/.test(location.hash) ? location.hash.slice(1) : "lobby",
  nick: memory.recall("nick") || `guest-${10 + Math.floor(Math.random() * 90)}`,
  me: "", earlier: 0, lastWho: null, typing: new Map(), told: false,
};

const chatSocket = new Connection({
  name: "chat", protocol: "chat.framescope", comesBack: true,
  path: () => `chat?room=${chat.room}`,
  dial: () => dial($("transport").value, chat.room),
  onOpen: () => chatSocket.send(JSON.stringify({ type: "join", nick: chat.nick })),
  onText: (text) => hear(JSON.parse(text)),
  onBinary: (octets) => note("octets", `binary message, ${count(octets.length)} octets`, octets),
  onClose: (event) => { showPeople([]); note("event", `connection closed: ${closeText(event)}`); },
});

const hearings = {
  welcome: ({ nick, history }) => { chat.me = nick; chat.earlier = history; clearMessages(); },
  join: ({ nick }) => note("event", `${nick} came in`),
  leave: ({ nick }) => { stopTyping(nick); note("event", `${nick} left`); },
  presence: ({ members }) => showPeople(members),
  message: ({ nick, text }) => { stopTyping(nick); showMessage(nick, text); },
  typing: ({ nick, on }) => (on ? startTyping(nick) : stopTyping(nick)),
  error: ({ reason }) => note("event", `not understood: ${reason}`),
};

function hear(said) {
  hearings[said.type]?.(said);
}

function clearMessages() {
  chat.lastWho = null;
  $("messages").replaceChildren(element("li", "empty", "Nothing was said here yet. Say the first word, or wait for ada and grace."));
}

function addMessage(line) {
  $("messages").querySelector(".empty")?.remove();
  append($("messages"), line, 400);
}

function nickColour(nick) {
  let sum = 0;
  for (const character of nick) sum = (sum * 31 + character.codePointAt(0)) % 9973;
  return `nick-${sum % 6}`;
}

function showMessage(nick, text) {
  const line = element("li");
  if (chat.lastWho !== nick) {
    const who = element("span", `who ${nickColour(nick)}`, nick);
    if (nick === chat.me) who.append(element("small", "", " (you)"));
    line.append(who);
  }
  chat.lastWho = nick;
  line.append(element("span", "text", text));
  // The server keeps no times: those of earlier messages are not known.
  line.append(element("time", "", chat.earlier > 0 ? "earlier" : clock()));
  chat.earlier = Math.max(0, chat.earlier - 1);
  addMessage(line);
}

// A line by nobody; octets are shown as the 8x8 picture they say they are, or in hexadecimal.
function note(className, text, octets) {
  chat.lastWho = null;
  const line = element("li", className);
  const body = element("span", "text", text);
  if (octets) body.append(doodle(octets) ?? `: ${hex(octets.subarray(0, 16))}${octets.length > 16 ? " …" : ""}`);
  line.append(body, element("time", "", clock()));
  addMessage(line);
}

function doodle(octets) {
  const title = "doodle 8x8\0";
  if (octets.length !== title.length + 8 || [...title].some((c, i) => c.charCodeAt(0) !== octets[i])) return null;
  const picture = vector("svg", { viewBox: "0 0 8 8", width: 48, height: 48, role: "img", "aria-label": "a doodle" });
  octets.subarray(title.length).forEach((row, y) => {
    for (let x = 0; x < 8; x++) {
      if (row & (0x80 >> x)) vector("rect", { x, y, width: 1, height: 1, fill: "currentColor" }, picture);
    }
  });
  return picture;
}

function showPeople(members) {
  $("here-count").textContent = members.length;
  $("people").replaceChildren(...members.map((nick) => {
    const person = element("li");
    person.append(element("span", nickColour(nick), nick));
    if (nick === chat.me) person.append(element("span", "you", "you"));
    return person;
  }));
}

function startTyping(nick) {
  clearTimeout(chat.typing.get(nick));
  chat.typing.set(nick, setTimeout(() => stopTyping(nick), 6000));
  showTyping();
}

function stopTyping(nick) {
  clearTimeout(chat.typing.get(nick));
  if (chat.typing.delete(nick)) showTyping();
}

function showTyping() {
  const who = [...chat.typing.keys()];
  $("typing").textContent = who.length === 0 ? "" : `${who.join(" and ")} ${who.length === 1 ? "is" : "are"} typing …`;
}

function showRooms() {
  if (!chat.rooms.includes(chat.room)) chat.rooms.push(chat.room);
  $("chat-title").textContent = `# ${chat.room}`;
  $("rooms").replaceChildren(...chat.rooms.map((room) => {
    const button = element("button", "", `# ${room}`);
    button.type = "button";
    if (room === chat.room) button.setAttribute("aria-current", "page");
    button.addEventListener("click", () => enter(room));
    const item = element("li");
    item.append(button);
    return item;
  }));
}

function enter(room) {
  if (room === chat.room && chatSocket.isOpen) return;
  chat.room = room;
  history.replaceState(null, "", `#${room}`);
  for (const nick of [...chat.typing.keys()]) stopTyping(nick);
  showRooms();
  showPeople([]);
  clearMessages();
  chatSocket.reopen();
}

function tellTyping(on) {
  if (chat.told === on) return;
  chat.told = chatSocket.send(JSON.stringify({ type: "typing", on })) && on;
}

$("room-form").addEventListener("submit", (event) => {
  event.preventDefault();
  enter($("room-name").value);
  $("room-name").value = "";
});
$("chat-text").addEventListener("input", () => tellTyping($("chat-text").value !== ""));
$("chat-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("chat-text").value;
  if (text.trim() === "") return;
  if (chatSocket.send(JSON.stringify({ type: "message", text }))) {
    $("chat-text").value = "";
    chat.told = false;
  }
});
$("transport").addEventListener("change", () => {
  for (const nick of [...chat.typing.keys()]) stopTyping(nick);
  showPeople([]);
  clearMessages();
  chatSocket.reopen();
});
$("nick").value = chat.nick;
$("nick").addEventListener("change", () => {
  const nick = $("nick").value.trim();
  if (nick === "" || nick === chat.nick) return;
  chat.nick = nick;
  memory.keep("nick", nick);
  chatSocket.reopen();
});

// ---- Ticker

const ticker = { rows: new Map(), order: [], quotes: 0, books: 0 };

const tickerSocket = new Connection({
  name: "ticker", comesBack: true, path: () => "ticker",
  onText: (text) => {
    const said = JSON.parse(text);
    if (said.type === "snapshot") {
      ticker.order = said.shares.map((share) => share.symbol);
      said.shares.forEach((share) => quote(share, false));
    } else if (said.type === "quote") {
      $("quotes").textContent = count(++ticker.quotes);
      quote(said, true);
    }
  },
  onBinary: (octets) => {
    $("books").textContent = count(++ticker.books);
    book(octets);
  },
});

function shareRow(share) {
  const row = element("tr");
  const symbol = element("td", "symbol", share.symbol);
  symbol.title = share.name;
  const [trend, depth, price, change] = ["", "", "num", "num"].map((className) => element("td", className));
  row.append(symbol, trend, depth, price, change);
  $("shares").append(row);
  const line = vector("polyline", { class: "spark" }, vector("svg", { width: 72, height: 18, "aria-hidden": "true" }));
  const bars = vector("svg", { width: 66, height: 18, "aria-hidden": "true" });
  trend.append(line.parentNode);
  depth.append(bars);
  return { row, line, bars, price, change, prices: [] };
}

function quote(share, moved) {
  if (!ticker.rows.has(share.symbol)) ticker.rows.set(share.symbol, shareRow(share));
  const shown = ticker.rows.get(share.symbol);
  shown.price.textContent = share.price.toFixed(2);
  shown.change.textContent = `${share.change < 0 ? "▼" : "▲"} ${Math.abs(share.change).toFixed(2)}`;
  shown.change.className = `num ${share.change < 0 ? "fall" : "rise"}`;
  shown.prices.push(share.price);
  if (shown.prices.length > 36) shown.prices.shift();
  const low = Math.min(...shown.prices), high = Math.max(...shown.prices);
  const points = shown.prices.map((price, i) => `${i * 2},${(17 - (16 * (price - low)) / (high - low || 1)).toFixed(1)}`);
  shown.line.setAttribute("points", points.join(" "));
  if (moved) {
    shown.row.classList.remove("moved");
    void shown.row.offsetWidth; // starts the animation anew
    shown.row.classList.add("moved");
  }
}

// An order book: "D", the share's index, the number of levels, 0, then bid and ask sizes, 16 bits each.
function book(octets) {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const levels = view.byteLength > 4 && view.getUint8(0) === 0x44 ? view.getUint8(2) : 0;
  const shown = ticker.rows.get(ticker.order[view.byteLength > 1 ? view.getUint8(1) : -1]);
  if (!shown || levels === 0 || view.byteLength !== 4 + 4 * levels) return;
  const sizes = Array.from({ length: 2 * levels }, (_, i) => view.getUint16(4 + 2 * i));
  const most = Math.max(...sizes);
  shown.bars.replaceChildren();
  sizes.forEach((size, i) => {
    const bid = i < levels, level = bid ? levels - 1 - i : i, height = Math.max(1, (17 * size) / most);
    vector("rect", { class: bid ? "bids" : "asks", x: level * 4 + (bid ? 0 : 2), y: 18 - height, width: 3, height }, shown.bars);
  });
}

// ---- Echo

const echoSocket = new Connection({
  name: "echo", comesBack: false, path: () => "echo",
  onOpen: () => logEcho("note", "", "open"),
  onText: (text) => logEcho("down", "↓", describe(text)),
  onBinary: (octets) => logEcho("down", "↓", describe(octets)),
  onClose: (event) => logEcho("note", "", `closed ${closeText(event)}`),
});

function describe(data) {
  if (typeof data !== "string") return `${count(data.length)} octets: ${hex(data.subarray(0, 12))}${data.length > 12 ? " …" : ""}`;
  return data.length > 200 ? `${count(data.length)} characters: ${data.slice(0, 100)} …` : data;
}

function logEcho(className, arrow, text) {
  const line = element("li", className);
  line.append(element("b", "", arrow), ` ${text}`);
  line.title = className === "up" ? "sent" : className === "down" ? "received" : "";
  append($("echo-log"), line, 200);
}

function sendEcho(data) {
  if (echoSocket.send(data)) logEcho("up", "↑", describe(data));
  else logEcho("note", "", "not connected: press Connect first");
}

$("echo-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sendEcho($("echo-text").value);
});
$("echo-binary").addEventListener("click", () => sendEcho(Uint8Array.from({ length: 256 }, (_, i) => i)));
$("echo-long").addEventListener("click", () => sendEcho("0123456789".repeat(7000)));
$("echo-close").addEventListener("submit", (event) => {
  event.preventDefault();
  sendEcho(`close ${$("close-code").value} ${$("close-reason").value}`.trimEnd());
});

showRooms();
clearMessages();
for (const socket of [chatSocket, tickerSocket, echoSocket]) socket.open();
