package gateway

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// values is a map of single values and the same map with all of them, as proxy events carry headers and query
// parameters. The single value is the last.
// Source: observed, a repeated query parameter.
type values struct {
	single map[string]string
	multi  map[string][]string
}

func (v *values) add(name, value string) {
	if v.single == nil {
		v.single, v.multi = map[string]string{}, map[string][]string{}
	}
	v.single[name] = value
	v.multi[name] = append(v.multi[name], value)
}

// connectHeaders returns the headers of a $connect event: the client's in its letter case, without those of the hop
// and, under IAM authorization, without Authorization, and with the ones that the service adds. Port and scheme are
// those of the service, which speaks TLS only.
// Source: observed, $connect events.
func connectHeaders(fields []field, p *peer, signed bool, now time.Time) values {
	var h values
	forwardedFor := p.identity.SourceIP
	traced := false
	for _, f := range fields {
		switch strings.ToLower(f.name) {
		case "connection", "upgrade", "content-length", "x-forwarded-port", "x-forwarded-proto":
			continue
		case "authorization":
			if signed {
				continue
			}
		case "x-forwarded-for":
			forwardedFor = f.value + ", " + forwardedFor
			continue
		case "x-amzn-trace-id":
			traced = true
		}
		h.add(f.name, f.value)
	}
	h.add("Host", p.domainName)
	if !traced {
		h.add("X-Amzn-Trace-Id", newTraceID(now))
	}
	h.add("X-Forwarded-For", forwardedFor)
	h.add("X-Forwarded-Port", "443")
	h.add("X-Forwarded-Proto", "https")
	return h
}

// disconnectHeaders returns the four fixed headers of a $disconnect event.
// Source: observed, $disconnect events.
func disconnectHeaders(p *peer) values {
	var h values
	h.add("Host", p.domainName)
	h.add("x-api-key", "")
	h.add("X-Forwarded-For", "")
	h.add("x-restapi", "")
	return h
}

// queryParameters decodes a raw query, in its order. An event has no member for an empty one.
// Source: observed, $connect events; a malformed escape is kept as it is (assumed).
func queryParameters(raw string) values {
	var q values
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		q.add(unescapeQuery(name), unescapeQuery(value))
	}
	return q
}

func unescapeQuery(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

// newTraceID returns the value of X-Amzn-Trace-Id for a new request.
// Source: "X-Ray concepts", trace IDs.
func newTraceID(now time.Time) string {
	var random [12]byte
	rand.Read(random[:])
	return fmt.Sprintf("Root=1-%08x-%s", now.Unix(), hex.EncodeToString(random[:]))
}
