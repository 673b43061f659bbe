// A browser's RTCPeerConnection with the commands and events of browser_peer.cc: commands are fetched, events are posted. "call" begins
// a new connection and ends the one before.
"use strict";

let pc = null;
let channels = {};
let call = 0;

// Posts in order, and all that came up meanwhile at once.
const outbox = [];
let posting = false;
async function say(event, of = call) {
  outbox.push({call: of, ...event});
  if (posting) return;
  posting = true;
  while (outbox.length > 0) {
    const body = JSON.stringify(outbox.splice(0));
    await fetch("/events", {method: "POST", body});
  }
  posting = false;
}

const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

// Digests take their time: what is said stays in the order of the calls.
let saying = Promise.resolve();
function sayMessage(event, label, data) {
  const binary = typeof data !== "string";
  const bytes = binary ? data : new TextEncoder().encode(data);
  const mine = call;
  const digest = crypto.subtle.digest("SHA-256", bytes);
  saying = saying.then(async () => say({event, label, binary, size: bytes.byteLength, digest: hex(await digest)}, mine));
}

function adopt(channel) {
  const mine = call;
  channels[channel.label] = channel;
  channel.binaryType = "arraybuffer";
  channel.onopen = () => say({event: "open", label: channel.label}, mine);
  channel.onmessage = ({data}) => sayMessage("received", channel.label, data);
  channel.onclose = () => say({event: "closed", label: channel.label}, mine);
  channel.onerror = ({error}) => say({event: "channel-error", label: channel.label, error: String(error)}, mine);
}

function messageOf(size, binary, random) {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; ++at) {
    random.state = (Math.imul(random.state, 1664525) + 1013904223) >>> 0;
    bytes[at] = binary ? random.state >>> 24 : 97 + (random.state >>> 24) % 26;
  }
  return binary ? bytes : new TextDecoder().decode(bytes);
}

async function describe() {
  await pc.setLocalDescription();
  await say({event: "description", type: pc.localDescription.type, sdp: pc.localDescription.sdp});
}

const commands = {
  async call(command) {
    if (pc) pc.close();
    channels = {};
    call = command.call;
    const mine = call;
    pc = new RTCPeerConnection({bundlePolicy: "max-bundle"});
    pc.onicecandidate = ({candidate}) => {
      say({event: "candidate", ...(candidate ? candidate.toJSON() : {candidate: ""})}, mine);
    };
    pc.onconnectionstatechange = () => say({event: "state", state: pc.connectionState}, mine);
    pc.ondatachannel = ({channel}) => {
      say({event: "announced", label: channel.label, ordered: channel.ordered});
      adopt(channel);
    };
    await say({event: "ready"});
  },
  async media() {
    const stream = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 640, height: 480}});
    for (const track of stream.getTracks()) pc.addTrack(track, stream);
    await say({event: "media"});
  },
  async quiet() {
    for (const sender of pc.getSenders()) await sender.replaceTrack(null);
  },
  offer: describe,
  async restart() {
    pc.restartIce();
    await describe();
  },
  async description({type, sdp}) {
    await pc.setRemoteDescription({type, sdp});
    if (type === "offer") await describe();
  },
  async candidate({candidate, sdpMid, sdpMLineIndex, usernameFragment}) {
    await pc.addIceCandidate({candidate, sdpMid, sdpMLineIndex, usernameFragment});
  },
  async open({label, ordered}) {
    adopt(pc.createDataChannel(label, {ordered}));
  },
  async send({label, sizes, binary, seed}) {
    const random = {state: seed};
    for (const size of sizes) {
      const message = messageOf(size, binary, random);
      sayMessage("sent", label, message);
      channels[label].send(message);
    }
  },
  async close({label}) {
    channels[label].close();
  },
  async stats() {
    const stats = [];
    (await pc.getStats()).forEach((entry) => stats.push(entry));
    await say({event: "stats", stats});
  },
  async hangup() {
    pc.close();
  },
};

async function run() {
  for (;;) {
    const response = await fetch("/commands");
    for (const command of await response.json()) {
      try {
        await commands[command.op](command);
      } catch (error) {
        await say({event: "error", what: command.op, error: String(error)});
      }
    }
  }
}
run();
