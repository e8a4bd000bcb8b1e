package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"signedsocket/shared/grant"
	"signedsocket/shared/userid"
)

const (
	headerProtocol = "Sec-WebSocket-Protocol"
	// proofPrefix begins the offered subprotocol that holds the verifier. It is the only part of a browser's handshake
	// that a page can set and that no log of URLs holds.
	proofPrefix = "pop."

	minVerifier = 43 // characters: base64url of 32 random bytes
	maxVerifier = 128
)

// checkProof returns nil if a handshake proves that it comes from the client that asked for the URL, else the reason.
// The URL has the hash of a secret that only that client knows, and the client shows the secret. A thief who found the
// URL in a log does not have it. A URL with a challenge always needs its proof.
func checkProof(p grant.Possession, challenge string, offered []string) error {
	if challenge == "" {
		if !p.NeedsChallenge() {
			return nil
		}
		return errNoChallenge // mutate:proof-no-challenge
	}
	verifier, proofs := "", 0
	for _, protocol := range offered {
		if shown, ok := strings.CutPrefix(protocol, proofPrefix); ok {
			verifier = shown
			proofs++
		}
	}
	switch {
	case proofs == 0:
		return errNoProof // mutate:proof-none
	case proofs > 1, !validVerifier(verifier):
		return errMalformedProof
	}
	digest := sha256.Sum256([]byte(verifier))
	want := base64.RawURLEncoding.EncodeToString(digest[:])
	if subtle.ConstantTimeCompare([]byte(want), []byte(challenge)) != 1 { // mutate:proof-any
		return errWrongProof
	}
	return nil
}

// validVerifier accepts the verifiers of RFC 7636 (PKCE), without the characters that a subprotocol cannot have and
// base64url does not need.
func validVerifier(s string) bool {
	return len(s) >= minVerifier && userid.IsWord(s, maxVerifier)
}

// offeredProtocols returns the subprotocols that a client offers, in however many header lines.
func offeredProtocols(event events.APIGatewayWebsocketProxyRequest) []string {
	var offered []string
	for _, line := range headerValues(event, headerProtocol) {
		for protocol := range strings.SplitSeq(line, ",") {
			offered = append(offered, strings.Trim(protocol, " \t"))
		}
	}
	return offered
}
