package main

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"signedsocket/shared/grant"
)

func withHeader(name string, lines ...string) events.APIGatewayWebsocketProxyRequest {
	return events.APIGatewayWebsocketProxyRequest{MultiValueHeaders: map[string][]string{name: lines}}
}

func TestProofOfPossession(t *testing.T) {
	t.Parallel()
	const proof = "pop." + verifier
	tests := []struct {
		name      string
		challenge string
		offered   []string // lines of Sec-WebSocket-Protocol
		required  error
		optional  error
	}{
		{"the proof", challenge, []string{"chat.v1, " + proof}, nil, nil},
		{"the proof first, without space", challenge, []string{proof + ",chat.v1"}, nil, nil},
		{"the proof in a line of its own", challenge, []string{"chat.v1", proof}, nil, nil},
		{"only the proof", challenge, []string{proof}, nil, nil},
		{"no proof", challenge, []string{"chat.v1"}, errNoProof, errNoProof},
		{"no subprotocol", challenge, nil, errNoProof, errNoProof},
		{"the bare verifier", challenge, []string{"chat.v1, " + verifier}, errNoProof, errNoProof},
		{"another letter case of the prefix", challenge, []string{"POP." + verifier}, errNoProof, errNoProof},
		{"another verifier", challenge, []string{"pop." + strings.Repeat("A", 43)}, errWrongProof, errWrongProof},
		{"the challenge, which the URL tells", challenge, []string{"pop." + challenge}, errWrongProof, errWrongProof},
		{"the proof twice", challenge, []string{proof + ", " + proof}, errMalformedProof, errMalformedProof},
		{"one of two", challenge, []string{"pop." + strings.Repeat("A", 43), proof}, errMalformedProof,
			errMalformedProof},
		{"an empty verifier", challenge, []string{"pop."}, errMalformedProof, errMalformedProof},
		{"a short verifier", challenge, []string{"pop." + verifier[:42]}, errMalformedProof, errMalformedProof},
		{"a long verifier", challenge, []string{"pop." + strings.Repeat("A", 129)}, errMalformedProof,
			errMalformedProof},
		{"a verifier of other characters", challenge, []string{"pop." + verifier[:42] + "~"}, errMalformedProof,
			errMalformedProof},
		{"no challenge", "", []string{"chat.v1"}, errNoChallenge, nil},
		{"no challenge, and a proof of nothing", "", []string{"chat.v1, " + proof}, errNoChallenge, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			offered := offeredProtocols(withHeader("Sec-WebSocket-Protocol", test.offered...))
			if err := checkProof(grant.PossessionRequired, test.challenge, offered); err != test.required {
				t.Errorf("required: %v, want %v", err, test.required)
			}
			if err := checkProof(grant.PossessionOptional, test.challenge, offered); err != test.optional {
				t.Errorf("optional: %v, want %v", err, test.optional)
			}
		})
	}
}

func TestUnknownPossessionIsStrict(t *testing.T) {
	t.Parallel()
	for _, p := range []grant.Possession{"", "Optional", "none", "false"} {
		if p.Validate() == nil || checkProof(p, "", nil) == nil {
			t.Errorf("%q starts, or lets a URL without challenge through", p)
		}
	}
}

