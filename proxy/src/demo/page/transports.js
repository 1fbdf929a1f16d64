// The chat without WebSocket: stand-ins that look like one from outside, so that the page is the same over all of them.
"use strict";

class StandIn extends EventTarget {
  readyState = WebSocket.CONNECTING;
  protocol = "";
  extensions = "";

  opened(protocol) {
    this.protocol = protocol;
    this.readyState = WebSocket.OPEN;
    this.dispatchEvent(new Event("open"));
  }

  heard(data) {
    if (this.readyState === WebSocket.OPEN) this.dispatchEvent(new MessageEvent("message", { data }));
  }

  ended(code, reason = "") {
    if (this.readyState === WebSocket.CLOSED) return;
    this.readyState = WebSocket.CLOSED;
    this.release?.();
    this.dispatchEvent(new CloseEvent("close", { code, reason, wasClean: code === 1000 }));
  }
}

const octetsOf = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer;
const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

// A session that requests come and go for: what is said is posted, what is new is asked for in one of four ways.
class Session extends StandIn {
  constructor(way, room) {
    super();
    this.way = way;
    this.room = room;
    this.last = 0;
    this.cancel = new AbortController();
    // What is said goes out in the order in which it was said.
    this.sending = Promise.resolve();
    queueMicrotask(() => this.opened(Session.names[way]));
  }

  static names = { poll: "polling", long: "long polling", stream: "HTTP streaming", events: "server-sent events" };

  get place() {
    return `chat/sessions/${this.session}`;
  }

  send(json) {
    this.sending = this.sending.then(() => this.post(json)).catch(() => this.ended(1006));
  }

  async post(json) {
    const joins = !this.session;
    const url = joins ? `chat/sessions?room=${this.room}` : this.place;
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(url, { method: "POST", headers, body: json, signal: this.cancel.signal });
    if (answer.status === 404) return this.ended(1006, "the session has ended");
    const told = answer.status === 204 ? {} : await answer.json();
    if (!answer.ok) return this.heard(JSON.stringify(told));
    if (joins) {
      this.session = told.session;
      this[this.way]().catch(() => this.ended(1006));
    }
  }

  tell(notice) {
    this.heard(notice.type === "binary" ? octetsOf(notice.base64) : JSON.stringify(notice));
  }

  async ask(wait) {
    const answer = await fetch(`${this.place}?after=${this.last}${wait}`, { signal: this.cancel.signal });
    if (!answer.ok) return this.ended(1006, (await answer.json()).reason);
    const { last, notices } = await answer.json();
    this.last = last;
    notices.forEach((notice) => this.tell(notice));
  }

  async poll() {
    while (this.readyState === WebSocket.OPEN) {
      await this.ask("");
      await pause(1000);
    }
  }

  async long() {
    while (this.readyState === WebSocket.OPEN) await this.ask("&wait=25");
  }

  async stream() {
    const answer = await fetch(`${this.place}/stream`, { signal: this.cancel.signal });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return this.ended(1006, "the stream has ended");
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      lines.filter(Boolean).forEach((line) => this.tell(JSON.parse(line)));
    }
  }

  async events() {
    this.source = new EventSource(`${this.place}/events`);
    this.source.addEventListener("message", ({ data }) => this.tell(JSON.parse(data)));
    this.source.addEventListener("error", () => {
      // Otherwise the browser connects again by itself, and goes on behind the last event.
      if (this.source.readyState === EventSource.CLOSED) this.ended(1006, "the stream has ended");
    });
  }

  release() {
    this.source?.close();
    this.cancel.abort();
    if (this.session) fetch(this.place, { method: "DELETE", keepalive: true }).catch(() => {});
  }

  close(code, reason) {
    this.sending.finally(() => this.ended(code, reason));
  }
}

// Socket.IO 5 over Engine.IO 4, as much as the chat needs: opened by polling, then upgraded to WebSocket.
class SocketIo extends StandIn {
  constructor(room) {
    super();
    this.room = room;
    this.acks = 0;
    this.begin().catch(() => this.ended(1006));
  }

  address(transport) {
    const sid = this.sid ? `&sid=${this.sid}` : "";
    return new URL(`socket.io/?EIO=4&transport=${transport}${sid}`, location.href);
  }

  async begin() {
    const poll = async (body) => {
      const answer = await fetch(this.address("polling"), body ? { method: "POST", body } : {});
      if (!answer.ok) throw new Error(`${answer.status}`);
      return answer.text();
    };
    this.sid = JSON.parse((await poll()).slice(1)).sid;
    // Engine.IO "4" message, Socket.IO "0" CONNECT.
    await poll("40");
    await poll();
    const url = this.address("websocket");
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => socket.send("2probe"));
    socket.addEventListener("message", ({ data }) => this.packet(data));
    socket.addEventListener("close", ({ code, reason }) => this.ended(code, reason));
  }

  packet(data) {
    if (typeof data !== "string") return this.heard(data);
    if (data === "3probe") {
      this.socket.send("5");
      return this.opened("Socket.IO");
    }
    if (data === "2") return this.socket.send("3");
    const [, kind, rest] = /^4([0-9])(?:\d+-)?(.*)$/s.exec(data) ?? [];
    if (kind === "2") {
      const [, notice] = JSON.parse(rest);
      this.heard(JSON.stringify(notice));
    } else if (kind === "3") {
      const [answer] = JSON.parse(rest.replace(/^\d+/, ""));
      if (!answer.ok) this.heard(JSON.stringify({ type: "error", reason: answer.reason }));
    } else if (kind === "1") {
      this.socket.close();
    }
  }

  send(json) {
    const { type, ...fields } = JSON.parse(json);
    if (type === "join") fields.room = this.room;
    this.socket.send(`42${this.acks++}${JSON.stringify([type, fields])}`);
  }

  close(code, reason) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send("41");
    this.socket?.close(code, reason);
    this.ended(code, reason);
  }
}

// What the chat travels over; nothing for a WebSocket itself.
function dial(transport, room) {
  if (transport === "websocket") return undefined;
  return transport === "socket.io" ? new SocketIo(room) : new Session(transport, room);
}
