"""RTSP server on loopback: serves a clip at /cam (with digest credentials for user:pass when asked to), records what is published to /anon."""
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


camera = GstRtspServer.RTSPMediaFactory.new()
camera.set_launch(f"( filesrc location={clip} ! matroskademux ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96 )")
camera.set_shared(True)
permit(camera)
mounts.add_factory("/cam", camera)
if record != "-":
    sink = GstRtspServer.RTSPMediaFactory.new()
    sink.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
    sink.set_launch(f"( rtph264depay name=depay0 ! h264parse ! mpegtsmux ! filesink location={record} async=false )")
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
