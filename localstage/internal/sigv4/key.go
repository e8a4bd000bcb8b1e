package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Credentials are an AWS access key. They print as their access key ID only, so
// that no log, error or panic shows the secret.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	// SessionToken is empty for a user's long-term key.
	SessionToken string
	// Expires is when the session ends. The zero time means never.
	Expires time.Time
}

// String returns the access key ID, with a note that the rest is left out.
func (c Credentials) String() string {
	return c.AccessKeyID + " (secret left out)"
}

// Format writes the same as String, whatever the verb.
func (c Credentials) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(c.String())) }

// LogValue returns the same as String, for slog.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText returns the same as String, for JSON and other encodings.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Key is an access key that can verify signatures. It remembers the signing keys
// that it derived from its secret, since deriving one takes longer than verifying
// a signature. It may be used by several goroutines at once.
type Key struct {
	id string
	// vault returns everything that is secret. It is a func because fmt prints
	// the fields of structs however deep, but cannot look into a func.
	vault func() *vault
}

// vault is what a Key keeps to itself.
type vault struct {
	credentials Credentials

	mu      sync.RWMutex
	derived map[scope][]byte
}

// scope is what a signing key is derived for.
type scope struct {
	date, region, service string
}

// maxDerived bounds the memory of a Key. A day has one scope for each service,
// and around midnight two.
const maxDerived = 16

// NewKey returns the Key of credentials.
func NewKey(c Credentials) *Key {
	v := &vault{credentials: c, derived: make(map[scope][]byte)}
	return &Key{id: c.AccessKeyID, vault: func() *vault { return v }}
}

// ID returns the access key ID, which is no secret.
func (k *Key) ID() string { return k.id }

// Credentials returns the key's credentials, for whoever is to sign with them.
func (k *Key) Credentials() Credentials { return k.vault().credentials }

func (k *Key) hasToken(token string) bool {
	return subtle.ConstantTimeCompare([]byte(k.vault().credentials.SessionToken), []byte(token)) == 1
}

func (k *Key) expired(now time.Time) bool {
	end := k.vault().credentials.Expires
	return !end.IsZero() && !now.Before(end)
}

// sign returns the signature of a string to sign, in hexadecimal.
func (k *Key) sign(s scope, toSign []byte) (signature [2 * sha256.Size]byte) {
	mac := hmac.New(sha256.New, k.vault().signingKey(s))
	mac.Write(toSign)
	var sum [sha256.Size]byte
	hex.Encode(signature[:], mac.Sum(sum[:0]))
	return signature
}

// signingKey returns the signing key for a scope, derived once. Verify asks only
// for scopes of its own Region, of a service that exists, and of a date within
// the Window, so strangers cannot fill the memory.
func (v *vault) signingKey(s scope) []byte {
	v.mu.RLock()
	key, ok := v.derived[s]
	v.mu.RUnlock()
	if ok {
		return key
	}
	key = deriveKey(v.credentials.SecretAccessKey, s)
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.derived) >= maxDerived {
		clear(v.derived)
	}
	v.derived[s] = key
	return key
}

// deriveKey derives a signing key from a secret access key.
//
// Source: IAM User Guide, "Create a signed AWS API request", derive a signing key.
func deriveKey(secret string, s scope) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, terminator} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return key
}
