package localstage

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// listeners are the three origins of a stage, as on AWS, where every API has a host of its own.
type listeners struct {
	httpAPI, webSocket, development net.Listener
}

// listen opens the HTTP API's address, the next port for the WebSocket API and
// the one after for development. Port 0 takes three free ports.
func listen(address string) (*listeners, error) {
	base, err := loopbackAddress(address)
	if err != nil {
		return nil, err
	}
	var opened []net.Listener
	for i := range 3 {
		at := base
		if base.Port() != 0 {
			at = netip.AddrPortFrom(base.Addr(), base.Port()+uint16(i))
		}
		l, err := net.Listen("tcp", at.String())
		if err != nil {
			_ = closeAll(opened) // the error about the taken address counts
			return nil, fmt.Errorf("listen on %s: %w (is another stage running? stop it, or choose another address "+
				"with --listen)", at, err)
		}
		opened = append(opened, l)
	}
	return &listeners{httpAPI: opened[0], webSocket: opened[1], development: opened[2]}, nil
}

// loopbackAddress parses host:port and refuses hosts that other machines can reach: the stage hands out credentials and
// tokens to every caller.
func loopbackAddress(address string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("listen address %q: write it as 127.0.0.1:3001 or 127.0.0.1:0", address)
	}
	if host == "" || host == "localhost" {
		host = "127.0.0.1"
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number > 65533 {
		return netip.AddrPort{}, fmt.Errorf("listen address %q: the port must be 0 to 65533", address)
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.IsLoopback() {
		return netip.AddrPort{}, fmt.Errorf("listen address %q: a local stage listens on loopback only, for example "+
			"127.0.0.1:%s", address, port)
	}
	return netip.AddrPortFrom(ip, uint16(number)), nil
}

func (l *listeners) Close() error {
	return closeAll([]net.Listener{l.httpAPI, l.webSocket, l.development})
}

func closeAll(all []net.Listener) error {
	var errs []error
	for _, l := range all {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// onlyLoopbackHosts refuses requests whose Host is not a name of this machine. So a page in a browser cannot reach the
// stage through a name of its own that resolves to 127.0.0.1 (DNS rebinding).
func onlyLoopbackHosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if host != "localhost" && (err != nil || !ip.IsLoopback()) { // mutate:stage-host
			http.Error(w, "This local stage answers to loopback names only.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}
