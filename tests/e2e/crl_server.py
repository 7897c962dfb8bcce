#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP server of CRLs: crl_server.py ADDRESS:PORT DIR

Serves the files of DIR as they are at that moment. NAME.redirect instead of NAME answers 302 to what it holds, NAME.stall
answers the head and then nothing for a minute."""
import http.server
import os
import socketserver
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = os.path.join(sys.argv[2], os.path.basename(self.path))
        if os.path.exists(path + ".redirect"):
            self.send_response(302)
            self.send_header("Location", open(path + ".redirect").read().strip())
            self.end_headers()
        elif os.path.exists(path + ".stall"):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.flush()
            time.sleep(60)
        elif os.path.exists(path):
            body = open(path, "rb").read()
            self.send_response(200)
            self.send_header("Content-Type", "application/pkix-crl")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        else:
            self.send_error(404)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True


address, port = sys.argv[1].rsplit(":", 1)
Server((address, int(port)), Handler).serve_forever()
