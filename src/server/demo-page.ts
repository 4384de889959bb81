/** A page to try it with: publish a camera, watch a stream, meet in a room of two. No dependency, no build. */
export function demoPage(streams: readonly string[]): string {
  const names = JSON.stringify(streams).replace(/</g, '\\u003c');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Understudy: live</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color-scheme: light dark }
  fieldset { border: 1px solid #8884; border-radius: 8px; margin: 1rem 0 }
  video { width: 100%; max-height: 60vh; background: #222; border-radius: 8px }
  label { display: inline-block; margin: .3rem 1rem .3rem 0 }
  .error { color: #c33 }
</style>
<h1>Understudy: live</h1>
<p>Your camera goes to this server; everybody else sees your understudy. The picture below is what they see.</p>
<fieldset><legend>Send</legend>
  <label>as <select id="mine"></select></label>
  <label>token <input id="publishToken" type="password" autocomplete="off"></label>
  <label>camera <select id="camera"><option value="">default</option></select></label>
  <label>size <select id="size"><option>640x360</option><option>640x480</option><option>1280x720</option></select></label>
  <button id="publish">Publish</button>
  <label><input id="muteVideo" type="checkbox"> camera off</label>
  <label><input id="muteAudio" type="checkbox"> microphone off</label>
</fieldset>
<fieldset><legend>Watch</legend>
  <label>stream <select id="theirs"></select></label>
  <label>token <input id="viewToken" type="password" autocomplete="off"></label>
  <button id="watch">Watch</button> <button id="leave">Leave</button>
  <p><video id="remote" autoplay playsinline controls muted></video></p>
</fieldset>
<p id="status" role="status"></p>
<script type="module">
const streams = ${names};
const $ = (id) => document.getElementById(id);
for (const id of ['mine', 'theirs']) for (const name of streams) $(id).append(new Option(name));
const say = (text, bad) => { $('status').textContent = text; $('status').className = bad ? 'error' : ''; };

async function iceServers(path, headers) {
  const links = (await fetch(path, { method: 'OPTIONS', headers })).headers.get('Link') ?? '';
  const found = links.matchAll(/<([^>]+)>; rel="ice-server"(?:; username="([^"]*)"; credential="([^"]*)")?/g);
  return [...found].map(([, urls, username, credential]) => ({ urls, ...(username && { username, credential }) }));
}
async function connect(kind, stream, token, peer, lost) {
  const path = '/' + stream + '/' + kind;
  const access = token ? { Authorization: 'Bearer ' + token } : {};
  peer.setConfiguration({ ...peer.getConfiguration(), iceServers: await iceServers(path, access) });
  await peer.setLocalDescription(await peer.createOffer());
  await new Promise((done) => {
    if (peer.iceGatheringState === 'complete') return done();
    peer.addEventListener('icegatheringstatechange', () => peer.iceGatheringState === 'complete' && done());
    setTimeout(done, 1000);
  });
  const headers = { 'Content-Type': 'application/sdp', ...access };
  const response = await fetch(path, { method: 'POST', headers, body: peer.localDescription.sdp });
  if (response.status !== 201) throw new Error((await response.json()).detail);
  await peer.setRemoteDescription({ type: 'answer', sdp: await response.text() });
  const url = response.headers.get('Location');
  let away;
  peer.addEventListener('connectionstatechange', () => {
    clearTimeout(away);
    // A network that changes may come back by itself.
    if (!['new', 'connecting', 'connected'].includes(peer.connectionState)) away = setTimeout(lost, 4000);
  });
  return async () => { peer.close(); await fetch(url, { method: 'DELETE', headers, keepalive: true }); };
}

let media, sender, stopPublishing, stopWatching;
const wanted = () => {
  const [width, height] = $('size').value.split('x').map(Number);
  return { video: { width, height, ...($('camera').value && { deviceId: $('camera').value }) }, audio: true };
};
async function listCameras() {
  const found = (await navigator.mediaDevices.enumerateDevices()).filter((d) => d.kind === 'videoinput');
  const before = $('camera').value;
  $('camera').replaceChildren(new Option('default', ''), ...found.map((d, i) => new Option(d.label || 'camera ' + i, d.deviceId)));
  $('camera').value = before;
}
const mute = () => media?.getTracks().forEach((t) => { t.enabled = !$(t.kind === 'video' ? 'muteVideo' : 'muteAudio').checked; });

const turns = { whip: 0, whep: 0 };
/** Connects, and again whenever that connection has ended by itself, until it is no longer wanted. */
async function hold(kind, action) {
  const turn = ++turns[kind];
  const wanted = () => turns[kind] === turn;
  const lost = async () => {
    for (let pause = 1000; wanted(); pause = Math.min(2 * pause, 15000)) {
      say('The connection was lost; trying again.', true);
      await new Promise((done) => setTimeout(done, pause));
      if (!wanted() || !(await action(lost).then(() => true, () => false))) continue;
      if (!wanted()) await (kind === 'whip' ? stopPublishing : stopWatching)?.();
      return;
    }
  };
  await action(lost);
}

async function publish(lost) {
  await stopPublishing?.();
  media = await navigator.mediaDevices.getUserMedia(wanted()).catch(() => navigator.mediaDevices.getUserMedia({ ...wanted(), audio: false }));
  await listCameras();
  const peer = new RTCPeerConnection();
  for (const track of media.getTracks()) {
    const { sender: s } = peer.addTransceiver(track, { direction: 'sendonly', streams: [media] });
    if (track.kind === 'video') sender = s;
  }
  const stop = await connect('whip', $('mine').value, $('publishToken').value, peer, lost);
  stopPublishing = async () => { media.getTracks().forEach((t) => t.stop()); stopPublishing = undefined; await stop(); };
  mute();
  say('You are sending to ' + $('mine').value + '.');
}
async function change() {
  if (!stopPublishing) return;
  const next = await navigator.mediaDevices.getUserMedia({ video: wanted().video });
  const [track] = next.getVideoTracks();
  const [old] = media.getVideoTracks();
  media.removeTrack(old); media.addTrack(track);
  await sender.replaceTrack(track);
  old.stop(); mute();
}
async function watch(lost) {
  await stopWatching?.();
  const peer = new RTCPeerConnection();
  for (const kind of ['video', 'audio']) peer.addTransceiver(kind, { direction: 'recvonly' });
  const shown = new MediaStream();
  peer.ontrack = ({ track }) => { shown.addTrack(track); $('remote').srcObject = shown; };
  stopWatching = await connect('whep', $('theirs').value, $('viewToken').value, peer, lost);
  say('You are watching ' + $('theirs').value + '.');
}
async function leave() {
  turns.whip++; turns.whep++;
  await Promise.allSettled([stopPublishing?.(), stopWatching?.()]);
  stopWatching = undefined;
  $('remote').srcObject = null;
  say('You have left.');
}
const on = (id, event, action) => $(id).addEventListener(event, () => Promise.resolve(action()).catch((e) => say(e.message, true)));
on('publish', 'click', () => hold('whip', publish)); on('watch', 'click', () => hold('whep', watch)); on('leave', 'click', leave);
on('muteVideo', 'change', mute); on('muteAudio', 'change', mute);
on('camera', 'change', change); on('size', 'change', change);
addEventListener('pagehide', () => { stopPublishing?.(); stopWatching?.(); });
</script>
</html>
`;
}
