package gateway

import (
	"crypto/sha1" //nolint:gosec // RFC 6455 demands SHA-1, where it protects nothing
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	webSocketVersion = "13"
	// acceptGUID is appended to the client's key. Source: RFC 6455, 1.3.
	acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
)

// checkUpgrade returns the reason why r is not an opening handshake, or nil.
// Source: RFC 6455, 4.2.1; which of these the service tells apart is assumed.
func checkUpgrade(r *http.Request) *refusal {
	switch {
	case r.Method != http.MethodGet:
		return &forbidden
	case !hasToken(r.Header, "Upgrade", "websocket"):
		return &upgradeRequired
	case !hasToken(r.Header, "Connection", "upgrade"), !r.ProtoAtLeast(1, 1), r.Host == "", r.ContentLength != 0:
		return &badRequest
	case !isKey(r.Header["Sec-Websocket-Key"]), len(r.Header["Sec-Websocket-Version"]) != 1:
		return &badRequest
	case r.Header.Get("Sec-WebSocket-Version") != webSocketVersion:
		return &upgradeRequired
	}
	return nil
}

// hasToken reports whether the comma-separated header name holds token, in
// any letter case.
func hasToken(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for part := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// isKey reports whether values is one Sec-WebSocket-Key: sixteen bytes in
// base64.
func isKey(values []string) bool {
	if len(values) != 1 {
		return false
	}
	key, err := base64.StdEncoding.DecodeString(values[0])
	return err == nil && len(key) == 16
}

// switchingProtocols returns the head of the answer that completes a
// handshake. It negotiates no extension, and each of the subprotocols becomes a
// header of its own.
// Source: the headers were observed; RFC 6455, 4.2.2.
func switchingProtocols(key string, subprotocols []string, now time.Time) []byte {
	sum := sha1.Sum([]byte(key + acceptGUID)) //nolint:gosec // RFC 6455 demands SHA-1, where it protects nothing
	var b strings.Builder
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	b.WriteString("Date: " + now.UTC().Format(http.TimeFormat) + "\r\n")
	b.WriteString("Connection: upgrade\r\n")
	b.WriteString("upgrade: websocket\r\n")
	b.WriteString("sec-websocket-accept: " + base64.StdEncoding.EncodeToString(sum[:]) + "\r\n")
	for _, p := range subprotocols {
		b.WriteString("Sec-WebSocket-Protocol: " + p + "\r\n")
	}
	b.WriteString("\r\n")
	return []byte(b.String())
}

// urlLength returns the length of the address that the client dialled to send r.
func urlLength(r *http.Request) int {
	if r.URL.IsAbs() {
		return len(r.RequestURI)
	}
	return len("wss://") + len(r.Host) + len(r.RequestURI)
}

// unescapePath decodes %XX in one segment of a path, which net/http has
// checked already.
func unescapePath(segment string) string {
	if decoded, err := url.PathUnescape(segment); err == nil {
		return decoded
	}
	return segment
}