// FuzzSubprotocol holds that nothing but the verifier of the challenge opens a URL that has one.
func FuzzSubprotocol(f *testing.F) {
	f.Add("chat.v1, pop."+verifier, "chat.v1")
	f.Add("pop.", ",pop.,")
	f.Add("pop."+verifier+"\t", "pop. "+verifier)
	f.Fuzz(func(t *testing.T, line1, line2 string) {
		offered := offeredProtocols(withHeader("sec-websocket-protocol", line1, line2))
		if checkProof(grant.PossessionRequired, challenge, offered) != nil {
			return
		}
		if both := line1 + "," + line2; strings.Count(both, "pop."+verifier) != 1 {
			t.Errorf("%q proves the possession of a verifier that it does not hold", both)
		}
	})
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	accepted, err := newOrigins("https://chat.example", "https://other.example:8443", "http://localhost:3000")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		header string
		lines  []string
		want   error
	}{
		{"the page", "Origin", []string{"https://chat.example"}, nil},
		{"a second one", "Origin", []string{"https://other.example:8443"}, nil},
		{"in development", "Origin", []string{"http://localhost:3000"}, nil},
		{"another letter case of the name", "origin", []string{"https://chat.example"}, nil},
		{"none", "Origin", nil, errNoOrigin},
		{"in another header", "X-Origin", []string{"https://chat.example"}, errNoOrigin},
		{"an empty one", "Origin", []string{""}, errWrongOrigin},
		{"a sandboxed page", "Origin", []string{"null"}, errWrongOrigin},
		{"another site", "Origin", []string{"https://evil.example"}, errWrongOrigin},
		{"another scheme", "Origin", []string{"http://chat.example"}, errWrongOrigin},
		{"another port", "Origin", []string{"https://chat.example:8443"}, errWrongOrigin},
		{"the scheme's own port", "Origin", []string{"https://chat.example:443"}, errWrongOrigin},
		{"a slash more", "Origin", []string{"https://chat.example/"}, errWrongOrigin},
		{"another letter case", "Origin", []string{"https://Chat.example"}, errWrongOrigin},
		{"a longer host", "Origin", []string{"https://chat.example.evil.example"}, errWrongOrigin},
		{"a host that ends so", "Origin", []string{"https://evilchat.example"}, errWrongOrigin},
		{"a user in front", "Origin", []string{"https://chat.example@evil.example"}, errWrongOrigin},
		{"a space", "Origin", []string{" https://chat.example"}, errWrongOrigin},
		{"two in one line", "Origin", []string{"https://chat.example, https://evil.example"}, errWrongOrigin},
		{"two lines", "Origin", []string{"https://chat.example", "https://evil.example"}, errTwoOrigins},
		{"the same twice", "Origin", []string{"https://chat.example", "https://chat.example"}, errTwoOrigins},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if err := accepted.check(withHeader(test.header, test.lines...)); err != test.want {
				t.Errorf("check = %v, want %v", err, test.want)
			}
		})
	}
	twoNames := events.APIGatewayWebsocketProxyRequest{MultiValueHeaders: map[string][]string{
		"Origin": {"https://chat.example"}, "origin": {"https://evil.example"},
	}}
	if err := accepted.check(twoNames); err != errTwoOrigins {
		t.Errorf("two letter cases of the name: %v", err)
	}
	if err := (origins{}).check(withHeader("Origin", "https://chat.example")); err != errWrongOrigin {
		t.Errorf("without any origin: %v", err)
	}
}

func TestBadOriginsAreLeftOut(t *testing.T) {
	t.Parallel()
	for _, origin := range []string{
		"", "*", "null", "chat.example", "https://", "https://*.chat.example", "https://chat.example/",
		"https://chat.example/page",
		"https://chat.example?x", "https://chat.example#x", "https://user@chat.example", "https://Chat.example",
		"HTTPS://chat.example",
		"wss://chat.example", "javascript:alert(1)", " https://chat.example",
	} {
		set, err := newOrigins(origin, "https://other.example")
		if err == nil || len(set) != 1 || !set["https://other.example"] {
			t.Errorf("%q became %v", origin, set)
		}
	}
	for written, want := range map[string]string{
		"https://chat.example:443": "https://chat.example",
		"http://localhost:80":      "http://localhost",
	} {
		if set, err := newOrigins(written); err != nil || len(set) != 1 || !set[want] {
			t.Errorf("%q became %v, %v; want %s", written, set, err, want)
		}
	}
}

func FuzzOrigin(f *testing.F) {
	f.Add("https://chat.example")
	f.Add("https://chat.example:443")
	f.Add("https://chat.example\x00.evil.example")
	accepted, err := newOrigins("https://chat.example")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, origin string) {
		if err := accepted.check(withHeader("Origin", origin)); (err == nil) != (origin == "https://chat.example") {
			t.Errorf("%q: %v", origin, err)
		}
	})
}

// The RFC's own example, so that the hash is not only our own idea of it.
func TestChallengeIsTheOneOfRFC7636(t *testing.T) {
	t.Parallel()
	digest := sha256.Sum256([]byte(verifier))
	if got := base64.RawURLEncoding.EncodeToString(digest[:]); got != challenge {
		t.Errorf("challenge %s, want %s", got, challenge)
	}
	if err := checkProof(grant.PossessionRequired, challenge, []string{"pop." + verifier}); !errors.Is(err, nil) {
		t.Error(err)
	}
}
