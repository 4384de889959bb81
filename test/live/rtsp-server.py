"""RTSP server on loopback: serves a clip at /cam (with digest credentials for user:pass when asked to, and with its sound
when its codec is named), records what is published to /anon: MPEG-TS of pictures, or Matroska with the sound that is named."""
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

port, clip, record = sys.argv[1:4]
Gst.init(None)
server = GstRtspServer.RTSPServer.new()
server.set_address("127.0.0.1")
server.set_service(port)
mounts = server.get_mount_points()

if "digest" in sys.argv[4:]:
    auth = GstRtspServer.RTSPAuth.new()
    auth.set_supported_methods(2)
    token = GstRtspServer.RTSPToken.new()
    token.set_string("media.factory.role", "user")
    auth.add_digest("user", "pass", token)
    server.set_auth(auth)

PERMISSIONS = ("media.factory.access", "media.factory.construct")


def permit(factory):
    permissions = GstRtspServer.RTSPPermissions.new()
    permissions.add_role("user")
    for name in PERMISSIONS:
        permissions.add_permission_for_role("user", name, True)
    factory.set_permissions(permissions)


SOUND = {
    "alaw": "rtppcmapay name=pay1 pt=8",
    "mulaw": "rtppcmupay name=pay1 pt=0",
    "aac": "aacparse ! rtpmp4gpay name=pay1 pt=97",
    "opus": "opusparse ! rtpopuspay name=pay1 pt=98",
}
DEPAY = {
    "alaw": "rtppcmadepay name=depay1",
    "mulaw": "rtppcmudepay name=depay1",
    "aac": "rtpmp4gdepay name=depay1 ! aacparse",
    "opus": "rtpopusdepay name=depay1 ! opusparse",
}
sound = "".join(f" d. ! queue ! {SOUND[word]}" for word in sys.argv[4:] if word in SOUND)
camera = GstRtspServer.RTSPMediaFactory.new()
camera.set_launch(f"( filesrc location={clip} ! matroskademux name=d d. ! queue ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96{sound} )")
camera.set_shared(True)
permit(camera)
mounts.add_factory("/cam", camera)
if record != "-":
    sink = GstRtspServer.RTSPMediaFactory.new()
    sink.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
    depay = next((DEPAY[word[7:]] for word in sys.argv[4:] if word.startswith("record-")), None)
    mux = f"matroskamux name=m streamable=true ! filesink location={record} async=false buffer-mode=unbuffered {depay} ! queue ! m." if depay else (
        f"mpegtsmux ! filesink location={record} async=false")
    sink.set_launch(f"( rtph264depay name=depay0 ! h264parse ! {mux} )")
    permit(sink)
    mounts.add_factory("/anon", sink)

# Further streams as PATH=LAUNCH.
for path, launch in (option.split("=", 1) for option in sys.argv[4:] if option.startswith("/")):
    other = GstRtspServer.RTSPMediaFactory.new()
    other.set_launch(f"( {launch} )")
    permit(other)
    mounts.add_factory(path, other)

server.attach(None)
print("ready", flush=True)
GLib.MainLoop().run()
